"""The sums: what a refund brings, what a code takes off, what doesn't add up."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from app.payments import rules
from app.payments.gateway import CheckoutState, CheckoutStatus, Discount
from app.payments.models import OrderFlag, OrderStatus

ODD_AMOUNTS = (0, 1, 7, 99, 100, 101, 3_333, 9_999, 10_000, 12_345, 999_999_937)
amounts = st.integers(0, 10**9)


def test_every_split_of_every_pack() -> None:
    """1 to 12 sessions, each number of them left, odd amounts: prorated, whole for a whole pack, never too much."""
    for total, paid in product(range(1, 13), ODD_AMOUNTS):
        quotes = [
            rules.quote(paid=paid, refunded=0, total_sessions=total, remaining=left).amount
            for left in range(total + 1)
        ]
        assert quotes[0] == 0
        assert quotes[-1] == paid
        assert quotes == sorted(quotes)
        for left, amount in enumerate(quotes):
            assert amount * total <= paid * left < (amount + 1) * total


@given(amounts, st.integers(1, 100), st.integers(0, 200), st.data())
def test_never_more_than_is_left_of_the_money(paid: int, total: int, left: int, data: st.DataObject) -> None:
    refunded = data.draw(st.integers(0, paid))
    offer = rules.quote(paid=paid, refunded=refunded, total_sessions=total, remaining=left)
    assert 0 <= offer.amount <= paid - refunded
    assert offer.sessions == left


@given(amounts, st.floats(0.01, 100), st.integers(1, 10**9))
def test_a_discount_takes_off_no_more_than_there_is(amount: int, percent: float, off: int) -> None:
    share = Discount(code="A", percent_off=round(percent, 2), provider_reference="a")
    fixed = Discount(code="B", amount_off=off, currency="EUR", provider_reference="b")
    for discount in (share, fixed):
        taken, left = rules.price(amount, "EUR", discount)
        assert 0 <= taken <= amount
        assert taken + left == amount
    assert rules.price(amount, "USD", fixed) == (0, amount)
    assert rules.price(amount, "EUR", None) == (0, amount)


def state(**values: object) -> CheckoutState:
    given = {"session_id": "s", "order_id": None, "status": CheckoutStatus.PAID, "currency": "EUR"}
    money = {"subtotal": 100, "total": 100}
    return CheckoutState(**{**given, **money, **values})  # type: ignore[arg-type]


def test_what_does_not_add_up_is_flagged() -> None:
    assert rules.mismatch("EUR", 100, state()) is None
    assert rules.mismatch("EUR", 100, state(discount=10, tax=5, total=95)) is None
    assert rules.mismatch("EUR", 100, state(currency="USD")) is OrderFlag.WRONG_CURRENCY
    assert rules.mismatch("EUR", 101, state()) is OrderFlag.WRONG_AMOUNT
    assert rules.mismatch("EUR", 100, state(total=99)) is OrderFlag.WRONG_AMOUNT


@given(amounts, st.data())
def test_an_order_is_what_its_money_is(paid: int, data: st.DataObject) -> None:
    refunded = data.draw(st.integers(0, paid))
    status = rules.order_status(paid, refunded, voided=refunded > 0)
    assert (status is OrderStatus.REFUNDED) == (paid > 0 and refunded == paid)
    assert (status is OrderStatus.PAID) == (refunded == 0)
    assert rules.order_status(0, 0, voided=True) is OrderStatus.REFUNDED
