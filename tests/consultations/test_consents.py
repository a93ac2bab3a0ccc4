"""What somebody has agreed to, for them to see."""

from __future__ import annotations

import pytest
from sqlmodel import select

from teleconsult.billing import discard
from teleconsult.consultations.consents import given_by
from teleconsult.consultations.models import Consent
from teleconsult.consultations.questions import CONSENTS
from teleconsult.db import transaction, utcnow
from tests.support import full_draft, person

pytestmark = pytest.mark.usefixtures("database")


def test_only_ones_own_in_the_words_that_were_shown() -> None:
    jane, mallory = person(), person("mallory@example.com")
    full_draft(jane)
    assert {given.text for given in given_by(jane)} == {consent.text for consent in CONSENTS}
    assert given_by(mallory) == ()


def test_discarded_and_withdrawn_ones_are_left_out() -> None:
    jane = person()
    kept, thrown_away = full_draft(jane), full_draft(jane)
    discard.discard(jane, thrown_away)
    with transaction() as tx:
        one = tx.exec(select(Consent).where(Consent.consultation_id == kept, Consent.kind == "data")).one()
        one.withdrawn_at = utcnow()
    assert len(given_by(jane)) == len(CONSENTS) - 1


def test_an_older_wording_is_not_passed_off_as_todays() -> None:
    jane = person()
    draft = full_draft(jane)
    with transaction() as tx:
        tx.exec(
            select(Consent).where(Consent.consultation_id == draft, Consent.kind == "care")
        ).one().version = "2020-01"
    (old,) = [given for given in given_by(jane) if given.version == "2020-01"]
    assert old.text not in {consent.text for consent in CONSENTS}
    assert "2020-01" in old.text
