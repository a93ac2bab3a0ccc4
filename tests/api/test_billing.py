"""The billing routes as an API client and as Stripe meet them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from teleconsult.accounts import sessions
from teleconsult.accounts.models import Role, User
from teleconsult.api.app import create_api
from teleconsult.billing import checkout, webhook
from teleconsult.billing.checkout import CheckoutLink
from teleconsult.consultations import service
from teleconsult.consultations.questions import CONSENTS
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.settings import get_settings
from tests.billing.deliveries import SECRET, attempt, consultation, event, session, sign
from tests.sandbox_process import KEY, Sandbox
from tests.support import ANSWERS, fresh_settings, full_draft, person

WEBHOOK = "/api/billing/webhook"


def browser_of(user_id: uuid.UUID | None) -> TestClient:
    """An HTTP client with that person's session, or a stranger's."""
    headers = {}
    if user_id:
        with transaction() as tx:
            token = sessions.open_session(tx, tx.get_one(User, user_id)).token
        headers["Cookie"] = f"{sessions.cookie_name(get_settings())}={token}"
    return TestClient(create_api(), headers=headers, raise_server_exceptions=False)


@pytest.fixture
def patient(database: str, sandbox: Sandbox) -> uuid.UUID:
    """Somebody with a sandbox to pay in."""
    assert database
    fresh_settings(STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=sandbox.base)
    return person()


@pytest.fixture
def jane(patient: uuid.UUID) -> TestClient:
    """The patient at their browser."""
    return browser_of(patient)


def test_checkout_of_a_draft(jane: TestClient, patient: uuid.UUID) -> None:
    draft = full_draft(patient)
    answer = jane.post("/api/billing/checkout", json={"consultationId": str(draft)})
    assert answer.status_code == 200
    body = answer.json()
    assert body["consultationId"] == str(draft)
    assert body["sessionId"].startswith("cs_test_")
    assert body["url"].startswith(get_settings().stripe_api_base)
    assert answer.headers["cache-control"] == "private, no-store"


def test_whole_form_is_kept_as_a_draft_even_when_something_is_missing(jane: TestClient, patient: uuid.UUID) -> None:
    intake = {k: v for k, v in ANSWERS.items() if k != "story"}
    form = {"userNotes": ANSWERS["story"], "intake": intake, "consents": {c.kind: True for c in CONSENTS}}
    answer = jane.post("/api/billing/checkout", json=form)
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["photos"]
    draft = service.draft(patient, uuid.UUID(answer.json()["consultationId"]))
    assert draft.answers["story"] == ANSWERS["story"]
    assert draft.status == Status.DRAFT


@pytest.mark.parametrize("urls", [["https://evil.example/x.jpg"], ["/api/photos/../../etc"], "x", [7], [{}]])
def test_only_our_own_photo_addresses_are_taken(jane: TestClient, urls: object) -> None:
    answer = jane.post("/api/billing/checkout", json={"userNotes": "x", "imageUrls": urls})
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["imageUrls"]


def test_somebody_elses_photo_is_not_found(jane: TestClient) -> None:
    answer = jane.post("/api/billing/checkout", json={"userNotes": "x", "imageUrls": [f"/api/photos/{uuid.uuid4()}"]})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "smuggled", [{"amount": 1}, {"price": "price_x"}, {"success_url": "https://evil"}, {"userId": str(uuid.uuid4())}]
)
def test_amounts_and_addresses_from_the_client_are_ignored(
    jane: TestClient, patient: uuid.UUID, sandbox: Sandbox, smuggled: dict[str, object]
) -> None:
    draft = full_draft(patient)
    body = {"consultationId": str(draft), **smuggled}
    assert jane.post("/api/billing/checkout", json=body, headers={"Host": "evil.example"}).status_code == 200
    [made] = sandbox.state()["objects"]["checkout.session"]
    assert made["amount_total"] == 4900
    assert made["success_url"].startswith("http://localhost:8000/")
    assert made["metadata"]["userId"] == str(patient)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'{"consultationId": 7}', b'{"intake": [], "userNotes": "x"}']
)
def test_nonsense_is_422(jane: TestClient, body: bytes) -> None:
    assert jane.post("/api/billing/checkout", content=body).status_code == 422


@pytest.mark.parametrize("route", ["checkout", "portal"])
def test_strangers_are_401_and_other_methods_405(jane: TestClient, route: str) -> None:
    assert browser_of(None).post(f"/api/billing/{route}", json={}).status_code == 401
    assert jane.get(f"/api/billing/{route}").status_code == 405


@pytest.mark.parametrize("role", [Role.DERMATOLOGIST, Role.OPERATOR])
def test_staff_do_not_pay(jane: TestClient, role: Role) -> None:
    assert jane
    staff = browser_of(person(f"{role}@clinic.example", role))
    assert staff.post("/api/billing/checkout", json={}).status_code == 403


def test_foreign_draft_and_draft_of_nobody_answer_alike(jane: TestClient) -> None:
    theirs = full_draft(person("bob@example.com"))
    answers = [jane.post("/api/billing/checkout", json={"consultationId": str(i)}) for i in (theirs, uuid.uuid4())]
    assert [a.status_code for a in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


def test_paid_draft_is_409(jane: TestClient, patient: uuid.UUID) -> None:
    draft = full_draft(patient)
    body = json.dumps(event(session(attempt(draft)))).encode()
    assert jane.post(WEBHOOK, content=body, headers={"Stripe-Signature": sign(body)}).status_code == 200
    assert jane.post("/api/billing/checkout", json={"consultationId": str(draft)}).status_code == 409


def test_stripe_out_of_reach_is_503_with_the_draft_kept(jane: TestClient, patient: uuid.UUID) -> None:
    draft = full_draft(patient)
    from teleconsult.billing.gateway import gateway

    fresh_settings(STRIPE_API_BASE="http://127.0.0.1:9")
    gateway.cache_clear()
    answer = jane.post("/api/billing/checkout", json={"consultationId": str(draft)})
    gateway.cache_clear()
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == checkout.DOWN
    assert answer.json()["consultationId"] == str(draft)
    assert consultation(draft).status == Status.DRAFT


def test_portal(jane: TestClient, patient: uuid.UUID) -> None:
    assert jane.post("/api/billing/portal", json={"customer": "cus_of_somebody"}).status_code == 409
    jane.post("/api/billing/checkout", json={"consultationId": str(full_draft(patient))})
    answer = jane.post("/api/billing/portal", json={"customer": "cus_of_somebody"})
    assert answer.status_code == 200
    assert "/p/session/" in answer.json()["url"]


def test_webhook_takes_post_only(jane: TestClient) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert jane.request(method, WEBHOOK).status_code == 405


def endless() -> Iterator[bytes]:
    """A body without a length that would never end."""
    for _ in range(10_000):
        yield b"x" * 65_536


def test_webhook_reads_no_further_than_its_cap(jane: TestClient) -> None:
    assert jane.post(WEBHOOK, content=b"x" * (webhook.MAX_BYTES + 1)).status_code == 413
    assert jane.post(WEBHOOK, content=endless()).status_code == 413
    assert jane.post(WEBHOOK, content=b"x" * webhook.MAX_BYTES).status_code == 400


def test_webhook_answer_echoes_nothing(jane: TestClient) -> None:
    answer = jane.post(WEBHOOK, content=b'{"secret":"CANARY"}', headers={"Stripe-Signature": "t=1,v1=CANARY"})
    assert answer.json() == {"error": "signature"}


def test_unexpected_failure_is_500_without_a_trace_of_it(
    jane: TestClient, patient: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_facts: object) -> CheckoutLink:
        raise RuntimeError("CANARY in the message")

    monkeypatch.setattr(checkout, "start", broken)
    answer = jane.post("/api/billing/checkout", json={"consultationId": str(full_draft(patient))})
    assert answer.status_code == 500
    assert "CANARY" not in answer.text
