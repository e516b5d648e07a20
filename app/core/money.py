"""Amounts: integer minor units with an ISO 4217 currency."""

from __future__ import annotations

import re
from typing import Final

# What may be charged: both payment providers take these, anywhere, with the decimals of ISO 4217 (PayPal takes HUF and
# TWD without decimals, which Stripe does not; BRL, CNY and MYR in their own countries only). Each with the smallest
# amount that Stripe charges, in minor units; see "Supported currencies" in the documentation of each.
SMALLEST: Final = {
    "AUD": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "JPY": 50,
    "MXN": 1000,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}
CURRENCIES: Final = tuple(SMALLEST)
LARGEST: Final = 99_999_999
"""Minor units of one charge: eight digits at Stripe."""

# Currencies whose minor unit isn't a hundredth (ISO 4217, of those the payment providers settle).
_EXPONENTS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "ISK": 0,
    "XAF": 0,
    "XOF": 0,
    "BHD": 3,
    "JOD": 3,
    "KWD": 3,
    "OMR": 3,
    "TND": 3,
}
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
_AMOUNT = re.compile(r"(?P<whole>\d{1,12}|\d{1,3}(,\d{3}){1,3})(\.(?P<part>\d+))?", re.ASCII)


def exponent_of(currency: str) -> int:
    """How many decimals the currency's minor unit stands for."""
    return _EXPONENTS.get(currency, 2)


def format_money(minor: int, currency: str) -> str:
    """`12000, "EUR"` as `€120.00`; currencies without a sign of their own carry their code."""
    exponent = exponent_of(currency)
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**exponent)
    amount = f"{whole:,}" + (f".{part:0{exponent}d}" if exponent else "")
    return f"{sign}{_SIGNS[currency]}{amount}" if currency in _SIGNS else f"{sign}{currency} {amount}"


def plain_amount(minor: int, currency: str) -> str:
    """`120000, "EUR"` as `1200.00`: as a form field takes it, without sign or commas."""
    exponent = _EXPONENTS.get(currency, 2)
    whole, part = divmod(minor, 10**exponent)
    return f"{whole}" + (f".{part:0{exponent}d}" if exponent else "")


def parse_money(text: str, currency: str) -> int:
    """Minor units of an amount as people write it: `120`, `120.00`, `120,00`, `1,200.00`, `€120`, `EUR 120`.

    Commas part thousands; a single one with exactly the currency's decimals behind it is the decimal comma. Raises
    ValueError with a sentence: no amount, another currency's sign, or more decimals than the currency has.
    """
    exponent = _EXPONENTS.get(currency, 2)
    example = plain_amount(120 * 10**exponent, currency)
    amount = _without_sign(text, currency)
    decimal_comma = re.fullmatch(rf"(\d+),(\d{{{exponent}}})", amount, re.ASCII) if exponent == 2 else None
    if decimal_comma:
        amount = f"{decimal_comma[1]}.{decimal_comma[2]}"
    found = _AMOUNT.fullmatch(amount)
    if not found:
        raise ValueError(f"Write an amount such as {example}.")
    whole, part = str(found["whole"]), str(found["part"] or "")
    if len(part) > exponent:
        many = f"at most {exponent} decimals" if exponent else "no decimals"
        raise ValueError(f"{currency} has {many}: write it such as {example}.")
    scale: int = 10**exponent
    return int(whole.replace(",", "")) * scale + int(part.ljust(exponent, "0") or 0)


def _without_sign(text: str, currency: str) -> str:
    """The amount alone; the currency's own sign or code may stand before or behind it."""
    amount = text.strip()
    for sign in (_SIGNS.get(currency), currency):
        if sign:
            amount = amount.removeprefix(sign).removesuffix(sign).strip()
    return amount
