"""Stripe's webhook, class by class: what isn't provably usable is refused, what is accepted is durable.

Status 400: Stripe's own retries are the only memory. 200: it is in our database. 503: ours to mend, Stripe tries again.
No network call happens here: Stripe holds the patient's redirect until we answer.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog
from pydantic import ValidationError
from sqlalchemy import SmallInteger, bindparam, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import Session, col, select, update

from teleconsult import privacy
from teleconsult.accounts.throttle import Window
from teleconsult.billing import ledger, reversals
from teleconsult.billing.customers import forget
from teleconsult.billing.gateway import signed_by
from teleconsult.billing.models import Payment, ProcessedWebhook
from teleconsult.billing.objects import API_VERSION, CheckoutSession, Event
from teleconsult.billing.rules import APP
from teleconsult.billing.settle import Source, settle
from teleconsult.db import changed, transaction
from teleconsult.settings import get_settings

MAX_BYTES = 256 * 1024
"""Largest body read: an event of ours is about 4 KiB."""

SESSION_EVENTS = frozenset(
    f"checkout.session.{what}" for what in ("completed", "async_payment_succeeded", "async_payment_failed", "expired")
)
OURS = SESSION_EVENTS | reversals.EVENTS | {"customer.deleted"}
"""All the endpoint needs to be subscribed to."""

FORGERIES, FLOODS = Window(tries=20, seconds=600), Window(tries=1, seconds=600)
"""How many unsigned deliveries are ordinary noise, and how often more than that are told."""

_NEW = insert(ProcessedWebhook).on_conflict_do_nothing(index_elements=["id"])
_DONE = (
    update(ProcessedWebhook)
    .where(col(ProcessedWebhook.id) == bindparam("event"))
    .values(
        outcome=bindparam("became"),
        payment_id=bindparam("of"),
        secret=func.coalesce(bindparam("by", type_=SmallInteger), col(ProcessedWebhook.secret)),
    )
)
"""Made once: building a statement costs more than running it."""

FAILED_EVENT = "checkout.session.async_payment_failed"

log = structlog.get_logger()


@dataclass(frozen=True)
class Reply:
    """The answer to Stripe. Its body never echoes payload or signature."""

    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: int | None = None
    """The place of the secret that had signed the delivery, when one had."""


class _Refused(Exception):
    """Leaves a transaction without a trace."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def receive(body: bytes, signature: str) -> Reply:
    """One delivery, from raw bytes to a durable answer.

    `body` is as received and within `MAX_BYTES`; `signature` is the Stripe-Signature header, "" when absent.
    """
    secrets = get_settings().webhook_secrets
    if not secrets:
        privacy.alert("webhook_no_secret", "fatal", fingerprint=("webhook_no_secret",))
        return Reply(503, {"error": "not configured"}, {"Retry-After": "60"})
    if (matched := signed_by(body, signature, secrets)) is None:
        _forged()
        return Reply(400, {"error": "signature"})
    event = _parsed(body)
    if event is None:
        privacy.alert("webhook_unreadable", "error", fingerprint=("webhook_unreadable",))
        return Reply(400, {"error": "event"}, secret=matched)
    log.info("webhook", event_id=event.id, event_type=event.type, secret=matched)
    return replace(apply(event, secret=matched), secret=matched)


def _forged() -> None:
    """Anybody on the internet can cause this. Few are one warning; many are an error, told once in the time."""
    if FORGERIES.take("all"):
        privacy.alert("webhook_signature", "warning", fingerprint=("webhook_signature",))
    elif FLOODS.take("all"):
        privacy.alert("webhook_signatures", "error", fingerprint=("webhook_signatures",))


def _parsed(body: bytes) -> Event | None:
    """A signed body that is no event of Stripe's snapshot form is None."""
    try:
        return Event.model_validate(json.loads(body))
    except (ValueError, RecursionError, ValidationError):
        return None


def apply(event: Event, *, secret: int | None = None, again: bool = False) -> Reply:
    """Bring a verified event into the database, once. Replays and catch-up enter here.

    `secret` is the place of the secret that signed it. With `again` an event that lies in quarantine, or still waits
    for its payment, is tried once more; one that has had its effect stays a duplicate.
    """
    entry = _Entry(event, secret, again=again)
    if event.livemode != get_settings().livemode:
        return _durably(entry, _wrong_mode)
    if event.type == "customer.deleted":
        return _durably(entry, _customer_deleted)
    if event.type not in OURS or _foreign(event.data.object):
        return Reply(200, {"outcome": "ignored"})
    return _durably(entry, _session_event if event.type in SESSION_EVENTS else _reversal)


