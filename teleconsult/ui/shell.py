"""The frame of every page: header, way around, footer, and what lies over all pages.

Pages are compiled once for everybody. What depends on the person (name, menu, way around) follows when the page has
connected, and is placed so that nothing moves when it arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import reflex as rx
from reflex_base.components.memo import memo
from reflex_components_core.core.banner import has_too_many_connection_errors

from teleconsult.ui.flash import flash_host
from teleconsult.ui.offer import Offer
from teleconsult.ui.parts.base import NavItem, Node, cn, pick
from teleconsult.ui.parts.buttons import fragment_link, link_button
from teleconsult.ui.parts.headings import avatar
from teleconsult.ui.parts.icons import BRAND, brand, icon
from teleconsult.ui.parts.messages import offline_bar
from teleconsult.ui.parts.typography import meta, visually_hidden
from teleconsult.ui.session import Session

Area = Literal["public", "patient", "clinic", "operations", "account"]
Width = Literal["page", "wide", "form", "card", "full"]

START = "/consultations/new/skin"
"""Where a consultation begins. The server sends people without an account to sign up first."""

NAV: dict[str, tuple[NavItem, ...]] = {
    "patient": (
        NavItem("Consultations", "/consultations"),
        NavItem("Billing", "/settings#billing"),
        NavItem("Help", "/help"),
    ),
    "dermatologist": (NavItem("Queue", "/clinic"),),
    "operator": (NavItem("Overview", "/operations"), NavItem("Payments", "/operations/payments")),
}
"""The way around, by role."""

FOOT = (
    NavItem("Privacy", "/privacy"),
    NavItem("Terms", "/terms"),
    NavItem("Complaints", "/complaints"),
    NavItem("Imprint", "/imprint"),
    NavItem("Help", "/help"),
)

_AREA_ROLE = {"patient": "patient", "clinic": "dermatologist", "operations": "operator"}
_WIDTH = {"page": "max-w-page", "wide": "max-w-wide", "form": "max-w-form", "card": "max-w-card", "full": "max-w-none"}


def page_shell(
    *children: Node,
    area: Area = "public",
    current: str = "",
    width: Width = "page",
    with_footer: bool = True,
    flush: bool = False,
    class_name: str = "",
) -> rx.Component:
    """Skip link, header, main, footer.

    Args:
        *children: What stands in main.
        area: Whose page it is. `patient`, `clinic` and `operations` pages have their way around from the start; on
            `account` and `public` pages it follows with the role. `public` pages offer to sign in until somebody is.
        current: Label of the entry that is marked as the current one.
        width: The widest that main gets.
        with_footer: Off where the foot of the screen holds buttons.
        flush: Without the padding of main, for pages with bands of their own.
        class_name: More classes for main.
    """
    padding = "" if flush else cn(_WIDTH[width], "px-5 pt-7 pb-16 sm:px-6 sm:pt-10 sm:pb-24 print:p-0")
    return rx.el.div(
        skip_link(),
        _header(area, current, wide=width == "wide"),
        rx.el.main(
            *children,
            id="content",
            tab_index=-1,
            class_name=cn("mx-auto w-full flex-1 focus:outline-none", padding, class_name),
        ),
        footer() if with_footer else rx.fragment(),
        class_name="flex min-h-dvh flex-col print:block print:min-h-0",
    )


def skip_link() -> rx.Component:
    """For people who use the keyboard: past the header in one step."""
    return fragment_link(
        "Skip to content",
        "content",
        class_name=(
            "fixed top-2 start-2 z-50 -translate-y-20 rounded-control bg-ink px-4 py-3 font-semibold text-white "
            "no-underline focus:translate-y-0"
        ),
    )


def bar(*children: rx.Component, wide: bool = False) -> rx.Component:
    """The white strip at the top."""
    inner = cn("mx-auto flex h-16 items-center px-5 sm:px-6", "max-w-wide" if wide else "max-w-page")
    return rx.el.header(rx.el.div(*children, class_name=inner), class_name="no-print border-b border-line bg-card")


def _header(area: Area, current: str, *, wide: bool) -> rx.Component:
    role = _AREA_ROLE.get(area)
    home = "/" if area == "public" else NAV[role][0].href if role else "/"
    nav = _nav(NAV[role], current) if role else _by_role(lambda items: _nav(items, current))
    menu = user_menu(_menu_links(NAV[role]) if role else _by_role(_menu_links))
    right = rx.cond(Session.role != "", menu, _doors()) if area == "public" else menu
    # The box around what depends on the person always fills the bar: nothing in view moves when it changes.
    rest = rx.el.div(nav, right, class_name="flex min-w-0 flex-1 items-center justify-end")
    return bar(brand(home), rest, wide=wide)


def _by_role(make: Callable[[Sequence[NavItem]], rx.Component]) -> rx.Component:
    return pick(Session.role, {role: make(items) for role, items in NAV.items()}, rx.fragment())


def _doors() -> rx.Component:
    """Signed out: the two ways in. The server answers the second one, so it loads a page."""
    return rx.el.div(
        link_button("Sign in", "/sign-in", kind="quiet"),
        link_button("Start", START, document=True, class_name="sm:hidden"),
        link_button("Start a consultation", START, document=True, class_name="max-sm:hidden"),
        class_name="flex items-center gap-1",
    )


def _nav(items: Sequence[NavItem], current: str) -> rx.Component:
    return rx.el.nav(
        *[_nav_link(item, active=item.label == current) for item in items],
        aria_label="Main",
        class_name="ms-6 me-auto hidden gap-1 md:flex",
    )


def _nav_link(item: NavItem, *, active: bool) -> rx.Component:
    look = (
        "font-semibold text-ink after:absolute after:inset-x-3 after:-bottom-[10px] after:h-[2px] after:bg-brand"
        if active
        else "font-medium text-ink-2 hover:bg-mist hover:text-ink"
    )
    return rx.el.a(
        item.label,
        href=item.href,
        custom_attrs={"aria-current": "page"} if active else {},
        class_name=cn(
            "relative inline-flex min-h-11 items-center rounded-control px-3 text-md no-underline transition-colors",
            look,
        ),
    )


def user_menu(links: rx.Component) -> rx.Component:
    """Name, settings and the way out, on the Popover API: outside click and Esc close it without a script."""
    return rx.fragment(
        rx.el.button(
            rx.el.span(Session.name, class_name="max-w-40 truncate max-md:sr-only"),
            visually_hidden(" Account menu"),
            avatar(Session.initials),
            icon("chevron-down", 16, "text-ink-2"),
            type="button",
            custom_attrs={"popoverTarget": "account-menu"},
            class_name=(
                "-me-2 inline-flex min-h-11 items-center gap-2 rounded-control px-2 text-md font-medium hover:bg-mist"
            ),
        ),
        rx.el.nav(
            rx.el.div(
                rx.el.p(Session.name, class_name="truncate font-semibold text-md"),
                rx.el.p(Session.email, class_name="truncate text-sm text-ink-2"),
                class_name="px-3 pt-2 pb-3",
            ),
            links,
            _menu_link(NavItem("Settings", "/settings"), "settings"),
            _sign_out(),
            id="account-menu",
            aria_label="Account",
            class_name="menu no-print",
            custom_attrs={"popover": "auto"},
        ),
    )


def _menu_links(items: Sequence[NavItem]) -> rx.Component:
    """The way around, on screens that have no room for it in the bar."""
    return rx.el.div(*[_menu_link(item) for item in items], class_name="mb-2 border-b border-line pb-2 md:hidden")


def _menu_link(item: NavItem, icon_name: str = "") -> rx.Component:
    return rx.el.a(
        icon(icon_name, 18, "text-ink-2") if icon_name else rx.fragment(),
        item.label,
        href=item.href,
        class_name=(
            "flex min-h-11 items-center gap-3 rounded-control px-3 text-md font-medium text-ink no-underline "
            "hover:bg-mist"
        ),
    )


def _sign_out() -> rx.Component:
    return rx.el.form(
        rx.el.button(
            icon("log-out", 18, "text-ink-2"),
            "Sign out",
            type="submit",
            class_name=(
                "flex min-h-11 w-full items-center gap-3 rounded-control px-3 text-md font-medium hover:bg-mist"
            ),
        ),
        action="/api/auth/sign-out",
        method="post",
        on_submit=None,  # keeps the browser's own POST
    )


def footer() -> rx.Component:
    """Who this is, what it is not for, and the pages the law asks for."""
    look = (
        "inline-flex min-h-11 min-w-11 items-center rounded-sm text-sm text-ink-2 underline decoration-transparent "
        "underline-offset-4 hover:text-ink hover:decoration-current"
    )
    return rx.el.footer(
        rx.el.div(
            meta(BRAND, ". Not for emergencies: call ", Offer.emergency_number, "."),
            rx.el.nav(
                *[rx.el.a(item.label, href=item.href, class_name=look) for item in FOOT],
                aria_label="About this site",
                class_name="flex flex-wrap gap-x-6",
            ),
            class_name=(
                "mx-auto flex max-w-page flex-col gap-2 px-5 py-6 sm:px-6 md:flex-row md:items-center "
                "md:justify-between"
            ),
        ),
        class_name="no-print border-t border-line",
    )


def _over_all_pages() -> rx.Component:
    return rx.fragment(offline_bar(has_too_many_connection_errors), flash_host())


def overlay(stateful: bool) -> rx.Component | None:
    """What is mounted once around all pages: the connection strip and the live region for short messages."""
    return rx.fragment(memo(_over_all_pages)()) if stateful else None
