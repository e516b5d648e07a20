"""Minor units to PayPal's decimal strings and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import CURRENCIES
from app.payments.paypal_amounts import UnreadableAmount, minor_of, money_of

ODD = ("HUF", "TWD", "JPY", "KWD", "BHD")


@given(minor=st.integers(-(10**12), 10**12), currency=st.sampled_from([*CURRENCIES, *ODD]))
def test_an_amount_comes_back_as_it_went(minor: int, currency: str) -> None:
    money = money_of(minor, currency)
    assert money["currency_code"] == currency
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", money["value"])
    assert minor_of(money) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "value"),
    [
        (12_050, "EUR", "120.50"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "-0.05"),
        (0, "USD", "0.00"),
        (1_500, "JPY", "1500"),
        (150_000, "HUF", "1500"),
        (150_050, "HUF", "1500.50"),
        (1_234, "KWD", "1.234"),
    ],
)
def test_amounts_as_paypal_writes_them(minor: int, currency: str, value: str) -> None:
    assert money_of(minor, currency) == {"currency_code": currency, "value": value}


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [("30.0", "USD", 3_000), ("30", "USD", 3_000), ("30.500", "USD", 3_050), ("7.00", "JPY", 7)],
)
def test_amounts_that_paypal_writes_otherwise_are_read(value: str, currency: str, minor: int) -> None:
    assert minor_of({"currency_code": currency, "value": value}) == minor


@pytest.mark.parametrize(
    "value", ["", "1.", ".5", "1,00", "1e2", "0.005", "١٢", "NaN", "1.0.0", " 1", "+1", None]
)
def test_what_is_no_amount_is_not_read(value: object) -> None:
    with pytest.raises(UnreadableAmount):
        minor_of({"currency_code": "EUR", "value": value})


def test_nothing_is_no_amount() -> None:
    with pytest.raises(UnreadableAmount):
        minor_of({})


def test_a_fraction_of_a_yen_is_not_read() -> None:
    with pytest.raises(UnreadableAmount):
        minor_of({"currency_code": "JPY", "value": "1.5"})