def _foreign(obj: Mapping[str, Any]) -> bool:
    """Other software may share the Stripe account: its markers are not ours."""
    marks = _marks(obj)
    return marks.get("app", APP) != APP or marks.get("env", get_settings().environment) != get_settings().environment


def _marks(obj: Mapping[str, Any]) -> dict[str, Any]:
    marks = obj.get("metadata")
    return marks if isinstance(marks, dict) else {}


class Effect(NamedTuple):
    """What an event came to, for the ledger."""

    outcome: str
    payment: Payment | None = None


class _Entry(NamedTuple):
    """An event on its way into the ledger."""

    event: Event
    secret: int | None
    again: bool


Handler = Callable[[Session, Event], Effect]


def _durably(entry: _Entry, handle: Handler) -> Reply:
    """Ledger row and effect in one transaction. The row is written first: the database refuses the second delivery."""
    try:
        with transaction() as tx:
            if not (changed(tx, _NEW, _ledger_row(entry.event)) or (entry.again and _reopened(tx, entry.event))):
                return Reply(200, {"outcome": "duplicate"})
            _tell_of_version(tx, entry.event)
            effect = handle(tx, entry.event)
            _note(tx, entry, effect)
    except _Refused as refused:
        return refused.reply
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        privacy.capture(error)
        return Reply(503, {"error": "busy"}, {"Retry-After": "5"})
    return Reply(200, {"outcome": effect.outcome})


def _ledger_row(event: Event) -> dict[str, Any]:
    return {
        **ledger.projection(event.data.object),
        "id": event.id,
        "type": event.type,
        "api_version": event.api_version,
        "livemode": event.livemode,
        "created": datetime.fromtimestamp(event.created, UTC),
        "received_at": datetime.now(UTC),
        "outcome": "",
    }


def _reopened(tx: Session, event: Event) -> bool:
    """Whether this event is known and has had no effect yet. Its row stays locked until we know better."""
    return ledger.find(tx, event.id, *ledger.unresolved()) is not None


def _note(tx: Session, entry: _Entry, effect: Effect) -> None:
    payment_id = effect.payment.id if effect.payment else None
    known = {"event": entry.event.id, "became": effect.outcome, "of": payment_id, "by": entry.secret}
    changed(tx, _DONE, known)


def _tell_of_version(tx: Session, event: Event) -> None:
    """Another API version is read as far as our models fit it, and told once: at its first event."""
    version = str(event.api_version)
    if version == API_VERSION:
        return
    earlier = select(ProcessedWebhook.id).where(
        col(ProcessedWebhook.api_version) == event.api_version, col(ProcessedWebhook.id) != event.id
    )
    if tx.exec(earlier.limit(1)).first() is None:
        privacy.alert("webhook_api_version", "warning", fingerprint=("webhook_api_version", version))


def _session_event(tx: Session, event: Event) -> Effect:
    _require_ids(event)
    try:
        session = CheckoutSession.model_validate(event.data.object)
    except ValidationError:
        return _unfit(event)
    outcome, payment = settle(tx, session, Source.WEBHOOK, failed=event.type == FAILED_EVENT)
    return Effect(outcome, payment)


def _reversal(tx: Session, event: Event) -> Effect:
    try:
        return Effect(*reversals.apply(tx, event.data.object))
    except (ValidationError, KeyError):
        return _unfit(event)


def _require_ids(event: Event) -> None:
    """Without both ids nobody can say whose money it is: refused, so that a delivery after the repair still counts."""
    marks = _marks(event.data.object)
    absent = [name for name in ("userId", "consultationId") if not _is_uuid(marks.get(name))]
    if absent:
        privacy.alert("webhook_metadata_missing", "fatal", fingerprint=("webhook", event.id), event_id=event.id)
        raise _Refused(Reply(400, {"error": "metadata", "missing": absent}))


def _is_uuid(value: object) -> bool:
    try:
        uuid.UUID(str(value))
    except ValueError:
        return False
    return True


def _unfit(event: Event) -> Effect:
    """Signed by Stripe and not as we know it, for example after an API upgrade: kept for a person to look at."""
    privacy.alert("webhook_object_unfit", "error", fingerprint=("webhook_object_unfit", event.type), event_id=event.id)
    return Effect(ledger.QUARANTINED)


def _wrong_mode(_tx: Session, event: Event) -> Effect:
    privacy.alert("webhook_livemode", "error", fingerprint=("webhook_livemode",), event_id=event.id)
    return Effect(ledger.QUARANTINED)


def _customer_deleted(tx: Session, event: Event) -> Effect:
    forget(tx, str(event.data.object.get("id", "")))
    return Effect("processed")
