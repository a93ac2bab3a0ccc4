"""Check everything between Stripe and us, one line each: ok, warn or fail, and what to do about it. Changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from datetime import timedelta

from teleconsult.billing import account, pulse, webhook
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.billing.objects import API_VERSION, Endpoint, PortalConfiguration
from teleconsult.billing.rules import money
from teleconsult.db import utcnow
from teleconsult.ops import answers
from teleconsult.ops.answers import Answer
from teleconsult.ops.durations import spoken
from teleconsult.settings import LOOPBACK, Settings, get_settings

SKEW_WARN, SKEW_FAIL = 60, 240
"""Seconds our clock may be off: signatures are refused from 300 on."""

OK, WARN, FAIL = "ok", "warn", "fail"
RUN_SETUP = "Run `teleconsult stripe setup`."


@dataclass(frozen=True)
class Check:
    """One finding. `todo` is empty when there is nothing to do."""

    name: str
    status: str
    text: str
    todo: str = ""


def arguments(parser: ArgumentParser) -> None:
    """Nothing of its own."""
    answers.arguments(parser)


@answers.answering
def run(_args: Namespace) -> Answer:
    """Check in the order in which one thing needs another."""
    settings = get_settings()
    checks = [_key(settings), _secret(settings)]
    try:
        checks.append(_clock(account.clock_skew()))
    except (GatewayDown, GatewayRefused) as error:
        checks.append(_unreachable(error))
    else:
        checks += [_guarded(*look) for look in _at_stripe(settings)]
    checks += [*_here()]
    fine = all(check.status != FAIL for check in checks)
    return Answer([*_lines(checks)], {"checks": [asdict(check) for check in checks]}, fine)


def _lines(checks: list[Check]) -> Generator[str]:
    for check in checks:
        yield f"{check.status:<6}{check.name:<13}{check.text}"
        if check.todo:
            yield f"{'':<19}{check.todo}"
    bad, odd = (sum(check.status == status for check in checks) for status in (FAIL, WARN))
    yield ""
    yield f"{bad} to mend, {odd} to look at." if bad or odd else "All is well."


def _key(settings: Settings) -> Check:
    key = settings.stripe_secret_key.get_secret_value()
    if not key:
        todo = "Set STRIPE_SECRET_KEY, or start `teleconsult up`, which runs a sandbox."
        return Check("key", FAIL, "STRIPE_SECRET_KEY is not set", todo)
    mode = "live" if settings.livemode else "test"
    if settings.stripe_api_base:
        return Check("key", OK, f"the sandbox at {settings.stripe_api_base} stands in for Stripe")
    if settings.production and not settings.livemode:
        return Check("key", FAIL, "a test key in production: nobody is charged", "Set live keys and a live secret.")
    if settings.livemode and not settings.production:
        todo = "Use test keys, unless this is a rehearsal you mean."
        return Check("key", WARN, f"a live key in {settings.environment}: cards are charged", todo)
    return Check("key", OK, f"a {mode} key in {settings.environment}")


def _secret(settings: Settings) -> Check:
    count = len(settings.webhook_secrets)
    if count == 0:
        return Check("secret", FAIL, "STRIPE_WEBHOOK_SECRET is not set: every event is refused", RUN_SETUP)
    if count > 1:
        todo = "Remove the old one when teleconsult_webhook_secret_total counts only the new one."
        return Check("secret", WARN, f"{count} secrets are accepted", todo)
    return Check("secret", OK, "one secret")


def _clock(skew: int) -> Check:
    """A clock that is off makes good signatures look forged. HTTP dates have whole seconds, so one is nothing."""
    off = abs(skew)
    text = f"{off} s {'ahead of' if skew > 0 else 'behind'} Stripe’s"
    if off < SKEW_WARN:
        return Check("clock", OK, "Stripe answers, and our clock agrees with it")
    status = FAIL if off >= SKEW_FAIL else WARN
    return Check("clock", status, f"our clock is {text}", "Let NTP set it: from 300 s on, every event is refused.")


def _unreachable(error: GatewayDown | GatewayRefused) -> Check:
    if isinstance(error, GatewayDown):
        return Check("reach", FAIL, f"Stripe doesn’t answer ({error})", "See status.stripe.com, then our own network.")
    return Check("reach", FAIL, f"Stripe refuses our key ({error})", "Copy STRIPE_SECRET_KEY again.")


def _at_stripe(settings: Settings) -> list[tuple[str, Callable[[Settings], Check], Settings]]:
    looks = {"price": _price, "portal": _portal, "endpoint": _endpoint, "undelivered": _undelivered}
    return [(name, look, settings) for name, look in looks.items()]


def _guarded(name: str, look: Callable[[Settings], Check], settings: Settings) -> Check:
    """One look that fails doesn't hide the others."""
    try:
        return look(settings)
    except GatewayDown as error:
        return Check(name, FAIL, f"Stripe didn’t answer this one ({error})", "Try again.")
    except GatewayRefused as error:
        return Check(name, FAIL, f"Stripe refused to tell ({error})", "Does a restricted key lack a permission?")


