"""Step 4: consents, the way to Stripe, and discarding."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import reflex as rx
from reflex.event import EventSpec

from teleconsult.billing import checkout, discard, views
from teleconsult.billing.checkout import CheckoutLink
from teleconsult.billing.rules import money, vat_included
from teleconsult.consultations import drafting
from teleconsult.consultations.questions import BY_NAME, CONSENTS, Step
from teleconsult.errors import Conflict, Invalid, NotFound, Refusal
from teleconsult.settings import get_settings
from teleconsult.ui import payments, times
from teleconsult.ui.consultation import sheet
from teleconsult.ui.consultation.addresses import LIST, address, consultation_id
from teleconsult.ui.consultation.discarded import Discarded
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.guard import allow
from teleconsult.ui.session import current


class Review(rx.State):
    """What happens on the way to payment. The answers themselves are in `Form`."""

    busy: rx.Field[bool] = rx.field(False)
    """Stripe's page is being opened. A second press does nothing."""
    discarding: rx.Field[bool] = rx.field(False)
    down: rx.Field[str] = rx.field("")
    """Why the payment page or the bin could not be reached; nothing was charged."""
    waiting: rx.Field[bool] = rx.field(False)
    """Money is on its way already: there is nothing to pay."""
    news_title: rx.Field[str] = rx.field("")
    news: rx.Field[str] = rx.field("")
    """What has become of the last payment."""
    answer_by: rx.Field[str] = rx.field("")
    ref: rx.Field[str] = rx.field("")

    @rx.var
    def net(self) -> str:
        """The price without VAT."""
        settings = get_settings()
        return money(settings.price_minor - _vat(), settings.currency)

    @rx.var
    def vat(self) -> str:
        """The VAT in the price."""
        return money(_vat(), get_settings().currency)

    @rx.var
    def vat_label(self) -> str:
        """`VAT 19 %`."""
        return f"VAT {get_settings().vat_percent} %"

    @rx.event
    @allow("patient")
    async def enter(self) -> None:
        """Runs at every visit, also when somebody comes back from Stripe: nothing is under way then."""
        who, form = await current(self), await self.get_state(Form)
        self.busy = self.discarding = False
        self.down, self.ref = "", form.ref
        due = datetime.now(UTC) + timedelta(hours=get_settings().answer_hours)
        self.answer_by = times.full(due, who.timezone)
        self.waiting, (self.news_title, self.news) = await asyncio.to_thread(_payment, who.user_id, form.key)

    @rx.event
    @allow("patient")
    async def agree(self, key: str, kind: str, on: bool) -> None:
        """One of the consents was ticked or unticked. `pay` sends them all once more."""
        form, who = await self.get_state(Form), await current(self)
        try:
            await asyncio.to_thread(drafting.agree, who.user_id, uuid.UUID(key), {kind: on})
        except Refusal as refusal:
            form.notice = refusal.message
        else:
            form.consents = [*{*form.consents, kind}] if on else [k for k in form.consents if k != kind]
            form.problems = {name: text for name, text in form.problems.items() if name != f"consent-{kind}"}
            await form._touched()  # noqa: SLF001 - one form, two states

    @rx.event(background=True)
    @allow("patient")
    async def pay(self, key: str, held: list[sheet.Pair]) -> EventSpec | None:
        """Off to Stripe's page. In the background: Stripe may take its time while the connection comes and goes."""
        async with self:
            if self.busy:
                return None
            self.busy, self.down = True, ""
            who = await current(self)
        given = {name for name, _ in held}
        came = await _start(who.user_id, key, {c.kind: f"consent-{c.kind}" in given for c in CONSENTS})
        async with self:
            return await self._led(came)

    @rx.event(background=True)
    @allow("patient")
    async def discard(self, key: str) -> EventSpec | None:
        """Throw the draft away; the list offers the way back. It may have to close a page at Stripe first."""
        async with self:
            self.discarding, self.down = True, ""
            who = await current(self)
        refusal = await _discard(who.user_id, key)
        async with self:
            self.discarding = False
            if refusal:
                self.down = refusal.message
                return None
            form = await self.get_state(Form)
            await (await self.get_state(Discarded))._remember(key, form.ref)  # noqa: SLF001 - part of this form
            form._clear()  # noqa: SLF001
            return rx.redirect(LIST)

    async def _led(self, came: CheckoutLink | Refusal) -> EventSpec | None:
        """Where a try to pay leads. It stays busy while the browser leaves for Stripe."""
        if isinstance(came, CheckoutLink):
            return rx.redirect(came.url)
        self.busy = False
        form = await self.get_state(Form)
        if isinstance(came, Conflict):
            return rx.redirect(LIST)
        if isinstance(came, NotFound):
            form._clear("gone")  # noqa: SLF001 - one form, two states
        elif isinstance(came, Invalid):
            form.problems, form.summary = dict(came.problems), _summary(form.key, came.problems)
            form.attempt += 1
        else:
            self.down = came.message
        return None


def _payment(user_id: uuid.UUID, key: str) -> tuple[bool, payments.Said]:
    """Whether nothing is to be paid now, and what is to be said about the last payment."""
    draft = consultation_id(key)
    try:
        case = views.my_case(user_id, draft) if draft else None
    except Refusal:
        case = None
    if case is None:
        return False, payments.NOTHING
    return case.status == "confirming", payments.WORDS.get(case.payment, payments.NOTHING)


def _summary(draft: str, problems: Mapping[str, str]) -> list[dict[str, str]]:
    """Each problem with the address where it is mended."""
    return [{"field_id": name, "message": text, "href": _where(draft, name)} for name, text in problems.items()]


def _where(draft: str, name: str) -> str:
    if name == "photos":
        return address(draft, Step.PHOTOS)
    return f"{address(draft, BY_NAME[name].step)}#{name}" if name in BY_NAME else f"#{name}"


def _vat() -> int:
    settings = get_settings()
    return vat_included(settings.price_minor, settings.vat_percent)


async def _start(user_id: uuid.UUID, key: str, consents: Mapping[str, bool]) -> CheckoutLink | Refusal:
    draft = consultation_id(key)
    if draft is None:
        return NotFound()
    try:
        with drafting.reachable():
            await asyncio.to_thread(drafting.agree, user_id, draft, consents)
            return await asyncio.to_thread(checkout.start, user_id, draft)
    except Refusal as refusal:
        return refusal


async def _discard(user_id: uuid.UUID, key: str) -> Refusal | None:
    try:
        with drafting.reachable():
            await asyncio.to_thread(discard.discard, user_id, uuid.UUID(key))
    except Refusal as refusal:
        return refusal
    return None
