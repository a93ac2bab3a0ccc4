"""Every setting of the product, read once from the environment and `.env`, and refused as a whole when it is unsafe.

`.env.example` explains each one to the person who fills it in; a test keeps the two in step.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDERS = ("changeme", "change-me", "xxx", "your_", "your-", "...", "placeholder", "<")
SHORTEST_TOKEN = 20
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SettingsError(Exception):
    """The settings can't be used. `faults` holds one sentence for each thing to mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """One frozen object for the whole process. Amounts are in minor units, durations say their unit."""

    model_config = SettingsConfigDict(env_file=".env", frozen=True, extra="ignore", env_ignore_empty=True)

    environment: Literal["development", "test", "production"] = "development"
    public_url: str = "http://localhost:8000"
    data_dir: Path = Path(".teleconsult")
    database_url: str = ""
    redis_url: str = ""
    photo_store_url: str = ""
    trusted_proxy_hops: int = Field(default=0, ge=0, le=5)
    run_worker: bool = True

    stripe_secret_key: SecretStr = SecretStr("")
    stripe_publishable_key: str = ""
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_price_id: str = ""
    stripe_payment_methods: str = "card"
    stripe_portal_configuration: str = ""
    stripe_api_base: str = ""

    sentry_dsn: SecretStr = SecretStr("")
    sentry_url: str = "https://sentry.io"
    sentry_org: str = ""
    sentry_project: str = ""
    sentry_auth_token: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "Teleconsult <no-reply@localhost>"

    price_minor: int = Field(default=4900, gt=0)
    currency: str = Field(default="eur", pattern="^[a-z]{3}$")
    vat_percent: int = Field(default=19, ge=0, le=40)
    answer_hours: int = Field(default=48, gt=0, le=240)
    followup_days: int = Field(default=14, gt=0, le=90)
    emergency_number: str = "112"

    @field_validator("public_url", "stripe_api_base", "sentry_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        faults = [*_url_faults(self), *_stripe_faults(self), *_monitoring_faults(self)]
        if self.production:
            faults += _production_faults(self)
        if faults:
            raise SettingsError(faults)
        return self

    @property
    def production(self) -> bool:
        """Whether real people and real money are at stake."""
        return self.environment == "production"

    @property
    def secure(self) -> bool:
        """Whether the site is reached by https, so that cookies may demand it."""
        return self.public_url.startswith("https://")

    @property
    def livemode(self) -> bool:
        """Stripe's word for real money: decided by the key, compared with every object Stripe sends."""
        return self.stripe_secret_key.get_secret_value().startswith(("sk_live_", "rk_live_"))

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """All secrets accepted at the moment: two while one is being rolled."""
        raw = self.stripe_webhook_secret.get_secret_value()
        return tuple(part.strip() for part in raw.split(",") if part.strip())

    @property
    def payment_methods(self) -> tuple[str, ...]:
        """Stripe's names of the ways to pay that a payment page offers."""
        return tuple(part.strip() for part in self.stripe_payment_methods.split(",") if part.strip())

    @property
    def host(self) -> str:
        """Host and port a browser sends, for example `localhost:8000`."""
        return urlsplit(self.public_url).netloc


def _url_faults(s: Settings) -> list[str]:
    parts = urlsplit(s.public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        return [f"PUBLIC_URL must look like https://clinic.example, without a path; it is {s.public_url!r}."]
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return ["PUBLIC_URL must begin with https:// unless it is on localhost: sign-in cookies would travel in clear."]
    return []


def _stripe_faults(s: Settings) -> list[str]:
    key, faults = s.stripe_secret_key.get_secret_value(), []
    if key and not key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        faults.append("STRIPE_SECRET_KEY must begin with sk_test_, sk_live_, rk_test_ or rk_live_.")
    if key and not s.webhook_secrets:
        faults.append(
            "STRIPE_WEBHOOK_SECRET is missing: without it no payment can be confirmed. `stripe listen` prints one."
        )
    if s.webhook_secrets and not key:
        faults.append(
            "STRIPE_WEBHOOK_SECRET is set but STRIPE_SECRET_KEY is not: set both, or neither for the sandbox."
        )
    faults += [
        "STRIPE_WEBHOOK_SECRET must hold secrets beginning with whsec_, separated by commas."
        for secret in s.webhook_secrets[:1]
        if not all(part.startswith("whsec_") for part in s.webhook_secrets)
    ]
    public = s.stripe_publishable_key
    if public and key and ("_live_" in public) != ("_live_" in key):
        faults.append(
            "STRIPE_PUBLISHABLE_KEY and STRIPE_SECRET_KEY are of different modes: use both test or both live keys."
        )
    if not s.payment_methods or not all(re.fullmatch("[a-z0-9_]+", method) for method in s.payment_methods):
        faults.append("STRIPE_PAYMENT_METHODS must hold Stripe's names, separated by commas: card, sepa_debit.")
    if s.stripe_price_id and not s.stripe_price_id.startswith("price_"):
        faults.append("STRIPE_PRICE_ID must begin with price_.")
    if s.stripe_portal_configuration and not s.stripe_portal_configuration.startswith("bpc_"):
        faults.append("STRIPE_PORTAL_CONFIGURATION must begin with bpc_.")
    if s.stripe_api_base and urlsplit(s.stripe_api_base).hostname not in LOOPBACK:
        faults.append("STRIPE_API_BASE is only for a sandbox on this machine; leave it empty to talk to Stripe.")
    if s.stripe_api_base and s.livemode:
        faults.append("STRIPE_API_BASE points at a sandbox, but STRIPE_SECRET_KEY is a live key.")
    return faults


def _monitoring_faults(s: Settings) -> list[str]:
    faults, sentry = [], urlsplit(s.sentry_url)
    if not sentry.hostname or (sentry.scheme != "https" and sentry.hostname not in LOOPBACK):
        faults.append("SENTRY_URL must begin with https://: a token is sent there.")
    token = s.metrics_token.get_secret_value()
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        faults.append(f"METRICS_TOKEN must be {SHORTEST_TOKEN} or more plain characters without spaces.")
    return faults


def _production_faults(s: Settings) -> list[str]:
    faults = []
    needed = {
        "DATABASE_URL": s.database_url,
        "STRIPE_SECRET_KEY": s.stripe_secret_key.get_secret_value(),
        "STRIPE_WEBHOOK_SECRET": s.stripe_webhook_secret.get_secret_value(),
        "SMTP_URL": s.smtp_url.get_secret_value(),
        "SENTRY_DSN": s.sentry_dsn.get_secret_value(),
    }
    faults += [f"{name} must be set in production." for name, value in needed.items() if not value]
    faults += [
        f"{name} still holds a placeholder: fill in the real value."
        for name, value in needed.items()
        if any(mark in value.lower() for mark in PLACEHOLDERS)
    ]
    if s.stripe_api_base:
        faults.append("STRIPE_API_BASE must be empty in production: the sandbox moves no money.")
    if not s.secure:
        faults.append("PUBLIC_URL must begin with https:// in production.")
    return faults


@cache
def get_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: with one sentence for each fault, to be shown to the person who starts the app.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError([_sentence(e["loc"], e["msg"]) for e in error.errors()]) from None


def _sentence(loc: tuple[int | str, ...], message: str) -> str:
    name = str(loc[0]).upper() if loc else "A setting"
    return f"{name}: {message[:1].lower()}{message[1:]}."
