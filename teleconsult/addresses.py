"""Where things are on our own site, and whether an address somebody hands us stays on it."""

from __future__ import annotations

from urllib.parse import quote, unquote

LANDING = "/"
SIGN_IN = "/sign-in"
SIGN_UP = "/sign-up"

HOMES = {"patient": "/consultations", "dermatologist": "/clinic", "operator": "/settings"}
"""The first page after signing in, by role."""

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
    for text in (raw, plain):
        if not text.startswith("/") or text.startswith("//") or "\\" in text or "://" in text.split("?")[0]:
            return ""
        if not text.isascii() or any(ord(char) < 0x21 or ord(char) == 0x7F for char in text):  # noqa: PLR2004 - ASCII
            return ""
    path = plain.split("?", 1)[0].split("#", 1)[0]
    if "//" in path or "/../" in f"{path}/" or path.startswith(("/api", "/_")):
        return ""
    return raw


def with_next(page: str, path: str, **more: str) -> str:
    """`page` (our sign-in or sign-up) with the address to return to, when there is a safe one."""
    query = {**more, "next": safe_next(path)}
    parts = [f"{key}={quote(value, safe='/')}" for key, value in query.items() if value]
    return f"{page}?{'&'.join(parts)}" if parts else page
