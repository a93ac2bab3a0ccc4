"""The words of every e-mail. None names a body site, a complaint or a doctor, not even in the preview line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from string import Template
from typing import NamedTuple


class Email(NamedTuple):
    """A finished e-mail: the same words twice, for people and for their mail programs."""

    subject: str
    text: str
    html: str


class Letter(NamedTuple):
    """What a template says, before the layout."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    action: str
    path: str
    preview: str


def payment_received(facts: Mapping[str, str]) -> Letter:
    """After the commit that queued the consultation."""
    ref, amount = facts["ref"], facts["amount"]
    return Letter(
        subject=f"We received your payment, {ref}",
        heading="Payment received",
        paragraphs=(
            f"Thank you. We received {amount} for consultation {ref}.",
            f"Expect an answer by {facts['due']}. If we are late, you can take a full refund.",
        ),
        action="See your consultation",
        path="/consultations",
        preview=f"{amount}, {ref}.",
    )


def payment_returned(facts: Mapping[str, str]) -> Letter:
    """When somebody paid twice for one consultation."""
    ref, amount = facts["ref"], facts["amount"]
    return Letter(
        subject=f"We are returning a second payment, {ref}",
        heading="You paid twice, so we are returning one payment",
        paragraphs=(
            f"Consultation {ref} was already paid for. {amount} goes back the same way you paid.",
            "Banks usually take 5 to 10 days. There is nothing you need to do.",
        ),
        action="See your consultation",
        path="/consultations",
        preview=f"{amount}, {ref}.",
    )


def payment_too_late(facts: Mapping[str, str]) -> Letter:
    """When a payment arrives for a consultation that was discarded or closed."""
    ref, amount = facts["ref"], facts["amount"]
    return Letter(
        subject=f"We are returning your payment, {ref}",
        heading="Your payment came too late, so we are returning it",
        paragraphs=(
            f"Consultation {ref} was closed before your payment arrived. {amount} goes back the same way you paid.",
            "Banks usually take 5 to 10 days. There is nothing you need to do.",
        ),
        action="See your consultations",
        path="/consultations",
        preview=f"{amount}, {ref}.",
    )


def payment_failed(facts: Mapping[str, str]) -> Letter:
    """When a bank, days later, didn't make a payment."""
    ref = facts["ref"]
    return Letter(
        subject=f"Your bank didn’t make the payment, {ref}",
        heading="Your bank didn’t make the payment",
        paragraphs=(
            f"Consultation {ref} isn’t paid for, so it hasn’t been sent yet.",
            "Your draft is saved, with everything you wrote. You can pay again whenever you like.",
        ),
        action="Go to your draft",
        path="/consultations",
        preview=f"{ref}. Your draft is saved.",
    )


def refund_sent(facts: Mapping[str, str]) -> Letter:
    """When Stripe has taken a refund, of all or of part."""
    ref, amount = facts["ref"], facts["amount"]
    return Letter(
        subject=f"Your refund is on its way, {ref}",
        heading="Your refund is on its way",
        paragraphs=(
            f"We are returning {amount} for consultation {ref}, the same way you paid.",
            "Banks usually take 5 to 10 days. There is nothing you need to do.",
        ),
        action="See your consultation",
        path="/consultations",
        preview=f"{amount}, {ref}.",
    )


def refund_failed(facts: Mapping[str, str]) -> Letter:
    """When a bank sent a refund back to us."""
    ref, amount = facts["ref"], facts["amount"]
    return Letter(
        subject=f"Your refund is delayed, {ref}",
        heading="Your refund is delayed",
        paragraphs=(
            f"Your bank didn’t take the {amount} we returned for consultation {ref}. The money is safe with us.",
            "We are looking into it and will write to you. There is nothing you need to do.",
        ),
        action="See your consultation",
        path="/consultations",
        preview=f"{amount}, {ref}. The money is safe with us.",
    )


