"""Amounts as Stripe counts and shows them: minor units, with a smallest amount to charge."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.errors import invalid

NO_DECIMALS = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMALS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
WHOLE_ONLY = frozenset({"isk", "ugx"})  # written with two decimals that have to be 0
SMALLEST = 50  # of any currency; Stripe's own differs a little by currency


def check_amount(amount: int, currency: str, param: str) -> None:
    """Raises StripeError 400 for an amount that the currency can't be charged in."""
    if currency in THREE_DECIMALS and amount % 10:
        raise invalid(f"Invalid amount: {currency.upper()} amounts have to be divisible by 10.", param)
    if currency in WHOLE_ONLY and amount % 100:
        raise invalid(f"Invalid amount: {currency.upper()} amounts have to be divisible by 100.", param)


def share(amount: int, percent: float) -> int:
    """`percent` of an amount, half a minor unit rounded up."""
    return int((amount * Decimal(str(percent)) / 100).quantize(Decimal(1), ROUND_HALF_UP))


def shown(amount: int, currency: str) -> str:
    """`12000, "eur"` as `120.00 EUR`."""
    exponent = 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    return f"{Decimal(amount).scaleb(-exponent):,.{exponent}f} {currency.upper()}"
