"""The rules of booking as properties: which pack pays, what a cancellation costs, what may be marked."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.booking import rules
from app.booking.models import SessionStatus
from app.booking.refusals import Refusal
from app.booking.situation import MentorView, OwnSession, PackView, SeatView, Situation
from app.packs.models import PackStatus, SeatStatus

NOW = 1_800_000_000
HOUR, DAY = 3600, 86_400
MENTOR = UUID(int=1)

numbers = st.integers(0, 4)


@st.composite
def packs(draw: st.DrawFn) -> PackView:
    remaining = draw(numbers)
    return PackView(
        id=UUID(int=draw(st.integers(2, 2**64))),
        status=draw(st.sampled_from(list(PackStatus))),
        frozen=draw(st.booleans()),
        total=4,
        remaining=remaining,
        scheduled=draw(st.integers(0, remaining)),
        purchased_at=NOW - DAY,
        expires_at=NOW + draw(st.integers(-2, 40)) * DAY // 2,
    )


seats = st.one_of(st.none(), st.sampled_from(list(SeatStatus)).map(lambda status: SeatView(status, None)))
calendars = st.sampled_from([None, "connected", "revoked"])
starts = st.integers(-10, 80 * 24).map(lambda hour: NOW + hour * HOUR)


def situation(owned: list[PackView], seat: SeatView | None = None, calendar: str | None = None) -> Situation:
    mentor = MentorView(
        id=MENTOR,
        name="Mentor",
        slug="mentor",
        time_zone="UTC",
        hours={day: [(0, 1440)] for day in range(1, 8)},
        overrides={},
        calendar=calendar,
        mirrored_at=None,
        notice_minutes=0,
        horizon_days=365,
        session_minutes=60,
        step_minutes=60,
        buffer_before_minutes=0,
        buffer_after_minutes=0,
    )
    return Situation(mentor, [], [], [], owned, seat)


def can_pay(pack: PackView, start: int) -> bool:
    """The rule in the domain's words."""
    return (
        pack.status == "active"
        and not pack.frozen
        and pack.remaining - pack.scheduled > 0
        and pack.expires_at > NOW
        and pack.expires_at > start
    )


@given(st.lists(packs(), max_size=5), starts)
def test_the_pack_that_expires_first_among_those_valid_pays(owned: list[PackView], start: int) -> None:
    paying = rules.paying(owned, NOW, start)
    able = [pack for pack in owned if can_pay(pack, start)]
    assert (paying is None) == (not able)
    if paying is not None:
        assert paying in able
        assert paying.expires_at == min(pack.expires_at for pack in able)


@given(st.lists(packs(), max_size=5), seats, calendars, starts)
def test_bookable_if_and_only_if_every_condition_holds(
    owned: list[PackView], seat: SeatView | None, calendar: str | None, start: int
) -> None:
    found = rules.refusal_at(situation(owned, seat, calendar), NOW, start, "")
    aligned = start % HOUR == 0 and start >= NOW
    allowed = (
        calendar != "revoked"
        and seat is not None
        and seat.status == "active"
        and any(can_pay(pack, start) for pack in owned)
        and aligned
    )
    assert (found is None) == allowed


@given(st.lists(packs(), max_size=5), starts)
def test_a_slot_that_is_offered_always_has_a_pack_that_pays(owned: list[PackView], start: int) -> None:
    found = rules.refusal_at(situation(owned, SeatView("active", None)), NOW, start, "")
    if found is None:
        assert rules.paying(owned, NOW, start) is not None


@given(st.lists(packs(), max_size=5), seats)
def test_every_refusal_has_a_code_a_title_and_says_what_stayed(
    owned: list[PackView], seat: SeatView | None
) -> None:
    found = rules.standing(situation(owned, seat), NOW, "Nothing happened.")
    if found is not None:
        assert found.code in ("no_credit", "pack_expired", "pack_not_active", "seat_not_active")
        assert found.title
        assert found.detail.endswith("Nothing happened.")
        assert found.status in (409, 422)


@given(packs(), st.integers(0, 3))
def test_moving_frees_exactly_ones_own_credit_and_time(pack: PackView, others: int) -> None:
    pack = PackView(pack.id, pack.status, False, 4, others + 1, others + 1, NOW, NOW + 9 * DAY)
    moving = OwnSession(UUID(int=7), MENTOR, pack.id, NOW, NOW + HOUR, (NOW - 60, NOW + HOUR))
    other = OwnSession(
        UUID(int=8), UUID(int=9), pack.id, NOW + DAY, NOW + DAY + HOUR, (NOW + DAY, NOW + DAY + HOUR)
    )
    base = situation([pack])
    before = Situation(
        base.mentor, [(1, 2)], [moving.blocked, (NOW + DAY, NOW + 2 * DAY)], [moving, other], [pack], None
    )
    seen = before.with_moving(moving.id)
    assert [view.credit for view in seen.packs] == [1]
    snapshot = seen.snapshot(None)
    assert snapshot.blocked == [(NOW + DAY, NOW + 2 * DAY)]
    assert snapshot.own == [(other.start, other.end)]
    assert snapshot.busy == [(1, 2)]


@given(st.sampled_from(list(SessionStatus)), st.integers(-3 * DAY, 3 * DAY))
def test_moving_and_canceling_by_the_clock(status: SessionStatus, ahead: int) -> None:
    move = rules.refusal_to_move(status, NOW + ahead, NOW)
    cancel = rules.refusal_to_cancel(status, NOW + ahead, NOW)
    scheduled = status is SessionStatus.SCHEDULED
    assert (move is None) == (scheduled and ahead >= DAY)
    assert (cancel is None) == (scheduled and ahead > 0)
    if scheduled and move is not None:
        assert move.code == ("too_late" if ahead > 0 else "already_started")


@given(st.booleans(), st.integers(1, 3 * DAY))
def test_only_a_students_late_cancellation_costs_the_session(student: bool, ahead: int) -> None:
    assert rules.uses_credit(student, NOW + ahead, NOW) == (student and ahead < DAY)


MARKS = [SessionStatus.COMPLETED, SessionStatus.NO_SHOW, SessionStatus.SCHEDULED]


@given(st.sampled_from(list(SessionStatus)), st.sampled_from(MARKS), st.integers(-3 * DAY, 3 * DAY))
def test_marks_need_the_start_and_undoing_a_cancellation_its_absence(
    current: SessionStatus, wanted: SessionStatus, ahead: int
) -> None:
    step = rules.mark(current, wanted, NOW + ahead, NOW)
    canceled = current is SessionStatus.CANCELED
    undo = wanted is SessionStatus.SCHEDULED
    allowed = (not canceled or ahead > 0) if undo else (not canceled and ahead <= 0)
    assert isinstance(step, rules.Mark) == allowed
    if isinstance(step, rules.Mark):
        assert step.spend is not undo
    else:
        assert isinstance(step, Refusal)
        assert step.code in ("cannot_undo", "not_scheduled", "not_started")
