"""The composition root: reports first, then pages, routes and guards become one app."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import reflex as rx
from reflex.utils.prerequisites import get_web_dir
from reflex_base.constants import Dirs
from starlette.types import ASGIApp

from teleconsult import jobs
from teleconsult.api.app import create_api
from teleconsult.api.gate import Gate
from teleconsult.privacy.start import start as start_reports
from teleconsult.settings import get_settings
from teleconsult.ui import faults, guard
from teleconsult.ui.clinic.resume import ResumeReview
from teleconsult.ui.consultation.resume import Resume
from teleconsult.ui.page import add_pages, font
from teleconsult.ui.pages import PAGES
from teleconsult.ui.public.broken import error_boundary
from teleconsult.ui.shell import overlay

FINISH_EVENTS_WITHIN = 5
"""Seconds an event that has begun may take when the process is told to end."""

PROBLEM_ON_ARRIVAL = (
    'new URLSearchParams(location.search).has("problem")&&((page)=>{page.problem="";'
    "setTimeout(()=>delete page.problem,4000)})(document.documentElement.dataset)"
)
"""Runs before anything is painted: a page somebody was sent back to holds its form until it can say why (`kit.css`)."""


def gated(inner: ASGIApp) -> Gate:
    """The gate goes around routes, pages and sockets alike."""
    return Gate(inner, pages=get_web_dir() / Dirs.STATIC)


@asynccontextmanager
async def finish_events(app: rx.App) -> AsyncGenerator[None]:
    """Let events end by themselves on SIGTERM; Reflex would cancel them in the middle."""
    if app.event_processor is not None:
        app.event_processor.graceful_shutdown_timeout = FINISH_EVENTS_WITHIN
    yield


settings = get_settings()
start_reports()

app = rx.App(
    html_lang="en",
    stylesheets=["/kit.css"],
    reset_style=False,  # Tailwind's own reset does the same work
    toaster=None,  # ui.flash needs no library
    app_wraps={(55, "ErrorBoundary"): error_boundary, (5, "Overlay"): overlay},
    head_components=[
        font("figtree"),
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="theme-color", content="#ffffff"),
        rx.el.script(PROBLEM_ON_ARRIVAL),
    ],
    backend_exception_handler=faults.answer,
    api_transformer=[create_api(), gated],  # the last one is outermost
)
add_pages(app, PAGES)
guard.install(app)
app.add_middleware(Resume())  # after the guard, which knows who is there
app.add_middleware(ResumeReview())  # the same
app.register_lifespan_task(finish_events)
if settings.run_worker:
    app.register_lifespan_task(jobs.worker)
