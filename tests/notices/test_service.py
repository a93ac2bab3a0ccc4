"""E-mail: promised by the commit, delivered by the job, over a real SMTP server on loopback or into the outbox."""

from __future__ import annotations

import asyncio
import email
import uuid
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import text

from teleconsult import jobs
from teleconsult.db import transaction
from teleconsult.notices import service
from teleconsult.notices.models import Notice
from teleconsult.notices.templates import LETTERS, compose
from tests.sandbox_process import free_port
from tests.support import fresh_settings

FACTS = {"ref": "TC-7Q4MX", "amount": "€49.00", "due": "Thursday 27 November, 14:30 (GMT)"}


class Postbox:
    """What arrived, as bytes; refuses the first `refuse` letters."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.refuse = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """One letter."""
        if self.refuse:
            self.refuse -= 1
            return "451 come back later"
        self.arrived.append(bytes(envelope.content or b""))
        return "250 OK"


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A mail server, and the setting that points at it."""
    box, port = Postbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    fresh_settings(SMTP_URL=f"smtp://127.0.0.1:{port}")
    yield box
    server.stop()
    fresh_settings(SMTP_URL="")


def promise() -> uuid.UUID:
    """One mail, committed."""
    with transaction() as tx:
        return service.send_later(tx, "payment_received", "jane@example.com", **FACTS)


def waiting() -> int:
    """Jobs that have not succeeded."""
    with transaction() as tx:
        query = text("select count(*) from procrastinate_jobs where status <> 'succeeded'")
        return tx.connection().execute(query).scalar_one()


def words(message: Message, kind: str) -> str:
    """The text of one part."""
    return next(p.get_payload(decode=True).decode() for p in message.walk() if p.get_content_type() == kind)  # type: ignore[union-attr]


@pytest.mark.usefixtures("database")
def test_mail_arrives_after_the_commit(postbox: Postbox) -> None:
    promised = promise()
    assert postbox.arrived == []
    asyncio.run(jobs.drain())
    [raw] = postbox.arrived
    message = email.message_from_bytes(raw)
    assert message["To"] == "jane@example.com"
    assert message["Message-ID"] == f"<{promised}@localhost>"
    for kind in ("text/plain", "text/html"):
        assert "TC-7Q4MX" in words(message, kind)
        assert "€49.00" in words(message, kind)
    assert waiting() == 0


@pytest.mark.usefixtures("database")
def test_rolled_back_promise_sends_nothing(postbox: Postbox) -> None:
    def promise_and_fail() -> None:
        with transaction() as tx:
            service.send_later(tx, "payment_received", "jane@example.com", **FACTS)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        promise_and_fail()
    asyncio.run(jobs.drain())
    assert postbox.arrived == []
    assert waiting() == 0


@pytest.mark.usefixtures("database")
def test_mail_server_that_refuses_gets_it_again(postbox: Postbox) -> None:
    promise()
    postbox.refuse = 1
    asyncio.run(jobs.drain())
    assert postbox.arrived == []
    assert waiting() == 1
    with transaction() as tx:
        tx.connection().execute(text("update procrastinate_jobs set scheduled_at = now()"))
    asyncio.run(jobs.drain())
    assert len(postbox.arrived) == 1


@pytest.mark.usefixtures("database")
def test_crash_before_the_mark_sends_the_same_message_id_again(postbox: Postbox) -> None:
    promised = promise()
    service.send.func(str(promised))
    with transaction() as tx:
        tx.get_one(Notice, promised).sent_at = None  # as if the process had died here
    service.send.func(str(promised))
    service.send.func(str(promised))
    ids = [email.message_from_bytes(raw)["Message-ID"] for raw in postbox.arrived]
    assert ids == [f"<{promised}@localhost>"] * 2


@pytest.mark.usefixtures("database")
def test_without_a_mail_server_it_lies_in_the_outbox(tmp_path: Path) -> None:
    fresh_settings(DATA_DIR=str(tmp_path))
    promised = promise()
    service.send.func(str(promised))
    letter = email.message_from_bytes((tmp_path / "outbox" / f"{promised}.eml").read_bytes())
    assert letter["Subject"]


@pytest.mark.parametrize("kind", LETTERS)
def test_no_letter_says_what_it_is_about(kind: str) -> None:
    letter = compose(kind, FACTS, "https://clinic.example", "112")
    said = (letter.subject + letter.text + letter.html).lower()
    for word in ("skin", "derma", "rash", "photo", "diagnos", "symptom", "doctor"):
        assert word not in said
    assert "https://clinic.example/consultations" in letter.text
    assert FACTS["ref"] in letter.subject


def test_facts_are_escaped_in_html() -> None:
    letter = compose("case_update", {"ref": "<script>"}, "https://clinic.example", "112")
    assert "<script>" not in letter.html
