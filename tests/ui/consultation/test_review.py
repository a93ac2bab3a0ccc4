"""Consents, the way to Stripe, discarding, and the photos of a form: handlers on a real database and the sandbox."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from sqlmodel import select

from teleconsult.billing import checkout
from teleconsult.billing.models import Payment
from teleconsult.consultations import photos, service
from teleconsult.consultations.models import Consent, Photo
from teleconsult.consultations.questions import CONSENTS
from teleconsult.db import transaction
from teleconsult.errors import Conflict, Refusal, TooMany
from teleconsult.ui.consultation.discarded import Discarded
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.consultation.photo_step import Photos
from teleconsult.ui.consultation.review import Review
from tests.billing.deliveries import attempt
from tests.sandbox_process import Sandbox
from tests.support import ANSWERS, fresh_settings, full_draft, person
from tests.ui.consultation.driving import Tab

pytestmark = pytest.mark.usefixtures("database")

AGREED = [(f"consent-{c.kind}", "yes") for c in CONSENTS]


async def reviewing(user: uuid.UUID, draft: uuid.UUID, step: str = "review") -> tuple[Tab, Form, Review]:
    tab = Tab(user, f"/consultations/{draft}/{step}")
    form = await tab.open()
    await tab.call(Photos.load)
    await tab.call(Review.enter)
    return tab, form, await tab.state(Review)


def live_payments() -> list[Payment]:
    with transaction() as tx:
        return list(tx.exec(select(Payment)).all())


def consents() -> dict[str, str]:
    with transaction() as tx:
        return {row.kind: row.version for row in tx.exec(select(Consent)).all()}


# ── Review ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_review_says_every_answer_in_words_and_the_price_with_its_vat() -> None:
    async def story() -> None:
        user = person()
        _, form, review = await reviewing(user, full_draft(user))
        assert {"term": "Where", "value": "Right cheek"} in form.skin_rows
        assert {"term": "Symptoms", "value": "Itch, Flake"} in form.skin_rows
        assert {"term": "Allergic to", "value": "Penicillin: rash all over"} in form.health_rows
        assert (review.net, review.vat_label, review.vat) == ("€41.18", "VAT 19 %", "€7.82")
        assert ", " in review.answer_by

    asyncio.run(story())


@pytest.mark.parametrize(
    ("status", "waiting", "title"),
    [
        ("OPEN", False, ""),
        ("PROCESSING", True, "Your bank is confirming your payment"),
        ("REVIEW", True, "We’re checking your payment"),
        ("FAILED", False, "Your bank didn’t make the payment"),
        ("RETURNED", False, "We’re returning your last payment"),
    ],
)
def test_the_review_knows_what_became_of_the_last_payment(status: str, waiting: bool, title: str) -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        attempt(draft, status=status)
        _, _, review = await reviewing(user, draft)
        assert (review.waiting, review.news_title) == (waiting, title)

    asyncio.run(story())


def test_a_tick_is_kept_with_the_version_of_its_words_and_can_be_taken_back() -> None:
    async def story() -> None:
        user = person()
        draft = service.save_answers(user, None, ANSWERS).consultation_id
        tab, form, _ = await reviewing(user, draft)
        assert form.consents == []
        await tab.call(Review.agree, form.key, "care", True)
        assert (consents(), form.consents) == ({"care": CONSENTS[0].version}, ["care"])
        await tab.call(Review.agree, form.key, "care", False)
        assert (consents(), form.consents) == ({}, [])

    asyncio.run(story())


def test_payment_is_refused_while_something_is_missing_and_says_where_to_mend_it() -> None:
    async def story() -> None:
        user = person()
        draft = service.save_answers(user, None, {**ANSWERS, "sleep": "", "dob": ""}).consultation_id
        tab, form, review = await reviewing(user, draft)
        assert await tab.call(Review.pay, form.key, AGREED[:2]) == []
        base = f"/consultations/{draft}"
        assert {row["field_id"]: row["href"] for row in form.summary} == {
            "sleep": f"{base}/skin#sleep",
            "photos": f"{base}/photos",
            "dob": f"{base}/health#dob",
            "consent-urgent": "#consent-urgent",
        }
        assert form.problems["consent-urgent"] == "Confirm that this is not an emergency."
        assert (review.busy, set(consents()), live_payments()) == (False, {"care", "data"}, [])

    asyncio.run(story())


def test_paying_leads_to_stripe_and_a_second_press_to_the_same_page(sandbox: Sandbox) -> None:
    async def story() -> None:
        user = person()
        tab, form, review = await reviewing(user, full_draft(user))
        (first,) = await tab.call(Review.pay, form.key, AGREED)
        assert first.startswith(sandbox.base)
        assert review.busy, "the browser is leaving"
        assert await tab.call(Review.pay, form.key, AGREED) == []
        await tab.call(Review.enter)  # back from Stripe
        assert not review.busy
        assert await tab.call(Review.pay, form.key, AGREED) == [first]
        assert len(live_payments()) == 1

    asyncio.run(story())


def test_stripe_away_is_said_calmly_with_the_reference() -> None:
    async def story() -> None:
        fresh_settings(STRIPE_SECRET_KEY="sk_test_none", STRIPE_WEBHOOK_SECRET="whsec_none",
                       STRIPE_API_BASE="http://127.0.0.1:9")  # fmt: skip
        checkout.gateway.cache_clear()
        user = person()
        draft = full_draft(user)
        tab, form, review = await reviewing(user, draft)
        assert await tab.call(Review.pay, form.key, AGREED) == []
        assert review.down == checkout.DOWN
        assert (review.busy, form.ref) == (False, service.draft(user, draft).ref)

    asyncio.run(story())


@pytest.mark.parametrize(("came", "sent", "down"), [
    (Conflict(checkout.PAID), ["/consultations"], ""),
    (TooMany("Too often."), [], "Too often."),
])  # fmt: skip
def test_other_answers_to_paying(came: Refusal, sent: list[str], down: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        raise came

    monkeypatch.setattr(checkout, "start", start)

    async def story() -> None:
        user = person()
        tab, form, review = await reviewing(user, full_draft(user))
        assert await tab.call(Review.pay, form.key, AGREED) == sent
        assert (review.down, review.busy) == (down, False)

    asyncio.run(story())


def test_nobody_pays_agrees_or_discards_for_somebody_else() -> None:
    async def story() -> None:
        owner = person("theo@example.com")
        theirs = full_draft(owner)
        before = service.draft(owner, theirs)
        me = person()
        tab, _, review = await reviewing(me, full_draft(me))
        await tab.call(Review.agree, str(theirs), "care", False)
        assert await tab.call(Review.pay, str(theirs), []) == []
        assert await tab.call(Review.discard, str(theirs)) == []
        assert service.draft(owner, theirs) == before
        assert review.down == service.GONE

    asyncio.run(story())


# ── Discarding ─────────────────────────────────────────────────────────────────────────────────────


def test_a_discarded_draft_leads_to_the_list_and_can_come_back() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form, _ = await reviewing(user, draft)
        ref = form.ref
        assert await tab.call(Review.discard, form.key) == ["/consultations"]
        discarded = await tab.state(Discarded)
        assert (discarded.ref, discarded.visible, form.texts) == (ref, True, {})
        assert service.draft(user, draft).discarded
        assert await tab.call(Discarded.undo) == [f"/consultations/{draft}/review"]
        assert not service.draft(user, draft).discarded
        assert not discarded.visible

    asyncio.run(story())


def test_too_late_to_bring_it_back() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form, _ = await reviewing(user, draft)
        await tab.call(Review.discard, form.key)
        with transaction() as tx:
            service.owned(tx, user, draft, lock=True).status = "CANCELLED"
        assert await tab.call(Discarded.undo) == []
        discarded = await tab.state(Discarded)
        assert (discarded.visible, discarded.refusal) == (False, service.GONE)
        await tab.call(Discarded.dismiss)
        assert discarded.refusal == ""

    asyncio.run(story())


# ── Photos ─────────────────────────────────────────────────────────────────────────────────────────


def rows_of(draft: uuid.UUID) -> list[Photo]:
    with transaction() as tx:
        return list(tx.exec(select(Photo).where(Photo.consultation_id == draft).order_by(Photo.created_at)).all())


def test_photos_are_shown_relabelled_removed_and_brought_back() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form, _ = await reviewing(user, draft, "photos")
        step = await tab.state(Photos)
        first, second = rows_of(draft)
        assert [(t["id"], t["kind"]) for t in step.tiles] == [(str(first.id), "overview"), (str(second.id), "close")]
        assert step.of == form.key
        await tab.call(Photos.relabel, second.id, "side")
        assert rows_of(draft)[1].kind == "side"
        await tab.call(Photos.remove, first.id, 1)
        assert ([t["id"] for t in step.tiles], step.removed, step.removed_number) == (
            [str(second.id)],
            str(first.id),
            1,
        )
        await tab.call(Photos.restore, first.id)
        assert (len(step.tiles), step.removed) == (2, "")

    asyncio.run(story())


def test_too_few_photos_keep_the_form_from_going_on() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form, _ = await reviewing(user, draft, "photos")
        step = await tab.state(Photos)
        await tab.call(Photos.remove, rows_of(draft)[0].id, 1)
        assert await tab.call(Photos.go_on) == []
        assert step.missing == "Add one more photo: two are needed."
        assert form.summary == [{"field_id": "photo-input", "message": step.missing}]
        await tab.call(Photos.restore, uuid.UUID(step.removed))
        assert await tab.call(Photos.go_on) == [f"/consultations/{draft}/health"]

    asyncio.run(story())


def test_somebody_elses_photo_stays_as_it_is() -> None:
    async def story() -> None:
        theirs = full_draft(person("theo@example.com"))
        photo = rows_of(theirs)[0]
        me = person()
        tab, _, _ = await reviewing(me, full_draft(me), "photos")
        step = await tab.state(Photos)
        await tab.call(Photos.remove, photo.id, 1)
        assert (step.trouble, step.removed) == (photos.GONE, "")
        await tab.call(Photos.relabel, photo.id, "side")
        assert rows_of(theirs)[0].model_dump() == photo.model_dump()

    asyncio.run(story())
