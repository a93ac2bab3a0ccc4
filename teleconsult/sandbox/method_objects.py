"""Shapes of what somebody pays with, and of what a charge tells about it."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox.banks import SEPA, Debit
from teleconsult.sandbox.cards import Card
from teleconsult.sandbox.ids import new_id

ROUTING = "110000000"
Source = Card | Debit


def payment_method(source: Source, billing: dict[str, Any], now: int) -> dict[str, Any]:
    """A card or a bank account. It belongs to a customer only once it is attached."""
    return {
        "id": new_id("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing,
        source.kind: _card(source) if isinstance(source, Card) else _bank(source),
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": source.kind,
    }


def charged_with(intent: dict[str, Any], source: Source) -> dict[str, Any]:
    """`payment_method_details` of a charge."""
    details = _charged_card(intent, source) if isinstance(source, Card) else _charged_bank(source)
    return {source.kind: details, "type": source.kind}


def _card(card: Card) -> dict[str, Any]:
    return {
        "brand": card.brand,
        "checks": card.checks,
        "country": "US",
        "display_brand": card.brand,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _charged_card(intent: dict[str, Any], card: Card) -> dict[str, Any]:
    secure = {"authentication_flow": "challenge", "result": "authenticated", "result_reason": None, "version": "2.2.0"}
    return {
        "amount_authorized": intent["amount"] if card.decline is None else None,
        "brand": card.brand,
        "checks": card.checks,
        "country": "US",
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": str(card.exp_year) + card.last4 * 2,
        "regulated_status": "unregulated",
        "three_d_secure": secure if card.authenticates else None,
        "wallet": None,
    }


def _bank(debit: Debit) -> dict[str, Any]:
    if debit.kind == SEPA:
        known = {"charge": None, "setup_attempt": None}
        return _iban(debit) | {"generated_from": known}
    networks = {"preferred": "ach", "supported": ["ach"]}
    return _american(debit) | {"financial_connections_account": None, "networks": networks, "status_details": None}


def _charged_bank(debit: Debit) -> dict[str, Any]:
    mandate = {"mandate": new_id("mandate_1")}
    if debit.kind == SEPA:
        return _iban(debit) | mandate
    return _american(debit) | mandate | {"payment_reference": None}


def _iban(debit: Debit) -> dict[str, Any]:
    return {
        "bank_code": debit.account[4:12],
        "branch_code": "",
        "country": debit.country,
        "fingerprint": debit.fingerprint,
        "last4": debit.last4,
    }


def _american(debit: Debit) -> dict[str, Any]:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "fingerprint": debit.fingerprint,
        "last4": debit.last4,
        "routing_number": ROUTING,
    }
