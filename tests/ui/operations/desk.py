"""An operator's tab without a browser."""

from __future__ import annotations

import uuid
from typing import Any

from reflex.event import Event

from teleconsult.accounts.models import Role
from teleconsult.ui import guard
from teleconsult.ui.operations.overview_state import Overview
from teleconsult.ui.operations.payments_state import Payments
from teleconsult.ui.session import Session
from tests.ui.clinic.desk import run
from tests.ui.consultation.driving import Some, Tab


class Desk(Tab):
    """One tab of one operator. `did` runs a handler, and `sent` is what it asked for."""

    def __init__(self, operator: uuid.UUID, path: str = "/operations") -> None:
        super().__init__(operator, path, "Europe/Berlin")

    async def state(self, cls: type[Some]) -> Some:
        found = await super().state(cls)
        (await self.root.get_state(Session)).role = Role.OPERATOR
        return found

    def did(self, handler: Any, *arguments: Any) -> list[str]:
        return run(self.call(handler, *arguments))

    def sent_by_page(self, handler: Any, form: dict[str, str | None]) -> list[str]:
        """Submit a form as a page does, and let the guard read it before the handler does."""
        name = f"{handler.state_full_name}.{handler.fn.__name__}"
        event = Event(name=name, payload={"form": {"__reflex_form_data__": [[*pair] for pair in form.items()]}})
        assert guard._check_arguments(event, handler.fn) is None
        return self.did(handler, event.payload["form"])

    @property
    def overview(self) -> Overview:
        return run(self.state(Overview))

    @property
    def payments(self) -> Payments:
        return run(self.state(Payments))