def dispute_lost(facts: Mapping[str, str]) -> Letter:
    """When a bank has decided an objection for the patient, and so returned the money by itself."""
    ref, amount = facts["ref"], facts["amount"]
    return Letter(
        subject=f"Your bank returned your payment, {ref}",
        heading="Your bank returned your payment",
        paragraphs=(
            f"You had asked your bank to look into the {amount} for consultation {ref}. It has returned the money.",
            "There is nothing you need to do.",
        ),
        action="See your consultation",
        path="/consultations",
        preview=f"{amount}, {ref}.",
    )


def case_update(facts: Mapping[str, str]) -> Letter:
    """Answer, question and request for photos all send this same text on purpose."""
    ref = facts["ref"]
    return Letter(
        subject=f"There’s an update on {ref}",
        heading="There’s an update on your consultation",
        paragraphs=(f"Sign in to read it. Your reference is {ref}.",),
        action="Sign in to read it",
        path="/consultations",
        preview="Sign in to read it.",
    )


LETTERS: dict[str, Callable[[Mapping[str, str]], Letter]] = {
    "payment_received": payment_received,
    "payment_returned": payment_returned,
    "payment_too_late": payment_too_late,
    "payment_failed": payment_failed,
    "refund_sent": refund_sent,
    "refund_failed": refund_failed,
    "dispute_lost": dispute_lost,
    "case_update": case_update,
}


def compose(kind: str, facts: Mapping[str, str], public_url: str, emergency_number: str) -> Email:
    """The e-mail of that kind, as text and HTML."""
    letter = LETTERS[kind](facts)
    url = public_url + letter.path
    words = {
        "heading": letter.heading,
        "preview": letter.preview,
        "action": letter.action,
        "url": url,
        "shown_url": url.split("//", 1)[-1],
        "emergency": emergency_number,
        "subject": letter.subject,
    }
    paragraphs = "".join(_PARAGRAPH.substitute(text=escape(p)) for p in letter.paragraphs)
    html = _HTML.substitute({k: escape(v) for k, v in words.items()}, paragraphs=paragraphs)
    return Email(letter.subject, _TEXT.substitute(words, paragraphs="\n\n".join(letter.paragraphs)), html)


_TEXT = Template("""$heading

$paragraphs

$action:
$url

--
For your privacy this e-mail says nothing about your case.
Not for emergencies: call $emergency. We never ask for your password or card by e-mail.
Teleconsult
""")

_PARAGRAPH = Template('<p style="margin:0 0 12px;font-size:16px;line-height:25px">$text</p>')

_FONT = "-apple-system,'Segoe UI',Roboto,Arial,sans-serif"

_HTML = Template(f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light"><title>$subject</title></head>
<body style="margin:0;background:#f6f8f7;color:#1c2321;font-family:{_FONT}">
<div style="display:none;max-height:0;overflow:hidden">$preview</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f6f8f7">
<tr><td align="center" style="padding:32px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:520px">
<tr><td style="padding:0 4px 20px;font-size:17px;font-weight:600">Teleconsult</td></tr>
<tr><td style="background:#fff;border:1px solid #e2e8e5;border-radius:16px;padding:32px">
<h1 style="margin:0 0 12px;font-size:22px;line-height:28px;font-weight:600">$heading</h1>
$paragraphs
<p style="margin:12px 0 4px"><a href="$url" style="display:inline-block;background:#0f6b62;color:#fff;font-size:16px;
line-height:20px;font-weight:600;text-decoration:none;border-radius:10px;padding:14px 24px">$action</a></p>
<p style="margin:20px 0 0;font-size:14px;line-height:21px;color:#56605d">Button not working?
Open $shown_url and sign in.</p>
</td></tr>
<tr><td style="padding:20px 4px 0;font-size:13px;line-height:19px;color:#56605d">
For your privacy this e-mail says nothing about your case.<br>
Not for emergencies: call $emergency. We never ask for your password or card by e-mail.</td></tr>
</table></td></tr></table></body></html>
""")
