"""What is shown when a page breaks in the browser, in place of Reflex's own boundary, which shows the stack."""

from __future__ import annotations

import reflex as rx
from reflex.state import FrontendEventExceptionState
from reflex_components_core.base.error_boundary import ErrorBoundary

from teleconsult.ui.faults import REFERENCE_IN_BROWSER, Faults
from teleconsult.ui.parts.base import on_page
from teleconsult.ui.parts.buttons import button, link_button
from teleconsult.ui.parts.icons import brand
from teleconsult.ui.public.plain import plain
from teleconsult.ui.shell import bar


def broken(reference: rx.Var[str] | str) -> rx.Component:
    """The page itself. It depends on no state, because that may be what broke."""
    return rx.el.div(
        bar(brand()),
        rx.el.main(
            plain(
                "Something went wrong",
                "That didn’t work, and it is on us.",
                rx.fragment(
                    rx.el.p("What you had entered is saved. If you write to us, please mention this reference:"),
                    rx.el.p(
                        reference,
                        class_name=(
                            "num mt-4 inline-block rounded-control bg-card px-3 py-1.5 text-base font-semibold "
                            "text-ink shadow-card select-all"
                        ),
                    ),
                ),
                button("Try again", on_page("location.reload()"), icon_name="rotate-cw", full="phone"),
                link_button("Go to the first page", "/", kind="secondary", document=True, full="phone"),
            ),
            class_name="px-5 sm:px-6",
        ),
        role="alert",
        class_name="min-h-dvh",
    )


def error_boundary(stateful: bool) -> rx.Component:
    """Goes around everything. `stateful` is Reflex's word for an app with a server behind its pages."""
    FrontendEventExceptionState.auto_reload_on_errors = []  # it reloads by a script that our content policy refuses
    return ErrorBoundary.create(
        fallback_render=rx.Var.create(broken(rx.Var(REFERENCE_IN_BROWSER).to(str))),
        on_error=Faults.report if stateful else rx.noop(),
    )
