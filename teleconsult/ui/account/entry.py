"""Sign-in and sign-up: the browser's own form posts, answered by the server with a redirect.

A refused form comes back to the same page with a code in the address; the sentences for it are here.
"""

from __future__ import annotations

from collections.abc import Mapping

import reflex as rx

from teleconsult.accounts.passwords import SHORTEST
from teleconsult.ui.account.state import Demo, Entry
from teleconsult.ui.parts.base import Node, on_page, pick
from teleconsult.ui.parts.buttons import button, link
from teleconsult.ui.parts.choices import checkbox
from teleconsult.ui.parts.fields import password_field, text_field
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.messages import Problem, callout, error_summary
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import h1, h2, lede, meta
from teleconsult.ui.shell import page_shell

_BUSY = "Many people are signing in right now. Wait a minute, then try again."
_TOO_MANY = "Too many tries. Wait 15 minutes, then try again."

SIGN_IN_PROBLEMS = {
    "mismatch": Problem("password", "That e-mail and password don’t match."),
    "too_many": Problem("email", _TOO_MANY),
    "busy": Problem("email", _BUSY),
    "expired_form": Problem("email", "This page had been open for too long. Sign in again."),
}

SIGN_UP_PROBLEMS = {
    "taken": Problem("email", "There is already an account with this e-mail. Sign in instead."),
    "email": Problem("email", "Enter an e-mail address, like name@example.com."),
    "password_short": Problem("password", f"Use at least {SHORTEST} characters."),
    "password_common": Problem("password", "That password is among the first people guess. Choose another."),
    "name": Problem("name", "Enter a shorter name."),
    "adult": Problem("adult", "You need to be 18 or older, and ask about your own skin."),
    "too_many": Problem("email", _TOO_MANY),
    "busy": Problem("email", _BUSY),
    "expired_form": Problem("email", "This page had been open for too long. Fill it in again."),
}

_TIMEZONE = "document.getElementById('timezone').value = Intl.DateTimeFormat().resolvedOptions().timeZone || ''"


def sign_in() -> rx.Component:
    """The page at `/sign-in`."""
    form = _form(
        "/api/auth/sign-in",
        _email("username", SIGN_IN_PROBLEMS),
        password_field("password", "Password", error=_error("password", SIGN_IN_PROBLEMS), required=True),
        button("Sign in", type="submit", size="lg", full=True),
    )
    ended = rx.cond(
        Entry.problem == "ended",
        callout("You were signed out. What you had entered is saved.", icon_name="info", class_name="mt-6"),
        rx.fragment(),
    )
    return _page(
        "Sign in",
        "Your drafts and answers are waiting for you.",
        _summary(SIGN_IN_PROBLEMS),
        ended,
        form,
        after=(
            rx.el.p("New here? ", link("Create an account", Entry.to_sign_up), class_name="mt-6 text-center text-md"),
            rx.cond(Entry.demo_password != "", _demo(), rx.fragment()),
        ),
    )


def sign_up() -> rx.Component:
    """The page at `/sign-up`."""
    form = _form(
        "/api/auth/sign-up",
        _email("email", SIGN_UP_PROBLEMS, "We use it to tell you when there is news. Never for marketing."),
        text_field(
            "name",
            "Name",
            hint="As your dermatologist should address you.",
            error=_error("name", SIGN_UP_PROBLEMS),
            optional=True,
            auto_complete="name",
            max_length=120,
        ),
        password_field(
            "password",
            "Password",
            auto_complete="new-password",
            hint=f"At least {SHORTEST} characters. Paste from a password manager if you like.",
            error=_error("password", SIGN_UP_PROBLEMS),
            min_length=SHORTEST,
            required=True,
        ),
        checkbox(
            "adult",
            "I am 18 or older and this is about my own skin.",
            error=_error("adult", SIGN_UP_PROBLEMS),
            required=True,
        ),
        rx.el.input(type="hidden", id="timezone", name="timezone", default_value="", on_mount=on_page(_TIMEZONE)),
        button("Create account", type="submit", size="lg", full=True),
    )
    legal = meta(
        "By creating an account you accept our ",
        link("terms", "/terms"),
        " and ",
        link("privacy notice", "/privacy"),
        ".",
        class_name="mt-5",
    )
    return _page(
        "Create your account",
        "So that your answer stays private to you.",
        _summary(SIGN_UP_PROBLEMS),
        form,
        legal,
        after=(
            rx.el.p(
                "Already have an account? ", link("Sign in", Entry.to_sign_in), class_name="mt-6 text-center text-md"
            ),
        ),
    )


def _page(title: str, sub: str, *children: Node, after: tuple[Node, ...]) -> rx.Component:
    # Whatever turns up late (a problem, the demo people) moves nothing that is in view: the footer starts below it.
    held = rx.cond(Entry.ready, "", "until-problem-known")
    return page_shell(
        card(
            h1(title),
            lede(sub, class_name="mt-1.5"),
            rx.el.div(*children, class_name=held),
            class_name="min-h-96 sm:p-8",
        ),
        rx.el.div(*after, class_name=held),
        width="card",
        class_name="min-h-[calc(100dvh-4rem)] flex-none sm:pt-16",
    )


def _form(action: str, *children: Node) -> rx.Component:
    return rx.el.form(
        *children,
        rx.el.input(type="hidden", name="next", value=Entry.next, read_only=True),
        action=action,
        method="post",
        on_submit=None,  # keeps the browser's own POST
        class_name="mt-6 flex flex-col gap-5",
    )


def _email(auto_complete: str, problems: Mapping[str, Problem], hint: str = "") -> rx.Component:
    return text_field(
        "email",
        "E-mail",
        type="email",
        hint=hint,
        error=_error("email", problems),
        auto_complete=auto_complete,
        max_length=254,
        required=True,
    )


def _error(field: str, problems: Mapping[str, Problem]) -> rx.Var[str]:
    cases = {code: problem.message for code, problem in problems.items() if problem.field_id == field}
    return pick(Entry.problem, cases, "") if cases else rx.Var.create("")


def _summary(problems: Mapping[str, Problem]) -> rx.Component:
    shown = {code: rx.el.div(error_summary([problem]), class_name="mt-6") for code, problem in problems.items()}
    return pick(Entry.problem, shown, rx.fragment())


def _demo() -> rx.Component:
    """One press signs in as an invented person; only a development server knows them."""
    return card(
        h2("Demo people"),
        meta("This server runs for development. Sign in as somebody invented:", class_name="mt-1"),
        rx.el.div(rx.foreach(Entry.demo_people, _demo_person), class_name="mt-3 -mx-2 divide-y divide-line"),
        tag="section",
        class_name="mt-8",
    )


def _demo_person(person: rx.vars.ObjectVar[Demo]) -> rx.Component:
    return rx.el.form(
        rx.el.input(type="hidden", name="email", value=person["email"], read_only=True),
        rx.el.input(type="hidden", name="password", value=Entry.demo_password, read_only=True),
        rx.el.input(type="hidden", name="next", value=Entry.next, read_only=True),
        rx.el.button(
            rx.el.span(
                rx.el.span(person["name"], class_name="block font-medium"),
                rx.el.span(person["role"], ", ", person["email"], class_name="block text-sm text-ink-2"),
                class_name="min-w-0 flex-1",
            ),
            icon("chevron-right", 18, "text-ink-2"),
            type="submit",
            class_name=(
                "flex min-h-11 w-full items-center gap-3 rounded-control px-2 py-2 text-start text-md hover:bg-mist"
            ),
        ),
        action="/api/auth/sign-in",
        method="post",
        on_submit=None,  # keeps the browser's own POST
    )
