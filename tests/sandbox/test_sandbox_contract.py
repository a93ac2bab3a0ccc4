"""The checks themselves: that they look, and that they'd notice."""

from __future__ import annotations

import httpx
import pytest
import stripe

from tests.sandbox.build_parameters import TARGET, build
from tests.sandbox.conftest import SessionMaker, faults_of
from tests.sandbox.contract import ABSENT, CHECKER, load_contract
from tests.sandbox.process import AUTH, Running

pytestmark = pytest.mark.skipif(not CHECKER.exists(), reason=ABSENT)


def test_accepted_parameters_are_those_of_the_published_contract() -> None:
    assert TARGET.read_text() == build()


def test_sdk_and_sandbox_speak_the_contracts_version() -> None:
    assert stripe.api_version == load_contract().version
    assert f'"version": "{stripe.api_version}"' in TARGET.read_text()


def test_a_planted_fault_in_an_object_or_an_event_is_noticed(local: Running, new_session: SessionMaker) -> None:
    """Negative control: were the checks blind, every other test here would still pass."""
    local.control(f"sessions/{new_session().id}/pay")
    state = local.state()
    assert faults_of(state) == []
    state["objects"]["payment_intent"][0]["amount"] = "4900"
    completed = next(e for e in state["events"] if e["type"] == "checkout.session.completed")
    completed["data"]["object"]["status"] = "open"
    completed["data"]["object"]["colour"] = "teal"
    found = "\n".join(faults_of(state))
    assert "'4900' is not of type 'integer'" in found
    assert "'open', expected one of ['complete']" in found
    assert "'colour' was unexpected" in found


def test_a_planted_fault_in_a_request_is_noticed(local: Running) -> None:
    body = b"mode=payment&payment_method_types[0]=card"
    httpx.post(f"{local.base}/v1/checkout/sessions", content=body, headers=AUTH, trust_env=False)
    kept = local.state()["requests"][-1]
    found = load_contract().check_request("POST", kept["path"], "", kept["body"].encode(), kept["headers"])
    assert "parameter_unknown" in {problem.kind for problem in found}
