"""What a monitor reads: right figures, cheap however much there is, and nothing for strangers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from teleconsult import db, jobs
from teleconsult.api import metrics
from teleconsult.api.gate import Gate
from teleconsult.billing import pulse, quarantine
from teleconsult.billing.rules import PaymentStatus
from teleconsult.db import transaction, utcnow
from teleconsult.notices.service import send_later
from teleconsult.ops import serve
from tests.api.browser import URL, Browser
from tests.billing.deliveries import SECRET, attempt, deliver, event, session, sign
from tests.support import ROOT, fresh_settings, full_draft, person

TOKEN = "a-token-of-more-than-twenty-characters"
PATHS = ("/metrics", "/health/deep")


def figures(answer: Any) -> dict[str, float]:
    """Sample → value, with its labels as in `name{state=PAID}`."""
    assert answer.status_code == 200
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {sample.name + labels(sample.labels): sample.value for sample in samples}


def labels(pairs: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={value}" for name, value in sorted(pairs.items())) + "}" if pairs else ""


# Who may see


PUBLIC = "https://clinic.example"
ASKING: dict[str, tuple[str, str, dict[str, str], bool]] = {
    "at home": (URL, "127.0.0.1", {}, True),
    "at home by IPv6": (URL, "::1", {}, True),
    "from elsewhere": (URL, "10.0.0.9", {}, False),
    "through a proxy": (URL, "127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, False),
    "a public site behind a proxy": (PUBLIC, "127.0.0.1", {}, False),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("asking", ASKING)
def test_without_a_token_only_a_developer_at_home(gated: Gate, path: str, asking: str) -> None:
    public_url, peer, headers, seen = ASKING[asking]
    fresh_settings(PUBLIC_URL=public_url)
    answer = Browser(gated).get(path, headers=headers, peer=peer)
    assert (answer.status_code != 404) == seen


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (f"Bearer {TOKEN}", True),
        ("", False),
        (TOKEN, False),
        (f"Bearer {TOKEN}x", False),
        (f"bearer {TOKEN}", False),
        (f"Basic {TOKEN}", False),
        ("Bearer é", False),
    ],
)
def test_with_a_token_only_who_shows_it(gated: Gate, path: str, given: str, seen: bool) -> None:
    fresh_settings(METRICS_TOKEN=TOKEN, PUBLIC_URL=PUBLIC)
    headers = {"Authorization": given.encode("utf-8")} if given else {}
    answer = Browser(gated, "http://10.1.2.3:9000").get(path, headers=headers, peer="10.0.0.9")
    assert (answer.status_code != 404) == seen


def test_nothing_there_looks_like_any_other_nothing(gated: Gate) -> None:
    fresh_settings(METRICS_TOKEN=TOKEN)
    hidden, absent = Browser(gated).get("/metrics"), Browser(gated).get("/api/nothing")
    assert (hidden.status_code, hidden.json()) == (absent.status_code, absent.json())


# What they see


def test_every_metric_is_there_and_no_other(stranger: Browser) -> None:
    stranger.post("/api/billing/webhook", content=b"{}", headers={})
    deliver(event({"id": "cus_1"}, "customer.deleted"))
    answer = stranger.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name for family in text_string_to_metric_families(answer.text)}
    named = {name.removesuffix("_total") for name in metrics.NAMES}
    absent = {"teleconsult_oldest_job_age_seconds", "teleconsult_worker_age_seconds"}
    absent |= {"teleconsult_last_event_age_seconds", "teleconsult_stuck_payment_age_seconds"}
    assert families <= named
    assert named - families <= absent, "only an age may be missing, while there is nothing to have one"


@pytest.fixture
def signed(stranger: Browser) -> Browser:
    """Stripe, with the second of two secrets."""
    fresh_settings(STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET=f"whsec_the_new_one,{SECRET}")
    return stranger


def delivered(stripe: Browser, payload: object) -> int:
    body = json.dumps(payload).encode()
    headers = {"Stripe-Signature": sign(body)}
    return stripe.post("/api/billing/webhook", content=body, headers=headers).status_code


def counted(before: dict[str, float], after: dict[str, float], name: str) -> float:
    return after.get(name, 0) - before.get(name, 0)


def test_answers_secrets_and_seconds_are_counted(signed: Browser) -> None:
    before = figures(signed.get("/metrics"))
    paid = event(session(attempt(full_draft(person()))))
    assert [delivered(signed, paid), delivered(signed, paid), delivered(signed, [])] == [200, 200, 400]
    assert signed.post("/api/billing/webhook", content=b"{}", headers={}).status_code == 400
    assert signed.get("/api/billing/webhook").status_code == 405
    after = figures(signed.get("/metrics"))
    answers = "teleconsult_webhook_answers_total"
    for which in (
        "{outcome=processed,status=200}", "{outcome=duplicate,status=200}", "{outcome=event,status=400}",
        "{outcome=signature,status=400}", "{outcome=unread,status=405}",
    ):  # fmt: skip
        assert counted(before, after, answers + which) == 1, which
    assert counted(before, after, "teleconsult_webhook_secret_total{secret=1}") == 3, "which secret had signed"
    assert counted(before, after, "teleconsult_webhook_secret_total{secret=0}") == 0
    assert counted(before, after, "teleconsult_webhook_seconds_count") == 5


def test_no_label_ever_holds_an_id(signed: Browser) -> None:
    delivered(signed, event(session(attempt(full_draft(person())))))
    delivered(signed, event({"id": "cus_1", "metadata": {"app": "other"}}, "some.type.of.evt_1"))
    told = signed.get("/metrics").text
    assert re.findall(r"evt_|cus_|cs_|pi_|@|[0-9a-f]{8}-[0-9a-f]{4}", told) == []


def test_payments_and_jobs_by_state_come_from_the_database(stranger: Browser) -> None:
    draft = full_draft(person())
    attempt(draft, status=PaymentStatus.EXPIRED)
    attempt(draft, attempt=2)
    with transaction() as tx:
        send_later(tx, "case_update", "jane@example.com", ref="TC-AAAAA")
    now = figures(stranger.get("/metrics"))
    assert now["teleconsult_payments_waiting{state=OPEN}"] == 1
    assert now["teleconsult_payments_waiting{state=PROCESSING}"] == 0
    assert now["teleconsult_payments_last_day{state=EXPIRED}"] == 1
    assert now["teleconsult_jobs{state=todo}"] == 1
    assert now["teleconsult_database_up"] == 1


def test_without_a_database_the_process_still_tells_its_own(stranger: Browser, database: str) -> None:
    db.engine().dispose()
    db.engine.cache_clear()
    fresh_settings(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    try:
        now = figures(stranger.get("/metrics"))
    finally:
        db.engine.cache_clear()
        fresh_settings(DATABASE_URL=database)
    assert now["teleconsult_database_up"] == 0
    assert "teleconsult_webhook_seconds_count" in now
    assert "teleconsult_quarantine" not in now


IN_ANOTHER_PROCESS = """
from teleconsult.api import metrics
metrics.WEBHOOK_SECRETS.labels("0").inc()
print(metrics.scrape().decode())
"""


def test_several_processes_on_one_port_tell_the_sum(tmp_path: Path) -> None:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "DATABASE_URL": ""}
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
    told = [subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(2)]
    assert 'teleconsult_webhook_secret_total{secret="0"} 1.0' in told[0].stdout
    assert 'teleconsult_webhook_secret_total{secret="0"} 2.0' in told[1].stdout


def test_only_several_processes_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    with serve._counted_together(1):
        assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    with serve._counted_together(2):
        assert Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).is_dir()


# Deep health


def execute(statement: str, **values: object) -> None:
    with transaction() as tx:
        tx.connection().execute(text(statement), values)


def alive() -> None:
    execute("insert into procrastinate_workers default values")


def late_job() -> None:
    with transaction() as tx:
        send_later(tx, "case_update", "jane@example.com", ref="TC-AAAAA")
    execute("update procrastinate_events set at = now() - interval '16 minutes'")


def retried_job() -> None:
    """Promised long ago, tried once, and waiting for its next try: old all the same."""
    late_job()
    execute("update procrastinate_jobs set attempts = 1, scheduled_at = now() + interval '1 hour'")


def silent_worker() -> None:
    execute("update procrastinate_workers set last_heartbeat = now() - interval '3 minutes'")


def stuck_payment() -> None:
    attempt(full_draft(person()), expires_at=utcnow() - timedelta(minutes=31))


def forgotten_answer() -> None:
    old = utcnow() - timedelta(minutes=31)
    attempt(full_draft(person()), status=PaymentStatus.CREATING, stripe_session_id=None, created_at=old)


def bank_that_never_answers() -> None:
    attempt(full_draft(person()), status=PaymentStatus.PROCESSING, created_at=utcnow() - timedelta(days=15))


def quarantined() -> None:
    fresh_settings(STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET=SECRET)
    deliver(event({"id": "cus_1"}, "customer.deleted", livemode=True))


def lost_events() -> None:
    attempt(full_draft(person()), status=PaymentStatus.PAID, settled_by="sweep", paid_at=utcnow())


TROUBLES = {
    late_job: "jobs_late",
    retried_job: "jobs_late",
    silent_worker: "worker_silent",
    stuck_payment: "payments_stuck",
    forgotten_answer: "payments_stuck",
    bank_that_never_answers: "payments_stuck",
    quarantined: "quarantine_not_empty",
    lost_events: "events_silent",
}


def test_deep_health_of_a_quiet_clinic(stranger: Browser) -> None:
    alive()
    answer = stranger.get("/health/deep")
    assert (answer.status_code, answer.json()["status"], answer.json()["troubles"]) == (200, "ok", [])
    assert set(answer.json()) == {"status", "troubles", *pulse.Pulse.__dataclass_fields__}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.__name__)
def test_each_trouble_is_named(stranger: Browser, trouble: Any) -> None:
    alive()
    trouble()
    answer = stranger.get("/health/deep")
    assert (answer.status_code, answer.json()["troubles"]) == (503, [TROUBLES[trouble]])


def unreturnable() -> None:
    attempt(full_draft(person()), status=PaymentStatus.DUPLICATE, refund_status="failed", paid_at=utcnow())


def news_of_nobody(age: str = "2 hours") -> None:
    fresh_settings(STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET=SECRET)
    deliver(event({"object": "charge", "payment_intent": "pi_nobody", "amount_refunded": 1}, "charge.refunded"))
    execute("update processed_webhook set received_at = now() - cast(:age as interval)", age=age)


@pytest.mark.parametrize("wait", [quarantined, unreturnable, news_of_nobody], ids=lambda wait: wait.__name__)
def test_the_figure_is_as_long_as_the_operators_list(stranger: Browser, wait: Any) -> None:
    wait()
    assert pulse.read().quarantined == len(quarantine.listed()) == 1
    assert figures(stranger.get("/metrics"))["teleconsult_quarantine"] == 1


def test_fresh_news_of_nobody_yet_is_not_counted(stranger: Browser) -> None:
    assert stranger
    news_of_nobody("10 minutes")
    assert pulse.read().quarantined == len(quarantine.listed()) == 0


def test_what_is_on_time_is_no_trouble(stranger: Browser) -> None:
    """Negative control of the test above: the same things, a moment before they are late."""
    alive()
    attempt(full_draft(person()), expires_at=utcnow() + timedelta(hours=1))
    attempt(full_draft(person("b@example.com")), status=PaymentStatus.PROCESSING)
    with transaction() as tx:
        send_later(tx, "case_update", "jane@example.com", ref="TC-AAAAA")
        jobs.defer(tx, jobs.app.tasks["notices.send"], in_seconds=86_400, notice_id=str(uuid.uuid4()))
    execute("update procrastinate_events set at = now() - interval '14 minutes'")
    assert stranger.get("/health/deep").json()["troubles"] == []


def test_deep_health_without_a_database(stranger: Browser, database: str) -> None:
    db.engine().dispose()
    db.engine.cache_clear()
    fresh_settings(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    try:
        answer = stranger.get("/health/deep")
    finally:
        db.engine.cache_clear()
        fresh_settings(DATABASE_URL=database)
    assert (answer.status_code, answer.json()["troubles"]) == (503, ["database_down"])


# Cheap


MANY = """
insert into payment (id, consultation_id, user_id, attempt, status, amount_minor, currency, livemode, request,
    expires_at, refunded_minor, created_at, updated_at, paid_at, settled_by)
