"""E-mail about money: to whom, and with which facts. The words are in `notices.templates`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from teleconsult.accounts.models import User
from teleconsult.billing import rules
from teleconsult.billing.models import Payment
from teleconsult.consultations.models import Consultation
from teleconsult.notices.service import send_later

_OWNER = select(User.email, User.timezone).where(col(User.id) == bindparam("owner"))


def write(tx: Session, kind: str, case: Consultation, payment: Payment, amount_minor: int | None = None) -> None:
    """Promise one e-mail to the patient. `amount_minor` is what was received when it isn't given."""
    email, timezone = tx.exec(_OWNER, params={"owner": case.user_id}).one()
    paid = payment.received_minor or payment.amount_minor
    amount = rules.money(paid if amount_minor is None else amount_minor, payment.received_currency or payment.currency)
    due = {"due": _spoken(case.due_at, timezone)} if case.due_at else {}
    send_later(tx, kind, email, ref=case.ref, amount=amount, **due)


def _spoken(moment: datetime, timezone: str) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%A} {local.day} {local:%B, %H:%M} ({local:%Z})"
