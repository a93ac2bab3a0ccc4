"""Starting, stopping, and coming back with everything still known."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

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
    kept = tmp_path / "state" / "stripe.json"
    endpoint = Endpoint()
    endpoint.statuses = [500] * 2
    options = ["--state-file", str(kept), "--webhook-url", endpoint.url, "--webhook-secret", SECRET]
    running = start(*options, "--retry-pauses", "3,3,3")
    made = customer(running)
    event = json.loads(endpoint.wait(1)[0][1])["id"]
    running.stop(signal.SIGKILL)
    assert json.loads(kept.read_text())["objects"]["customer"][made]["email"] == "a@b.example"
    assert kept.stat().st_mode & 0o077 == 0
    running = start(*options, "--retry-pauses", "0.1,0.1,0.1")
    try:
        assert customer(running) == made, "the idempotency key is still known"
        assert {json.loads(body)["id"] for _, body in endpoint.wait(2)} == {event}, "and the delivery goes on"
        assert len(running.state()["objects"]["customer"]) == 1
    finally:
        running.stop()
        endpoint.server.shutdown()


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
    (tmp_path / "s.json").write_text("{")
    done = refused("--port", str(free_port()), "--state-file", str(tmp_path / "s.json"))
    assert done.returncode == 1
    assert done.stderr.strip() == "The sandbox can't start: its state file is damaged. Delete it to begin anew."


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--host", "0.0.0.0"], "--host must be a loopback address"),  # noqa: S104 - that it is refused is the point
        (["--webhook-url", "http://127.0.0.1:9/"], "--webhook-url needs --webhook-secret beginning with whsec_"),
        (["--retry-pauses", "soon"], "--retry-pauses must be seconds separated by commas"),
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
