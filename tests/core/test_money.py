"""Amounts as people write and read them: whole numbers of minor units, nothing lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import CURRENCIES, LARGEST, SMALLEST, format_money, parse_money, plain_amount

ANY_CURRENCY = st.sampled_from((*CURRENCIES, "KRW", "KWD", "INR"))


@given(st.integers(0, 10**11), ANY_CURRENCY)
def test_what_is_shown_is_read_again(minor: int, currency: str) -> None:
    for shown in (format_money(minor, currency), plain_amount(minor, currency)):
        assert parse_money(f" {shown} ", currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("120", "EUR", 12_000),
        ("120.00", "EUR", 12_000),
        ("120,00", "EUR", 12_000),
        ("120.5", "EUR", 12_050),
        ("1,200", "EUR", 120_000),
        ("1,200.05", "USD", 120_005),
        ("€120", "EUR", 12_000),
        ("120 €", "EUR", 12_000),
        ("CHF 99.90", "CHF", 9_990),
        ("52,000", "JPY", 52_000),
        ("52000", "JPY", 52_000),
        ("0.10", "USD", 10),
        ("0.29", "USD", 29),  # a float would say 28.999…
        ("1.234", "KWD", 1_234),
        ("007", "USD", 700),
    ],
)
def test_what_people_write(text: str, currency: str, minor: int) -> None:
    assert parse_money(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "says"),
    [
        ("", "EUR", "such as 120.00"),
        ("free", "EUR", "such as 120.00"),
        ("-5", "EUR", "such as 120.00"),
        ("1e3", "EUR", "such as 120.00"),
        ("12.", "EUR", "such as 120.00"),
        (".50", "EUR", "such as 120.00"),
        ("1,20.00", "EUR", "such as 120.00"),
        ("1.200,00", "EUR", "such as 120.00"),
        ("$120", "EUR", "such as 120.00"),
        ("١٢٠", "EUR", "such as 120.00"),
        ("1" * 30, "EUR", "such as 120.00"),
        ("120.001", "EUR", "at most 2 decimals"),
        ("5200.00", "JPY", "no decimals: write it such as 120."),
        ("52,00", "JPY", "such as 120."),
        ("NaN", "USD", "such as 120.00"),
    ],
)
def test_what_is_no_amount_says_how_to_write_it(text: str, currency: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_money(text, currency)


def answer(text: str, currency: str) -> int | str:
    """The amount, or the sentence that says why it is none."""
    try:
        return parse_money(text, currency)
    except ValueError as error:
        return str(error)


@given(st.text(max_size=20), ANY_CURRENCY)
def test_any_text_is_an_amount_or_a_sentence(text: str, currency: str) -> None:
    found = answer(text, currency)
    assert found.endswith(".") if isinstance(found, str) else found >= 0


def test_what_may_be_charged_can_be_charged() -> None:
    assert all(0 < smallest < LARGEST < 2**31 for smallest in SMALLEST.values())