def _price(settings: Settings) -> Check:
    wanted = money(settings.price_minor, settings.currency)
    if not settings.stripe_price_id:
        return Check("price", OK, f"{wanted}, sent with each payment")
    found = account.retrieve_price(settings.stripe_price_id)
    if (found.unit_amount, found.currency, found.type) != (settings.price_minor, settings.currency, "one_time"):
        there = money(found.unit_amount or 0, found.currency)
        todo = f"{RUN_SETUP} Until then no payment page opens."
        return Check("price", FAIL, f"Stripe has {there}, we show {wanted}", todo)
    if not found.active:
        return Check("price", FAIL, f"{settings.stripe_price_id} is archived: no payment page opens", RUN_SETUP)
    return Check("price", OK, f"{wanted}, as at Stripe")


def _portal(settings: Settings) -> Check:
    wanted = settings.stripe_portal_configuration
    found = next((p for p in account.portal_configurations() if (p.id == wanted if wanted else p.is_default)), None)
    if found is None:
        what = f"{wanted} is not at Stripe" if wanted else "no configuration: “Manage billing” doesn’t open"
        return Check("portal", FAIL, what, RUN_SETUP)
    missing = _missing(found)
    if missing:
        return Check("portal", WARN, f"{' and '.join(missing)} switched off", RUN_SETUP)
    return Check("portal", OK, "offers receipts and the card")


def _missing(found: PortalConfiguration) -> list[str]:
    offers = {"receipts": found.features.invoice_history, "changing the card": found.features.payment_method_update}
    return [name for name, feature in offers.items() if not feature.enabled]


def _endpoint(settings: Settings) -> Check:
    url = account.webhook_url()
    if settings.host.partition(":")[0] in LOOPBACK:
        return Check("endpoint", OK, "on this machine: events come by `stripe listen` or from the sandbox")
    here = [found for found in account.endpoints() if found.url == url]
    if not here:
        return Check("endpoint", FAIL, f"none for {url}: only the sweep brings payments in", RUN_SETUP)
    current = next((found for found in here if found.api_version == API_VERSION), None)
    if current is None:
        version = here[0].api_version or "the account’s default version"
        return Check("endpoint", WARN, f"speaks {version}, we read {API_VERSION}", RUN_SETUP)
    return _subscribed(current)


def _subscribed(found: Endpoint) -> Check:
    if found.status != "enabled":
        todo = f"Mend what made it fail first, then: {RUN_SETUP}"
        return Check("endpoint", FAIL, f"{found.status} at Stripe: no event comes", todo)
    lacks, extra = webhook.OURS - set(found.enabled_events), set(found.enabled_events) - webhook.OURS
    if lacks and "*" not in found.enabled_events:
        return Check("endpoint", FAIL, f"not subscribed to {', '.join(sorted(lacks))}", RUN_SETUP)
    if extra:
        return Check("endpoint", WARN, f"sends events nobody needs: {', '.join(sorted(extra))}", RUN_SETUP)
    return Check("endpoint", OK, f"{found.url}, {len(webhook.OURS)} events, {API_VERSION}")


def _undelivered(_settings: Settings) -> Check:
    """Stripe calls an event undelivered also after we have fetched it: only those we don't know count."""
    waiting = gateway().undelivered_events(sorted(webhook.OURS), utcnow() - timedelta(days=3))
    unseen = pulse.unseen([event.id for event in waiting])
    if not unseen:
        return Check("undelivered", OK, "no event waits at Stripe")
    todo = "The sweep fetches them; `teleconsult stripe reconcile` does it now."
    return Check("undelivered", WARN, f"{unseen} of the last 3 days never reached us", todo)


def _here() -> Generator[Check]:
    seen = pulse.read()
    if seen.last_event_age is None:
        yield Check("last event", WARN if seen.swept else OK, "none so far")
    elif seen.swept:
        text = f"{spoken(seen.last_event_age)} ago, and {seen.swept} payments since then came by the sweep alone"
        yield Check("last event", FAIL, text, "Stripe’s events don’t arrive: check the endpoint and its recent tries.")
    else:
        yield Check("last event", OK, f"{spoken(seen.last_event_age)} ago")
    if seen.quarantined:
        text = f"{seen.quarantined} waiting for a person"
        yield Check("quarantine", FAIL, text, "`teleconsult stripe quarantine` lists them.")
    else:
        yield Check("quarantine", OK, "empty")
