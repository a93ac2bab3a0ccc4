"""The queue page as an app of its own, which notes each look at the queue in the file `LOOKS`. Served by a test."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import reflex as rx
from starlette.types import ASGIApp

from teleconsult import privacy
from teleconsult.api.app import create_api
from teleconsult.clinic import queue
from teleconsult.ui import guard
from teleconsult.ui.clinic import queue_state
from teleconsult.ui.session import Session

POLL_SECONDS = 0.05


def page() -> rx.Component:
    return rx.el.div(queue_state.Queue.summary, Session.email)


def asgi() -> ASGIApp:
    """What granian calls."""
    looks, real = Path(os.environ["LOOKS"]), queue.queue

    def noted(doctor_id: uuid.UUID) -> queue.Queue:
        with looks.open("a") as file:
            file.write(".")
        return real(doctor_id)

    queue.queue, queue_state.POLL_SECONDS = noted, POLL_SECONDS
    privacy.configure_logging(development=False)
    app = rx.App(api_transformer=[create_api()])
    app.add_page(page, route="/clinic", on_load=queue_state.Queue.load)
    app.add_page(page, route="/settings")
    guard.install(app)
    return app()
