"""The only module that speaks to Stripe.

It takes and returns our own types, and sorts every failure in two: Stripe can't be reached or doesn't know
(`GatewayDown`), or Stripe says no (`GatewayRefused`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import islice
from typing import Any, TypeVar

import stamina
import stripe
from pydantic import BaseModel, ValidationError

from teleconsult.billing.objects import CheckoutSession, Event, HeldSession, Refund
from teleconsult.settings import get_settings

TIMEOUT_SECONDS = 10
RETRIES = 2
"""The SDK's own, for connection errors, 409 and 5xx, with the same idempotency key."""

SIGNATURE_SECONDS = 300
"""How far an event's time may lie from ours, in both directions. The SDK only checks the past."""

NOT_FOUND = 404

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class GatewayDown(Exception):
    """No answer, or one that leaves open whether Stripe acted (timeout, 5xx, 429). The same key may be tried again."""


class GatewayRefused(Exception):
    """Stripe understood and refused. `code` and `param` are Stripe's; its message may echo input and is dropped."""

    def __init__(self, code: str, param: str, request_id: str, status: int) -> None:
        super().__init__(f"{status} {code} {param} {request_id}")
        self.code, self.param, self.status = code, param, status

    @property
    def about_us(self) -> bool:
        """It is our key that was refused, and not what was asked: the same may be asked again when it is mended."""
        return self.status in (401, 403)

    @property
    def gone(self) -> bool:
        """Stripe doesn't have what we asked for: it is another account's, or of the other mode."""
        return self.status == NOT_FOUND

    @property
    def customer_gone(self) -> bool:
        """The customer we named was deleted at Stripe."""
        return self.code == "resource_missing" and self.param == "customer"

    @property
    def key_reused(self) -> bool:
        """Our idempotency key was used with other parameters."""
        return self.code == "idempotency_error"


@dataclass(frozen=True)
class Portal:
    """A link to the customer portal. Bearer access for minutes: never stored, never logged."""

    url: str


def _call(act: Callable[[], T]) -> T:
    """Run one call. The SDK does not repeat a 429 by itself, so we do, a few times with jitter."""
    try:
        return stamina.retry(on=stripe.RateLimitError, attempts=4, timeout=8)(act)()
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        raise GatewayDown(type(error).__name__) from None
    except stripe.StripeError as error:
        code = "idempotency_error" if isinstance(error, stripe.IdempotencyError) else str(error.code or "")
        param = str(getattr(error, "param", "") or "")
        raise GatewayRefused(code, param, str(error.request_id or ""), error.http_status or 0) from None


