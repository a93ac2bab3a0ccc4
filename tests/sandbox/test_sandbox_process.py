"""Starting, stopping, and coming back with everything still known."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import LINE, PAGE
from tests.sandbox.process import AUTH, ROOT, SECRET, Endpoint, Running, free_port, start


def customer(running: Running, key: str = "k") -> str:
    with running.http() as http:
        return http.post("/v1/customers", data={"email": "a@b.example"}, headers={"Idempotency-Key": key}).json()["id"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_even_while_a_call_hangs(how: signal.Signals) -> None:
    running = start()
    running.control("faults", kind="timeout_before", seconds=60)
    hanging = threading.Thread(target=_ignore_cut, args=(running,))
    hanging.start()
    while not running.state()["requests"]:
        pass
    code, seconds, errors = running.stop(how)
    hanging.join()
    assert (code, errors) == (0, "")
    assert seconds < 2


def _ignore_cut(running: Running) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{running.base}/v1/account", headers=AUTH, timeout=30, trust_env=False)


def test_a_restart_continues(tmp_path: Path) -> None:
    kept = tmp_path / "state" / "stripe.sqlite"
    endpoint = Endpoint()
    endpoint.statuses = [500] * 2
    options = ["--state-file", str(kept), "--webhook-url", endpoint.url, "--webhook-secret", SECRET]
    running = start(*options, "--retry-pauses", "3,3,3")
    made = customer(running)
    event = json.loads(endpoint.wait(1)[0][1])["id"]
    running.stop(signal.SIGKILL)
    assert kept.stat().st_mode & 0o077 == 0
    running = start(*options, "--retry-pauses", "0.1,0.1,0.1")
    try:
        assert customer(running) == made, "the idempotency key is still known"
        assert {json.loads(body)["id"] for _, body in endpoint.wait(2)} == {event}, "and the delivery goes on"
        assert len(running.state()["objects"]["customer"]) == 1
    finally:
        running.stop()
        endpoint.server.shutdown()


def test_nothing_that_was_answered_is_lost_by_a_kill(tmp_path: Path) -> None:
    """Every kind of change, then a kill, then a comparison of everything."""
    options = ["--state-file", str(tmp_path / "s.sqlite"), "--retry-pauses", "86400"]
    running = start(*options)
    live_through_everything(running)
    before = everything(running)
    running.stop(signal.SIGKILL)
    again = start(*options)
    try:
        assert everything(again) == before
        assert [kind for kind in before["objects"] if not before["objects"][kind]] == []
    finally:
        again.stop()


def everything(running: Running) -> dict[str, Any]:
    kept = running.state()
    return {name: kept[name] for name in ("objects", "events", "deliveries", "agenda")}


def live_through_everything(running: Running) -> None:
    with running.http() as http:

        def sell(**more: Any) -> str:
            body = {**PAGE, **LINE, "invoice_creation[enabled]": "true", **more}
            return http.post("/v1/checkout/sessions", data=body, headers={"Idempotency-Key": str(more)}).json()["id"]

        http.post("/v1/webhook_endpoints", data={"url": "http://127.0.0.1:9/", "enabled_events[]": "charge.succeeded"})
        jane = http.post("/v1/customers", data={"email": "a@b.example"}).json()["id"]
        http.post("/v1/billing_portal/sessions", data={"customer": jane})
        saved = {"payment_intent_data[setup_future_usage]": "off_session"}
        paid = running.control(f"sessions/{sell(customer=jane, **saved)}/pay")["session"]["payment_intent"]
        running.control(f"sessions/{sell()}/pay", card="4000000000000002")
        running.control(f"sessions/{sell(client_reference_id='x')}/tamper", amount_total=1)
        running.control(f"sessions/{sell(customer_creation='always')}/pay", name="New")
        running.control(f"sessions/{sell(client_reference_id='y')}/expire")
        running.control(f"payments/{paid}/refund", amount=100, status="pending")
        running.control(f"payments/{paid}/dispute")
        debit = sell(**{"allowed_payment_method_types[0]": "sepa_debit"})
        running.control(f"sessions/{debit}/pay", method="sepa_debit")
        key = {"lookup_key": "consultation", "currency": "eur", "unit_amount": "4900", "product_data[name]": "x"}
        http.post("/v1/prices", data=key)
        http.post("/v1/prices", data={**key, "transfer_lookup_key": "true", "unit_amount": "5900"})
        running.control(f"customers/{jane}/delete")
        running.control("foreign")
        running.control("clock", advance=3600)
        time.sleep(0.5)


def refused(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "teleconsult.sandbox", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


def test_two_never_share_a_port() -> None:
    running = start()
    second = refused("--port", running.base.rpartition(":")[2])
    running.stop()
    assert second.returncode == 1
    assert second.stderr.strip() == "The sandbox can't start: Address already in use"


def test_a_damaged_state_file_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("{" * 5000)
    done = refused("--port", str(free_port()), "--state-file", str(tmp_path / "s.json"))
    assert done.returncode == 1
    assert done.stderr.strip() == "The sandbox can't start: its state file is damaged. Delete it to begin anew."


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--host", "0.0.0.0"], "--host must be a loopback address"),  # noqa: S104 - that it is refused is the point
        (["--webhook-url", "http://127.0.0.1:9/"], "--webhook-url needs --webhook-secret beginning with whsec_"),
        (["--retry-pauses", "soon"], "--retry-pauses must be quick, test, live, or seconds separated by commas"),
    ],
)
def test_options_that_make_no_sense(options: list[str], sentence: str) -> None:
    done = refused(*options)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_it_imports_nothing_else_of_the_project() -> None:
    code = (
        "import sys, teleconsult.sandbox.__main__\n"
        "print([m for m in sys.modules if m.startswith('teleconsult.') and not m.startswith('teleconsult.sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
