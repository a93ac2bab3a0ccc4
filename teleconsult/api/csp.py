"""The headers every answer carries, above all the Content-Security-Policy of the compiled pages.

The build leaves a few inline scripts in each page. Their hashes are computed once at start from the files themselves,
so the policy needs neither `'unsafe-inline'` nor `'unsafe-eval'` for scripts and follows every new build.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from teleconsult.api.documents import documents

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)

NOT_A_PAGE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""For JSON, photos, and an SVG or script opened by itself: nothing in it may run or load."""

PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=(), browsing-topics=()"
"""Taking a photo with a file field needs no permission from us."""

STRANGERS_OUT = {
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: under it browsers send `Origin: null` with our own form posts, which the CSRF check refuses.
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": PERMISSIONS,
}
"""On every answer, unless the route has said something else itself."""

HSTS = "max-age=63072000"
"""Two years of https only, once reached by https."""


def page_policy(pages: Path | None) -> str:
    """The policy of the compiled pages in this folder.

    `style-src` needs `'unsafe-inline'` because React writes style attributes. Same-origin websockets are `'self'`.
    """
    scripts = " ".join(["'self'", *inline_script_hashes(pages)])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ]
    )


def inline_script_hashes(pages: Path | None) -> list[str]:
    """A `'sha256-…'` source for every inline script of every page, sorted."""
    found = {script for page in documents(pages) for script in _INLINE_SCRIPT.findall(page.read_text("utf-8"))}
    return sorted(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in found)
