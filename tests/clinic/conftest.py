"""A patient, two dermatologists and cases between them, on an empty database."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from teleconsult.accounts.models import Role
from teleconsult.clinic import queue
from teleconsult.clinic.models import Answer
from teleconsult.consultations.models import Consultation
from teleconsult.db import transaction
from tests.support import pending_case, person

COMPLETE = {
    "impression": "Perioral dermatitis",
    "certainty": "likely",
    "explanation": "The small bumps are typical.\n\nIt is not contagious.",
    "plan": "Stop all creams for 4 weeks.\nWash with lukewarm water.",
    "safety_net": "It spreads to the eyes.",
}


@dataclass(frozen=True)
class Clinic:
    patient: uuid.UUID
    amara: uuid.UUID
    chidi: uuid.UUID

    def pending(self, **changes: object) -> uuid.UUID:
        return pending_case(self.patient, **changes)

    def claimed(self, **changes: object) -> uuid.UUID:
        """A case in Amara's hands."""
        case_id = self.pending(**changes)
        queue.claim(self.amara, case_id)
        return case_id


@pytest.fixture
def clinic(database: str) -> Clinic:  # noqa: ARG001 - the empty database it stands on
    doctor = Role.DERMATOLOGIST
    return Clinic(
        patient=person(),
        amara=person("amara@clinic.example", doctor, title="Consultant dermatologist", registration_no="7412036"),
        chidi=person("chidi@clinic.example", doctor, title="Consultant dermatologist", registration_no="6980114"),
    )


def case(case_id: uuid.UUID) -> Consultation:
    with transaction() as tx:
        return tx.get_one(Consultation, case_id)


def answer(case_id: uuid.UUID) -> Answer | None:
    with transaction() as tx:
        return tx.get(Answer, case_id)


@pytest.fixture
def change() -> Callable[..., None]:
    """Write into a case what no use case of the clinic writes."""

    def write(case_id: uuid.UUID, **values: object) -> None:
        with transaction() as tx:
            row = tx.get_one(Consultation, case_id)
            for name, value in values.items():
                setattr(row, name, value)

    return write
