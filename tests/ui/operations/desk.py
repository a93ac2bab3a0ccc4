"""An operator's tab without a browser."""

from __future__ import annotations

import uuid
from typing import Any

from teleconsult.accounts.models import Role
from teleconsult.ui.operations.overview_state import Overview
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

    @property
    def overview(self) -> Overview:
        return run(self.state(Overview))