select gen_random_uuid(), :case, :owner, n, 'EXPIRED', 4900, 'eur', false, '{}',
    now() - interval '9 days', 0, now() - interval '10 days', now(), null, null
from generate_series(1000, 21000) n
"""
MANY_EVENTS = """
insert into processed_webhook (id, type, livemode, created, received_at, outcome, detail)
select 'evt_' || n, 'charge.refunded', false, now(), now() - interval '1 day', 'processed', ''
from generate_series(1, 20000) n
"""
MANY_JOBS = """
insert into procrastinate_jobs (queue_name, task_name, status, args, attempts)
select 'mail', 'notices.send', 'succeeded', '{}', 1 from generate_series(1, 20000)
"""


@pytest.fixture
def history(stranger: Browser) -> Browser:
    """Years of business, and what is open today."""
    owner = person()
    case = full_draft(owner)
    execute(MANY, case=case, owner=owner)
    execute(MANY_EVENTS)
    execute(MANY_JOBS)
    alive()
    execute("analyze payment")
    execute("analyze processed_webhook")
    execute("analyze procrastinate_jobs")
    return stranger


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("name", [n for n in vars(pulse) if re.fullmatch(r"_[A-Z_]+", n)])
def test_no_figure_reads_the_history(name: str) -> None:
    query = getattr(pulse, name)
    values = {"grace": pulse.GRACE, "bank_days": pulse.BANK_DAYS}
    given = {key: value for key, value in values.items() if f":{key}" in query}
    with transaction() as tx:
        plan = tx.connection().execute(text(f"explain (analyze, format json) {query}"), given).scalar_one()
    assert sequential(plan[0]["Plan"]) == []
    assert most_rows(plan[0]["Plan"]) < 100


def nodes(plan: dict[str, Any]) -> Generator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def sequential(plan: dict[str, Any]) -> list[str]:
    """Tables of size that are read from end to end."""
    small = "procrastinate_workers"
    found = [node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
    return [table for table in found if table != small]


def most_rows(plan: dict[str, Any]) -> int:
    return max(
        int(node["Actual Rows"] * node["Actual Loops"]) + node.get("Rows Removed by Filter", 0) for node in nodes(plan)
    )


@pytest.mark.usefixtures("history")
def test_the_plan_shows_a_query_that_does() -> None:
    """Negative control: counting all payments by state reads them all."""
    with transaction() as tx:
        query = "explain (analyze, format json) select status, count(*) from payment group by status"
        plan = tx.connection().execute(text(query)).scalar_one()
    assert most_rows(plan[0]["Plan"]) > 20_000