class Gateway:
    """A connection to Stripe with one key."""

    def __init__(self, key: str, api_base: str = "") -> None:
        stripe.enable_telemetry = False
        self._client = stripe.StripeClient(
            key,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
            max_network_retries=RETRIES,
            base_addresses={"api": api_base} if api_base else {},
        )

    def ask(self, act: Callable[[Any], T]) -> T:
        """One call on the SDK's first API version, for `billing.account`, with the same failures as all others."""
        return _call(lambda: act(self._client.v1))

    def create_customer(self, email: str, metadata: Mapping[str, str], key: str) -> str:
        """A customer, for receipts and the portal. Returns its id."""
        params: Any = {"email": email, "metadata": dict(metadata)}
        return _call(lambda: self._client.v1.customers.create(params, {"idempotency_key": key})).id

    def create_session(self, request: Mapping[str, Any], key: str) -> CheckoutSession:
        """A hosted payment page from frozen parameters. The same key gives the same page."""
        params: Any = dict(request)
        return _read(
            CheckoutSession, _call(lambda: self._client.v1.checkout.sessions.create(params, {"idempotency_key": key}))
        )

    def retrieve_session(self, session_id: str) -> CheckoutSession:
        """The page as it is now."""
        return _read(CheckoutSession, _call(lambda: self._client.v1.checkout.sessions.retrieve(session_id)))

    def intent_failed(self, payment_intent: str) -> bool:
        """Whether the bank has said no to a delayed payment: it waits for another way to pay, which nobody can give."""
        made = _call(lambda: self._client.v1.payment_intents.retrieve(payment_intent))
        return made.status in ("requires_payment_method", "canceled")

    def expire_session(self, session_id: str) -> CheckoutSession:
        """Close an open page. Refused when it was paid or has expired meanwhile: retrieve it then."""
        return _read(CheckoutSession, _call(lambda: self._client.v1.checkout.sessions.expire(session_id)))

    def create_portal(self, customer_id: str, return_url: str) -> Portal:
        """A fresh link to the customer portal."""
        params: Any = {"customer": customer_id, "return_url": return_url}
        if configuration := get_settings().stripe_portal_configuration:
            params["configuration"] = configuration
        return Portal(_call(lambda: self._client.v1.billing_portal.sessions.create(params)).url)

    def refund(
        self, payment_intent: str, amount_minor: int, *, reason: str, metadata: Mapping[str, str], key: str
    ) -> Refund:
        """Return a payment or part of it, in minor units of its own currency. The same key gives the same refund."""
        params: Any = {
            "payment_intent": payment_intent,
            "amount": amount_minor,
            "reason": reason,
            "metadata": dict(metadata),
        }
        return _read(Refund, _call(lambda: self._client.v1.refunds.create(params, {"idempotency_key": key})))

    def retrieve_refund(self, refund_id: str) -> Refund:
        """One refund as it is now."""
        return _read(Refund, _call(lambda: self._client.v1.refunds.retrieve(refund_id)))

    def retrieve_refunds(self, payment_intent: str) -> list[Refund]:
        """All refunds of a payment, latest first."""
        params: Any = {"payment_intent": payment_intent, "limit": 100}
        page = _call(lambda: self._client.v1.refunds.list(params))
        return [_read(Refund, refund) for refund in page.data]

    def held_sessions(self, since: datetime) -> list[HeldSession]:
        """Every page made since then that is open or complete, latest first, with what was paid and returned."""
        expand = ["data.payment_intent.latest_charge"]
        pages = [
            self._all(
                self._client.v1.checkout.sessions.list,
                {"status": status, "created": {"gte": int(since.timestamp())}, "expand": expand},
            )
            for status in ("open", "complete")
        ]
        return [HeldSession.read(found) for page in pages for found in page]

    def refunds_since(self, since: datetime) -> list[Refund]:
        """Every refund made since then, latest first."""
        found = self._all(self._client.v1.refunds.list, {"created": {"gte": int(since.timestamp())}})
        return [Refund.model_validate(refund) for refund in found]

    def _all(self, fetch: Callable[[Any], Any], params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Page after page of a list, a hundred at a time."""
        asked = {**params, "limit": 100}
        while True:
            page = _call(partial(fetch, asked))
            yield from (found.to_dict() for found in page.data)
            if not page.has_more:
                return
            asked["starting_after"] = page.data[-1].id

    def retrieve_event(self, event_id: str) -> Event:
        """An event by its id, as Stripe has it. Stripe keeps events for 30 days."""
        return _read(Event, _call(lambda: self._client.v1.events.retrieve(event_id)))

    def undelivered_events(self, types: Sequence[str], since: datetime) -> list[Event]:
        """Events of these types that no endpoint has accepted yet, oldest first. At most 20 types, 1,000 events."""
        params = {"types": list(types), "delivery_success": False, "created": {"gte": int(since.timestamp())}}
        made = list(islice(self._all(self._client.v1.events.list, params), 1000))
        return [Event.model_validate(event) for event in reversed(made)]


def _read(model: type[M], made: stripe.StripeObject) -> M:
    """Stripe's object as ours. One that isn't as we know it leaves us as wise as no answer."""
    try:
        return model.model_validate(made.to_dict())
    except ValidationError:
        raise GatewayDown(f"unreadable {model.__name__}") from None


@cache
def gateway() -> Gateway:
    """The process's connection.

    Raises:
        GatewayDown: no key is configured, which only development allows.
    """
    settings = get_settings()
    key = settings.stripe_secret_key.get_secret_value()
    if not key:
        raise GatewayDown("no STRIPE_SECRET_KEY")
    return Gateway(key, settings.stripe_api_base)


def signed_by(payload: bytes, header: str, secrets: Sequence[str]) -> int | None:
    """Which secret signed this body just now: its position, or None when none did."""
    stamp = re.match(r"t=(\d{1,12}),", header)
    if stamp is None or abs(int(stamp.group(1)) - time.time()) > SIGNATURE_SECONDS:
        return None
    for position, secret in enumerate(secrets):
        if _verified(payload, header, secret):
            return position
    return None


def _verified(payload: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(payload.decode(), header, secret, SIGNATURE_SECONDS)
    except Exception:  # noqa: BLE001 - a forged header makes the SDK raise nearly anything, and none of it is ours
        return False
    return True
