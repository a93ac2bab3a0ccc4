"""Sign-in and sign-up: where somebody goes next, what went wrong, and whom a demo lets in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import reflex as rx
from reflex.istate.data import ReflexURL, URLData

from teleconsult.accounts import passwords, service
from teleconsult.accounts.demo import DEMO_PASSWORD
from teleconsult.ui.account.entry import SIGN_IN_PROBLEMS, SIGN_UP_PROBLEMS, sign_in, sign_up
from teleconsult.ui.account.state import Entry
from teleconsult.ui.parts.messages import Problem

Made = Callable[[], rx.Component]


def written(page: Made) -> str:
    return json.dumps(page().render(), default=str).replace("\\\\u2019", "’")


def arrived_at(address: str) -> Entry:
    entry = Entry(_reflex_internal_init=True)
    entry.rx_router_url = URLData.from_url(ReflexURL(f"http://localhost{address}"))
    return entry


def test_the_way_on_is_kept_between_the_two_pages() -> None:
    entry = arrived_at("/sign-up?next=/consultations/new/skin")
    assert entry.next == "/consultations/new/skin"
    assert entry.to_sign_in == "/sign-in?next=/consultations/new/skin"
    assert entry.to_sign_up == "/sign-up?next=/consultations/new/skin"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/%2Fevil.example", "/api/auth/sign-out"]
)
def test_the_way_on_never_leaves_the_site(elsewhere: str) -> None:
    entry = arrived_at(f"/sign-in?next={elsewhere}")
    assert (entry.next, entry.to_sign_up) == ("", "/sign-up")


def test_a_later_visit_forgets_the_problem_of_an_earlier_one() -> None:
    entry = arrived_at("/sign-in?problem=mismatch")
    assert entry.problem == "mismatch"
    entry.rx_router_url = URLData.from_url(ReflexURL("http://localhost/sign-in"))
    assert (entry.problem, entry.ready) == ("", True)


def codes_of(*modules: object) -> set[str]:
    text = "".join(Path(str(module.__file__)).read_text("utf-8") for module in modules)  # type: ignore[attr-defined]
    return set(re.findall(r'problem="(\w+)"', text))


def test_every_refusal_has_its_sentence() -> None:
    codes = codes_of(service, passwords)
    assert {"mismatch", "taken", "adult", "busy"} <= codes
    assert codes <= set(SIGN_IN_PROBLEMS) | set(SIGN_UP_PROBLEMS)


@pytest.mark.parametrize(("made", "problems"), [(sign_in, SIGN_IN_PROBLEMS), (sign_up, SIGN_UP_PROBLEMS)])
def test_every_problem_points_at_a_field_of_its_page(made: Made, problems: Mapping[str, Problem]) -> None:
    markup = written(made)
    for problem in problems.values():
        assert f'id:\\"{problem.field_id}\\"' in markup
        assert markup.count(problem.message) >= 2, "said in the summary and at the field"


@pytest.mark.parametrize("made", [sign_in, sign_up])
def test_the_form_is_posted_by_the_browser_itself(made: Made) -> None:
    markup = written(made)
    assert 'method:\\"post\\"' in markup
    assert "onSubmit" not in markup


def test_a_development_server_offers_its_demo_people(set_to: Callable[..., None]) -> None:
    set_to(ENVIRONMENT="development")
    entry = Entry(_reflex_internal_init=True)
    assert entry.demo_password == DEMO_PASSWORD
    assert "jane@example.com" in {person["email"] for person in entry.demo_people}


def test_no_other_server_does(set_to: Callable[..., None]) -> None:
    set_to(ENVIRONMENT="test")
    entry = Entry(_reflex_internal_init=True)
    assert (entry.demo_password, entry.demo_people) == ("", [])


def test_demo_people_are_never_compiled_into_pages(set_to: Callable[..., None]) -> None:
    set_to(ENVIRONMENT="development")
    assert DEMO_PASSWORD in str(Entry(_reflex_internal_init=True).dict())
    assert DEMO_PASSWORD not in str(Entry(_reflex_internal_init=True).dict(initial=True))
