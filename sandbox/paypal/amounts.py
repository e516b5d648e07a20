"""PayPal's amounts: decimal strings with a currency, counted here in the currency's smallest unit at PayPal."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from sandbox.paypal.errors import unprocessable

WHOLE = frozenset({"HUF", "JPY", "TWD"})
_CODES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD"
CURRENCIES = frozenset(_CODES.split())
MOST = 999_999_999
_VALUE = re.compile(r"(-?)([0-9]*)(?:\.([0-9]+))?")


class Amount(msgspec.Struct, frozen=True):
    """So many of the smallest units that PayPal counts in this currency."""

    currency: str
    units: int

    def shown(self) -> dict[str, str]:
        """The amount as PayPal writes it."""
        if self.currency in WHOLE:
            return {"currency_code": self.currency, "value": str(self.units)}
        whole, part = divmod(abs(self.units), 100)
        sign = "-" if self.units < 0 else ""
        return {"currency_code": self.currency, "value": f"{sign}{whole}.{part:02d}"}

    def less(self, units: int) -> Amount:
        """This amount less so many units."""
        return Amount(self.currency, self.units - units)


def amount_of(money: dict[str, Any], field: str, *, zero: bool = False) -> Amount:
    """The amount of a `money` member whose form has been checked.

    Raises PayPalError 422 for a currency that PayPal doesn't settle, decimals that it doesn't have, an amount below
    0, or of 0 unless `zero`.
    """
    currency, value = money["currency_code"], money["value"]
    if currency not in CURRENCIES:
        raise unprocessable("INVALID_CURRENCY_CODE", f"{field}/currency_code", currency)
    found = _VALUE.fullmatch(value)
    sign, whole, part = found.groups(default="") if found else ("", "", "")
    digits = part.rstrip("0")
    places = 0 if currency in WHOLE else 2
    if len(digits) > places or (part and places == 0):
        issue = "DECIMAL_PRECISION" if places else "DECIMALS_NOT_SUPPORTED"
        raise unprocessable(issue, f"{field}/value", value)
    units = int(whole or "0") * 10**places + int(digits.ljust(places, "0") or "0")
    if sign or (units == 0 and not zero):
        issue = "CANNOT_BE_NEGATIVE" if zero else "CANNOT_BE_ZERO_OR_NEGATIVE"
        raise unprocessable(issue, f"{field}/value", value)
    if units > MOST:
        raise unprocessable("MAX_VALUE_EXCEEDED", f"{field}/value", value)
    return Amount(currency, units)
