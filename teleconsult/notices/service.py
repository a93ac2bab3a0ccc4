"""Sending e-mail: promised in a transaction, delivered by a job, at least once and recognisable when twice."""

from __future__ import annotations

import smtplib
import ssl
import uuid
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import insert
from sqlmodel import Session

from teleconsult import jobs
from teleconsult.db import transaction, utcnow
from teleconsult.notices.models import Notice
from teleconsult.notices.templates import compose
from teleconsult.settings import Settings, get_settings

SMTP_SECONDS = 20


_PROMISE = insert(Notice)


def send_later(tx: Session, kind: str, recipient: str, **facts: str) -> uuid.UUID:
    """Promise one e-mail within the caller's transaction. `kind` is a key of `templates.LETTERS`."""
    notice_id = uuid.uuid4()
    row = {"id": notice_id, "kind": kind, "recipient": recipient, "facts": facts, "created_at": utcnow()}
    tx.connection().execute(_PROMISE, row)
    jobs.defer(tx, send, notice_id=str(notice_id))
    return notice_id


@jobs.app.task(name="notices.send", retry=jobs.PERSISTENT, queue="mail")
def send(notice_id: str) -> None:
    """Deliver one promised e-mail. A crash between delivery and the mark sends it again with the same Message-ID."""
    with transaction() as tx:
        notice = tx.get(Notice, uuid.UUID(notice_id))
    if notice is None or notice.sent_at:
        return
    _deliver(_message(notice, get_settings()), get_settings())
    with transaction() as tx:
        sent = tx.get_one(Notice, notice.id)
        sent.sent_at = utcnow()


def _message(notice: Notice, settings: Settings) -> EmailMessage:
    email = compose(notice.kind, notice.facts, settings.public_url, settings.emergency_number)
    message = EmailMessage()
    message["Subject"] = email.subject
    message["From"] = settings.mail_from
    message["To"] = notice.recipient
    message["Date"] = format_datetime(notice.created_at)
    message["Message-ID"] = f"<{notice.id}@{urlsplit(settings.public_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    return message


def outbox(settings: Settings) -> Path:
    """Where e-mail lies when no SMTP_URL is set: one `.eml` file each, readable by any mail program."""
    return settings.data_dir / "outbox"


def _deliver(message: EmailMessage, settings: Settings) -> None:
    url = settings.smtp_url.get_secret_value()
    if not url:
        folder = outbox(settings)
        folder.mkdir(parents=True, exist_ok=True)
        name = str(message["Message-ID"]).strip("<>").split("@")[0]
        (folder / f"{name}.eml").write_bytes(bytes(message))
        return
    with _connect(url) as smtp:
        smtp.send_message(message)


def _connect(url: str) -> smtplib.SMTP:
    """`smtps://` speaks TLS from the start; `smtp://` upgrades by STARTTLS wherever the server offers it."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SMTP_SECONDS, context=tls)
    else:
        smtp = smtplib.SMTP(host, parts.port or 25, timeout=SMTP_SECONDS)
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=tls)
            smtp.ehlo()
    if parts.username:
        smtp.login(unquote(parts.username), unquote(parts.password or ""))
    return smtp
