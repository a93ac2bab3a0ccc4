"""Where things are on our own site, and whether an address somebody hands us stays on it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

LANDING = "/"
SIGN_IN = "/sign-in"
SIGN_UP = "/sign-up"

ANY_ID = "new"
"""Stands for the id in the addresses of compiled pages; a consultation that doesn't exist yet has it for its own."""

HOMES = {"patient": "/consultations", "dermatologist": "/clinic", "operator": "/operations"}
"""The first page after signing in, by role."""

_VISIBLE = re.compile(r"[!-~]+")

LONGEST_NEXT = 512
"""Characters of a return address we carry around."""


def home(role: str) -> str:
    """The page a person of this role starts on."""
    return HOMES.get(role, LANDING)


def safe_next(raw: object) -> str:
    r"""The address to go back to when it is a path on our own site, else an empty string.

    Browsers read `//evil`, `/\evil` and a path with control characters as another site, so those are refused, also
    when percent-encoded (twice if need be). Never build a redirect from a request without this.
    """
    if not isinstance(raw, str) or not 1 <= len(raw) <= LONGEST_NEXT:
        return ""
    plain = unquote(unquote(raw))
    path = re.split(r"[?#]", plain, maxsplit=1)[0]
    fine = (
        _VISIBLE.fullmatch(raw)
        and _VISIBLE.fullmatch(path)
        and plain.isprintable()
        and raw.startswith("/")
        and "\\" not in plain
        and not any(odd in path for odd in ("//", "/../", "/./", ":/"))
        and not path.endswith(("/..", "/."))
        and not path.startswith(("/api", "/_"))
    )
    return raw if fine else ""


def with_next(page: str, path: str, **more: str) -> str:
    """`page` (our sign-in or sign-up) with the address to return to, when there is a safe one."""
    query = {**more, "next": safe_next(path)}
    parts = [f"{key}={quote(value, safe='/')}" for key, value in query.items() if value]
    return f"{page}?{'&'.join(parts)}" if parts else page
