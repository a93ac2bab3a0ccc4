"""The command line in this process, against the sandbox and the database."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from teleconsult.billing import account
from teleconsult.ops import cli
from tests.sandbox_process import KEY, SECRET, Sandbox
from tests.support import fresh_settings, full_draft, person

SITE = "https://clinic.example"


@dataclass
class Ran:
    """What one command came to."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> Any:
        """The answer to `--json`."""
        return json.loads(self.out)


Command = Callable[..., Ran]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """`command("stripe", "doctor")` runs it. Logging is put back after each."""

    def run(*words: str) -> Ran:
        capsys.readouterr()
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            code = cli.main(words)
        except SystemExit as left:  # argparse leaves so
            code = int(str(left.code))
        finally:
            root.handlers, root.level = handlers, level
            structlog.reset_defaults()
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def shop(database: str, sandbox: Sandbox) -> Sandbox:
    """An empty sandbox and an empty database, as a site on the internet sees them."""
    assert database
    fresh_settings(STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=sandbox.base, PUBLIC_URL=SITE)
    return sandbox


@pytest.fixture
def patient(shop: Sandbox) -> uuid.UUID:
    """Somebody to pay."""
    assert shop
    return person()


@pytest.fixture
def draft(patient: uuid.UUID) -> uuid.UUID:
    """A complete draft."""
    return full_draft(patient)


def webhook_url() -> str:
    """Where Stripe must send events."""
    return account.webhook_url()
