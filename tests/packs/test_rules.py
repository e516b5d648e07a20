"""The seat that follows from the packs: a decision with no other inputs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.packs.models import PackStatus, SeatStatus
from app.packs.rules import GRACE, PackState, SeatDecision, seat_after

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ACTIVE = SeatDecision(SeatStatus.ACTIVE)


def pack(status: PackStatus, remaining: int = 0, scheduled: int = 0, age_days: int = 0) -> PackState:
    return PackState(status, remaining, scheduled, NOW - timedelta(days=age_days))


def test_credit_left_keeps_the_seat() -> None:
    packs = [pack(PackStatus.DEPLETED, age_days=40), pack(PackStatus.ACTIVE, remaining=1)]
    assert seat_after(packs, ACTIVE, NOW) == ACTIVE


def test_all_used_up_starts_72_hours_of_grace() -> None:
    assert seat_after([pack(PackStatus.DEPLETED)], ACTIVE, NOW) == SeatDecision(
        SeatStatus.GRACE, NOW + timedelta(hours=72)
    )


def test_grace_is_not_prolonged_by_asking_again() -> None:
    grace = SeatDecision(SeatStatus.GRACE, NOW + timedelta(hours=5))
    assert seat_after([pack(PackStatus.DEPLETED)], grace, NOW) == grace


def test_a_new_pack_ends_grace() -> None:
    grace = SeatDecision(SeatStatus.GRACE, NOW + timedelta(hours=5))
    packs = [pack(PackStatus.DEPLETED, age_days=30), pack(PackStatus.ACTIVE, remaining=4)]
    assert seat_after(packs, grace, NOW) == ACTIVE


def test_only_expired_or_refunded_packs_release_the_seat() -> None:
    for status in (PackStatus.EXPIRED, PackStatus.REFUNDED):
        assert seat_after([pack(status)], ACTIVE, NOW) == SeatDecision(SeatStatus.RELEASED)


def test_a_scheduled_session_of_an_expired_pack_keeps_the_seat() -> None:
    assert seat_after([pack(PackStatus.EXPIRED, remaining=1, scheduled=1)], ACTIVE, NOW) == ACTIVE


def test_a_refund_after_an_earlier_pack_was_used_up_releases() -> None:
    packs = [pack(PackStatus.DEPLETED, age_days=30), pack(PackStatus.REFUNDED)]
    assert seat_after(packs, ACTIVE, NOW) == SeatDecision(SeatStatus.RELEASED)


packs_of_a_pair = st.lists(
    st.builds(
        pack,
        st.sampled_from(PackStatus),
        remaining=st.integers(0, 4),
        scheduled=st.integers(0, 2),
        age_days=st.integers(0, 90),
    ),
    max_size=4,
)
seats = st.sampled_from(SeatStatus).map(
    lambda status: SeatDecision(
        status, NOW + GRACE if status in (SeatStatus.OFFERED, SeatStatus.HELD, SeatStatus.GRACE) else None
    )
)


@given(packs_of_a_pair, seats)
def test_deciding_twice_decides_the_same(packs: list[PackState], seat: SeatDecision) -> None:
    once = seat_after(packs, seat, NOW)
    assert seat_after(packs, once, NOW + timedelta(hours=1)) == once


@given(packs_of_a_pair, seats)
def test_a_checkout_under_way_is_left_alone(packs: list[PackState], seat: SeatDecision) -> None:
    if seat.status in (SeatStatus.OFFERED, SeatStatus.HELD, SeatStatus.RELEASED):
        assert seat_after(packs, seat, NOW) == seat


@given(packs_of_a_pair, seats)
def test_spendable_credit_is_never_without_a_seat(packs: list[PackState], seat: SeatDecision) -> None:
    live = seat.status in (SeatStatus.ACTIVE, SeatStatus.GRACE)
    if live and any(p.status is PackStatus.ACTIVE and p.remaining for p in packs):
        assert seat_after(packs, seat, NOW) == ACTIVE
