"""How every control reads what it is asked, and answers a program or a person."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from teleconsult.sandbox import clockwork
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import MANNERS, Manner
from teleconsult.sandbox.errors import StripeError, invalid

Asked = dict[str, Any]
Act = Callable[[Request, Asked], Awaitable[dict[str, Any]]]
T = TypeVar("T", int, float)


@dataclass
class Part:
    """A family of controls of one sandbox."""

    sandbox: Sandbox

    def post(self, path: str, act: Act) -> Route:
        """A control: what it returns is its answer, and a refusal is one in Stripe's form. Changes are kept."""

        async def handle(request: Request) -> Response:
            if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
                return JSONResponse({"error": {"message": "Another site can't press these buttons."}}, 403)
            asked = await _read(request)
            clockwork.run_due(self.sandbox)
            try:
                answer = await act(request, asked)
            except StripeError as error:
                return _refused(request, asked, error)
            finally:
                self.sandbox.store.save()
            return _done(request, asked, answer)

        return Route(path, handle, methods=["POST"])


def manner(asked: Asked) -> Manner:
    """How the events of an act arrive: `{"webhook": "normal|late|twice|never", "delay": seconds}`."""
    wanted = asked.get("webhook", "normal")
    if wanted not in MANNERS:
        raise invalid(f"Invalid webhook: must be one of {', '.join(MANNERS)}", param="webhook")
    found = MANNERS[wanted]
    return Manner(found.times, number(asked, "delay", found.delay)) if wanted == "late" else found


def number(asked: Asked, name: str, otherwise: T) -> T:
    """A figure of the kind of its default; a form sends text.

    Raises:
        StripeError: when it isn't one.
    """
    given = asked.get(name)
    if given in (None, ""):
        return otherwise
    try:
        return type(otherwise)(given)
    except (TypeError, ValueError):
        raise invalid(f"Invalid {name}: {given}", param=name) from None


def amount(asked: Asked) -> int | None:
    """`amount` in minor units, if one was given."""
    return number(asked, "amount", 0) if asked.get("amount") not in (None, "") else None


async def _read(request: Request) -> Asked:
    """A JSON hash, or the fields of a form.

    An empty body is an empty hash: most controls need nothing said.
    """
    body = await request.body()
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _done(request: Request, asked: Asked, answer: dict[str, Any]) -> Response:
    """JSON for a program; for a person who pressed a button, the view they were on, and a word about it."""
    return _back(asked, "Done.") if _is_person(request) else JSONResponse(answer)


def _refused(request: Request, asked: Asked, error: StripeError) -> Response:
    return _back(asked, str(error)) if _is_person(request) else JSONResponse(error.body, error.status)


def _back(asked: Asked, said: str) -> Response:
    address, _, anchor = str(asked.get("back", "/")).partition("#")
    here = address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"
    joint = "&" if "?" in here else "?"
    return RedirectResponse(f"{here}{joint}{urlencode({'said': said})}#{quote(anchor)}", status_code=303)
