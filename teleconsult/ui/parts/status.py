"""Badges: icon, word and colour together, and the patient's word for every status."""

from __future__ import annotations

from typing import Literal, NamedTuple

import reflex as rx

from teleconsult.ui.parts.base import Node, Text, Tone, cn, given, pick
from teleconsult.ui.parts.icons import icon

Status = Literal[
    "draft",
    "unpaid",
    "confirming",
    "pending",
    "in_review",
    "needs_photos",
    "answered",
    "closed",
    "rejected",
    "cancelled",
    "refunded",
]


SOFT: dict[str, str] = {
    "neutral": "bg-mist text-ink-2 inset-ring-line-2",
    "info": "bg-info-soft text-info-ink inset-ring-info-line",
    "ok": "bg-ok-soft text-ok-ink inset-ring-ok-line",
    "warn": "bg-warn-soft text-warn-ink inset-ring-warn-line",
    "ask": "bg-ask-soft text-ask-ink inset-ring-ask-line",
    "danger": "bg-danger-soft text-danger-ink inset-ring-danger-line",
}


class StatusLook(NamedTuple):
    """Word, tone and icon of one status."""

    word: str
    tone: Tone
    icon: str


STATUS: dict[Status, StatusLook] = {
    "draft": StatusLook("Draft, not sent", "neutral", "pencil"),
    "unpaid": StatusLook("Payment not finished", "neutral", "credit-card"),
    "confirming": StatusLook("Confirming payment", "info", "loader-circle"),
    "pending": StatusLook("Waiting for a dermatologist", "warn", "clock"),
    "in_review": StatusLook("In review", "info", "stethoscope"),
    "needs_photos": StatusLook("More photos needed", "ask", "camera"),
    "answered": StatusLook("Answer ready", "ok", "circle-check"),
    "closed": StatusLook("Closed", "neutral", "check"),
    "rejected": StatusLook("Refunded", "neutral", "undo-2"),
    "cancelled": StatusLook("Refunded", "neutral", "undo-2"),
    "refunded": StatusLook("Refunded", "neutral", "undo-2"),
}


def badge(
    label: Node, tone: Text = "neutral", icon_name: Text = "", *, spin: bool = False, class_name: str = ""
) -> rx.Component:
    """Icon, word and colour together. `tone` and `icon_name` may be Vars."""
    base = (
        "inline-flex max-w-full flex-none items-center gap-1.5 whitespace-nowrap rounded-full py-1 pe-2.5 text-xs "
        "font-semibold inset-ring"
    )
    pad = "ps-2" if given(icon_name) else "ps-2.5"
    tones = {key: cn(base, pad, value, class_name) for key, value in SOFT.items()}
    return rx.el.span(
        icon(icon_name, 14, "spin" if spin else "") if given(icon_name) else rx.fragment(),
        rx.el.span(label),
        class_name=pick(tone, tones, tones["neutral"]),
    )


def status_badge(status: Status | rx.Var[str], class_name: str = "") -> rx.Component:
    """The patient's word for a consultation status."""
    made: dict[str, rx.Component] = {
        key: badge(look.word, look.tone, look.icon, spin=key == "confirming", class_name=class_name)
        for key, look in STATUS.items()
    }
    return pick(status, made, made["draft"])
