"""Currencies, and amounts as people write them. Amounts are integers in minor units."""

from __future__ import annotations

from teleconsult.sandbox.errors import invalid

CODES = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny
cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd
jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad
ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl
thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
WITHOUT_DECIMALS = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
CURRENCIES = frozenset(CODES.split())
ZERO_DECIMAL = frozenset(WITHOUT_DECIMALS.split())
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£"}


def checked_currency(code: str) -> str:
    """The code in lower case.

    Raises:
        StripeError: when Stripe doesn't know it.
    """
    if code.lower() not in CURRENCIES:
        known = ", ".join(sorted(CURRENCIES))
        raise invalid(
            f"Invalid currency: {code}. Stripe currently supports these currencies: {known}", param="currency"
        )
    return code.lower()


def shown(amount: int, currency: str) -> str:
    """`€49.00`; a currency without a symbol of its own with its code, and with as many decimals as it has."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, part = divmod(amount, 10**decimals)
    number = f"{whole:,}.{part:0{decimals}}" if decimals else f"{whole:,}"
    return f"{SYMBOLS[currency]}{number}" if currency in SYMBOLS else f"{number} {currency.upper()}"
