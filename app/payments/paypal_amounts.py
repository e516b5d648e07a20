"""Minor units and PayPal's decimal strings, without a float in between."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.core.money import exponent_of

# PayPal takes these without decimals only, although their minor unit is a hundredth (ISO 4217).
_WHOLE_AT_PAYPAL = frozenset({"HUF", "TWD"})
_VALUE = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


class UnreadableAmount(ValueError):
    """An amount that isn't one, or is finer than the currency's minor unit."""


def money_of(minor: int, currency: str) -> dict[str, str]:
    """`12050, "EUR"` as `{"currency_code": "EUR", "value": "120.50"}`.

    A part of a forint or dollar that PayPal doesn't count is written all the same: PayPal refuses it.
    """
    exponent = exponent_of(currency)
    whole, part = divmod(abs(minor), 10**exponent)
    value = ("-" if minor < 0 else "") + str(whole)
    if exponent and not (currency in _WHOLE_AT_PAYPAL and part == 0):
        value += f".{part:0{exponent}d}"
    return {"currency_code": currency, "value": value}


def minor_of(money: Mapping[str, Any]) -> int:
    """The minor units of PayPal's amount. Raises UnreadableAmount."""
    found = _VALUE.fullmatch(str(money.get("value", "")))
    exponent = exponent_of(str(money.get("currency_code", "")))
    sign, whole, part = found.groups(default="") if found else ("", "", "")
    digits = part.rstrip("0")
    if not found or len(digits) > exponent:
        raise UnreadableAmount(f"{dict(money)!r}")
    scale: int = 10**exponent
    minor = int(whole) * scale + int(digits.ljust(exponent, "0") or "0")
    return -minor if sign else minor
