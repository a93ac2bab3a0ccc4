"""Make what this installation needs at Stripe: product, price, customer portal and webhook endpoint.

Safe to repeat: what is there and right stays, what has drifted is mended, what is missing is made. Nothing of other
software in the same account is touched. A new endpoint's signing secret is printed once and stored nowhere.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from teleconsult.billing import account, webhook
from teleconsult.billing.objects import API_VERSION, Endpoint
from teleconsult.billing.rules import ITEM, money
from teleconsult.ops import answers
from teleconsult.ops.answers import Answer
from teleconsult.settings import LOOPBACK, get_settings

EVENTS = tuple(sorted(webhook.OURS))


@dataclass
class Step:
    """One thing at Stripe. `state` is kept, made, mended, removed or skipped."""

    name: str
    state: str
    text: str
    id: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    """What belongs into the settings because of it."""


def arguments(parser: ArgumentParser) -> None:
    """One question can only be answered by a person: whether an outdated endpoint may go."""
    answers.arguments(parser, dry_run=True)
    parser.add_argument(
        "--remove-old", action="store_true", help="delete endpoints at our address that speak another API version"
    )


@answers.answering
def run(args: Namespace) -> Answer:
    """Bring our corner of the account to what it should be."""
    steps = [_price(args), _portal(args), *_endpoint(args)]
    wanted = {name: value for step in steps for name, value in step.settings.items()}
    lines = [f"{step.name:<10}{_state(step, args):<14}{step.text}" for step in steps]
    if wanted:
        lines += ["", "Put into the settings of every process, then restart them:"]
        lines += [f"  {name}={value}" for name, value in wanted.items()]
    return Answer(lines, {"dry_run": args.dry_run, "steps": [asdict(step) for step in steps], "settings": wanted})


def _state(step: Step, args: Namespace) -> str:
    planned = args.dry_run and step.state not in ("kept", "skipped")
    return f"would be {step.state}" if planned else step.state


def _price(args: Namespace) -> Step:
    settings = get_settings()
    cost = money(settings.price_minor, settings.currency)
    found = account.find_price()
    if found and (found.unit_amount, found.currency) == (settings.price_minor, settings.currency):
        return _product_of(found.product, found.id, cost, args)
    if args.dry_run:
        return Step("price", "mended" if found else "made", f"{ITEM}, {cost}")
    product = found.product if found else (account.find_product() or account.create_product()).id
    account.mend_product(product)
    made = account.create_price(product, settings.price_minor, settings.currency)
    if found:
        account.retire_price(found.id)
    text = f"{ITEM}, {cost}" + (f", instead of {money(found.unit_amount or 0, found.currency)}" if found else "")
    return Step("price", "mended" if found else "made", text, made.id, _setting("STRIPE_PRICE_ID", made.id))


def _product_of(product_id: str, price_id: str, cost: str, args: Namespace) -> Step:
    product = account.retrieve_product(product_id)
    right = product.active and product.name == ITEM
    if not right and not args.dry_run:
        account.mend_product(product_id)
    state = "kept" if right else "mended"
    return Step("price", state, f"{ITEM}, {cost}", price_id, _setting("STRIPE_PRICE_ID", price_id))


def _portal(args: Namespace) -> Step:
    mine = [found for found in account.portal_configurations() if account.ours(found.metadata)]
    if not mine:
        made = "" if args.dry_run else account.create_portal_configuration().id
        return Step("portal", "made", "receipts and card", made, _setting("STRIPE_PORTAL_CONFIGURATION", made))
    portal = mine[0]
    right = portal.features.invoice_history.enabled and portal.features.payment_method_update.enabled
    if not right and not args.dry_run:
        account.mend_portal_configuration(portal.id)
    wanted = _setting("STRIPE_PORTAL_CONFIGURATION", portal.id)
    return Step("portal", "kept" if right else "mended", "receipts and card", portal.id, wanted)


def _endpoint(args: Namespace) -> list[Step]:
    """The endpoint, and those at the same address that are of another version."""
    url = account.webhook_url()
    if any(url.startswith((f"http://{host}", f"https://{host}")) for host in LOOPBACK):
        text = "PUBLIC_URL is on this machine, which Stripe can’t reach: use `stripe listen` or the sandbox"
        return [Step("endpoint", "skipped", text)]
    here = [found for found in account.endpoints() if found.url == url]
    current = [found for found in here if found.api_version == API_VERSION]
    step = _kept(current[0], args) if current else _made(url, args)
    return [step, *(_old(found, args) for found in here if found.api_version != API_VERSION)]


def _made(url: str, args: Namespace) -> Step:
    if args.dry_run:
        return Step("endpoint", "made", f"{url} at {API_VERSION}")
    made = account.create_endpoint(url, EVENTS)
    known = ",".join(get_settings().webhook_secrets)
    secret = made.secret.get_secret_value()
    settings = {"STRIPE_WEBHOOK_SECRET": f"{known},{secret}" if known else secret}
    text = f"{url} at {API_VERSION}. Its secret is shown now and never again"
    return Step("endpoint", "made", text, made.id, settings)


def _kept(found: Endpoint, args: Namespace) -> Step:
    faults = [] if found.status == "enabled" else [found.status]
    faults += [f"+{event}" for event in sorted(set(EVENTS) - set(found.enabled_events))]
    faults += [f"-{event}" for event in sorted(set(found.enabled_events) - set(EVENTS))]
    if faults:
        _unless(args, lambda: account.mend_endpoint(found.id, EVENTS))
    text = found.url + (f" ({', '.join(faults)})" if faults else f", {len(EVENTS)} events")
    return Step("endpoint", "mended" if faults else "kept", text, found.id)


def _old(found: Endpoint, args: Namespace) -> Step:
    text = f"{found.id} speaks {found.api_version or 'the account’s default version'}"
    if not args.remove_old:
        later = "once the new secret is in use, remove it with --remove-old"
        return Step("endpoint", "kept", f"{text}; {later}", found.id)
    _unless(args, lambda: account.delete_endpoint(found.id))
    return Step("endpoint", "removed", text, found.id)


def _unless(args: Namespace, act: Callable[[], None]) -> None:
    if not args.dry_run:
        act()


def _setting(name: str, value: str) -> dict[str, str]:
    """A setting to be changed, unless it is right."""
    known = getattr(get_settings(), name.lower())
    return {name: value} if value and known != value else {}
