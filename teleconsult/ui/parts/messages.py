"""What the product says by itself: callouts, error summaries, empty and loading states, toast, autosave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import reflex as rx

from teleconsult.ui.parts.base import Flag, Handler, Node, Text, Tone, cn, focus_fragment, given, on_page, pick, when
from teleconsult.ui.parts.buttons import fragment_link, icon_button
from teleconsult.ui.parts.icons import icon, spinner
from teleconsult.ui.parts.status import SOFT
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import visually_hidden

_TONE_ICON = {
    "neutral": "info",
    "info": "info",
    "ok": "circle-check",
    "warn": "triangle-alert",
    "ask": "camera",
    "danger": "circle-alert",
}


def callout(
    *body: Node,
    tone: Tone = "info",
    title: Node = "",
    icon_name: str = "",
    action: rx.Component | None = None,
    role: str = "",
    class_name: str = "",
    **attrs: Any,
) -> rx.Component:
    """An inline message that stays until its cause is gone. Money and next steps always go here, never in a toast.

    Static advice needs no role. Give `role="status"` when it appears after an event, `"alert"` for failures.
    """
    if role:
        attrs["role"] = role
    return rx.el.div(
        icon(icon_name or _TONE_ICON[tone], 20, cn("mt-[3px]", "spin" if icon_name == "loader-circle" else "")),
        rx.el.div(
            rx.el.p(title, class_name="font-semibold") if given(title) else rx.fragment(),
            rx.el.div(*body, class_name="text-ink text-md") if body else rx.fragment(),
            class_name="min-w-0 flex-1",
        ),
        rx.el.div(action, class_name="max-sm:basis-full max-sm:ps-8 sm:self-center") if action else rx.fragment(),
        class_name=cn(
            "keep flex flex-wrap items-start gap-3 rounded-tile px-4 py-3.5 inset-ring", SOFT[tone], class_name
        ),
        **attrs,
    )


class Problem(NamedTuple):
    """A message and the id of the field it belongs to."""

    field_id: str
    message: str


_ANNOUNCE = (
    "(() => { document.getElementById('error-summary')?.focus();"
    " document.title = 'Error: ' + document.title.replace(/^Error: /, ''); })()"
)


def error_summary(problems: Sequence[Problem] | rx.Var[list[dict[str, str]]]) -> rx.Component:
    """GOV.UK pattern: heading, one link per field, focus moves here, "Error: " leads the page's title.

    Say each message again beside its field. The focus moves when the summary appears; if it is on the page already,
    send `rx.set_focus("error-summary")`. A row of a Var may carry an `href` of its own, for a field on another page.
    """
    rows = (
        rx.foreach(
            problems,
            lambda row: rx.cond(
                row["href"],
                _elsewhere(row["message"], row["href"]),
                _problem_link(row["message"], row["field_id"]),
            ),
        )
        if isinstance(problems, rx.Var)
        else rx.fragment(*[_problem_link(problem.message, problem.field_id) for problem in problems])
    )
    return rx.el.div(
        rx.el.h2("There is a problem", class_name="text-h3 text-danger-ink"),
        rx.el.ul(rows, class_name="-mb-2 mt-0.5 sm:mb-0 sm:mt-1.5"),
        id="error-summary",
        role="alert",
        tab_index=-1,
        on_mount=on_page(_ANNOUNCE),
        class_name="rounded-tile border-s-4 border-danger bg-danger-soft px-5 py-4 focus-visible:outline-none",
    )


_PROBLEM = "inline-block rounded-sm py-2.5 font-medium text-danger-ink underline underline-offset-4 sm:py-1"


def _problem_link(message: Node, field_id: Text) -> rx.Component:
    return rx.el.li(fragment_link(message, field_id, _PROBLEM))


def _elsewhere(message: Node, href: Text) -> rx.Component:
    return rx.el.li(rx.el.a(message, href=href, on_click=focus_fragment(), class_name=_PROBLEM))


def empty_state(title: Node, text: Node, action: rx.Component | None = None, icon_name: str = "inbox") -> rx.Component:
    """Nothing here yet: one sentence, one action."""
    return rx.el.div(
        rx.el.span(
            icon(icon_name, 24),
            class_name="grid size-13 place-content-center rounded-full bg-brand-soft text-brand-ink",
        ),
        rx.el.p(title, class_name="mt-5 text-h3 font-semibold tracking-[-0.018em]"),
        rx.el.p(text, class_name="mt-1.5 max-w-[34ch] text-ink-2 text-balance"),
        rx.el.div(action, class_name="mt-6") if action else rx.fragment(),
        class_name="card flex flex-col items-center rounded-card bg-card px-6 py-14 text-center shadow-card",
    )


def skeleton(class_name: str = "h-4 w-40") -> rx.Component:
    """A grey stand-in for a line that is on its way."""
    return rx.el.span(class_name=cn("pulse block rounded-sm bg-line", class_name), aria_hidden="true")


def skeleton_rows(count: int = 3, label: str = "Loading") -> rx.Component:
    """A list that is on its way; `label` is what a screen reader says meanwhile."""
    row = card(
        skeleton("size-16 rounded-tile"),
        rx.el.div(
            skeleton("h-4 w-1/3"), skeleton("mt-3 h-3.5 w-2/3"), skeleton("mt-2.5 h-3 w-1/4"), class_name="flex-1"
        ),
        pad=False,
        class_name="flex gap-4 p-4 sm:p-5",
    )
    return rx.el.div(visually_hidden(label), *[row] * count, role="status", class_name="flex flex-col gap-3")


# The wait is an animation, so that CSS can pause it; its end presses the button.
_LEAVE = rx.Var(
    "(event) => event.animationName === 'toast-wait' && event.currentTarget.querySelector('button').click()"
)


def toast_host(text: rx.Var[str], tone: rx.Var[str], *, on_close: Handler, key: Text = "") -> rx.Component:
    """One short confirmation at the bottom. The live region exists before the text arrives, or nobody hears it.

    It leaves by itself after 8 seconds, not while it is pointed at or focused; with tone `error` it stays. `key` must
    differ from message to message.
    """
    look = (
        "toast pointer-events-auto flex items-center gap-3 rounded-tile py-1.5 pe-1.5 ps-4 text-md text-white "
        "shadow-pop"
    )
    dismiss = icon_button(
        "x",
        "Dismiss",
        on_close,
        class_name="text-white hover:bg-white/15 hover:text-white focus-visible:outline-white -outline-offset-4",
    )
    words = rx.el.span(text, class_name="min-w-0 py-1.5")
    fine = rx.el.div(
        icon(pick(tone, {"info": "info"}, "circle-check"), 18),
        words,
        dismiss,
        key=key,
        class_name=cn(look, "toast-leaves bg-ink"),
        custom_attrs={"onAnimationEnd": _LEAVE},
    )
    error = rx.el.div(icon("circle-alert", 18), words, dismiss, key=key, class_name=cn(look, "bg-danger-strong"))
    return rx.el.div(
        when(text != "", pick(tone, {"error": error}, fine), rx.fragment()),
        role="status",
        aria_live="polite",
        class_name=(
            "no-print pointer-events-none fixed inset-x-0 bottom-4 z-40 flex justify-center px-4 max-sm:bottom-24"
        ),
    )


def offline_bar(shown: Flag = True) -> rx.Component:
    """The connection is gone. In the flow at the very top, so that it covers nothing."""
    return rx.el.div(
        when(
            shown,
            rx.el.p(
                icon("wifi-off", 17),
                "You’re offline. Your draft is safe and we’ll reconnect.",
                class_name=(
                    "flex min-h-10 items-center justify-center gap-2.5 bg-ink px-4 py-2 text-sm font-medium text-white"
                ),
            ),
            rx.fragment(),
        ),
        role="status",
        aria_live="polite",
        class_name="no-print sticky top-0 z-40",
    )


def autosave(state: Text, at: Text) -> rx.Component:
    """Saved 11:04 / Saving / Couldn't save, for `state` saved, saving, failed. `at` is a clock time of the reader."""
    line = "inline-flex items-center gap-1.5 text-sm"
    return rx.el.div(
        pick(
            state,
            {
                "saved": rx.el.span(
                    icon("cloud-check", 17, "text-ok-ink"), "Saved ", rx.el.time(at), class_name=cn(line, "text-ink-2")
                ),
                "saving": rx.el.span(spinner(16), "Saving", class_name=cn(line, "text-ink-2")),
                "failed": rx.el.span(
                    icon("triangle-alert", 17),
                    "Couldn’t save, retrying",
                    class_name=cn(line, "font-medium text-danger-ink"),
                ),
            },
            rx.el.span(class_name=line),
        ),
        role="status",
        data_testid="autosave-status",
        class_name="flex min-h-5 items-center",
    )
