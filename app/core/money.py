"""Amounts: integer minor units with an ISO 4217 currency."""

from __future__ import annotations

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


def format_money(minor: int, currency: str) -> str:
    """`12000, "EUR"` as `€120.00`; currencies without a sign of their own carry their code."""
    exponent = _EXPONENTS.get(currency, 2)
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**exponent)
    amount = f"{whole:,}" + (f".{part:0{exponent}d}" if exponent else "")
    return f"{sign}{_SIGNS[currency]}{amount}" if currency in _SIGNS else f"{sign}{currency} {amount}"
