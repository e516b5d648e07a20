"""Who was in a room, from stays of any shape, and what that proposes; and what is read of it, by whom, in how many queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.booking import attendance
from app.booking.attendance import NOBODY, Attendance, Presence, Stay, proposed
from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from app.core.ids import new_id
from tests.booking.support import Desk
from tests.support.queries import counted

START = datetime(2026, 11, 24, 14, tzinfo=UTC)
END = START + timedelta(hours=1)
LATER = END + timedelta(hours=3)
COMPLETED, NO_SHOW = SessionStatus.COMPLETED, SessionStatus.NO_SHOW


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def stay(since: float, until: float) -> Stay:
    return Stay(at(since), at(until), at(until))


def there(*spans: tuple[float, float]) -> Presence | None:
    return attendance.attendance([stay(*span) for span in spans], [], LATER).mentor


def both(mentor: list[tuple[float, float]], student: list[tuple[float, float]]) -> Attendance:
    return attendance.attendance([stay(*one) for one in mentor], [stay(*one) for one in student], LATER)


def test_one_stay() -> None:
    assert there((-3, 52)) == Presence(at(-3), at(52), 55 * 60, False)
    assert there() is None


def test_gaps_are_left_out_and_two_tabs_count_once() -> None:
    assert there((40, 50), (0, 10)) == Presence(at(0), at(50), 20 * 60, False)
    assert there((0, 30), (10, 20), (25, 40), (40, 45)) == Presence(at(0), at(45), 45 * 60, False)


@pytest.mark.parametrize(("unseen", "is_there"), [(0, True), (44, True), (45, False), (3600, False)])
def test_an_open_stay_lasts_while_it_is_seen(unseen: int, is_there: bool) -> None:
    seen = at(20)
    found = attendance.attendance([Stay(at(0), seen, None)], [], seen + timedelta(seconds=unseen)).mentor
    assert found == Presence(at(0), seen, 20 * 60, is_there)


def test_together_is_when_both_were_there() -> None:
    found = both([(0, 30), (40, 60)], [(-5, 10), (20, 50)])
    assert found.together == (10 + 10 + 10) * 60


@pytest.mark.parametrize(
    ("mentor", "student", "status", "why"),
    [
        ([(-2, 58)], [(1, 59)], COMPLETED, "together"),
        ([(0, 5)], [(0, 5)], COMPLETED, "together"),
        ([(0, 3), (10, 12)], [(0, 20)], COMPLETED, "together"),
        ([(0, 4.9)], [(0, 60)], None, "too_short"),
        ([(0, 20)], [], NO_SHOW, "student_absent"),
        ([(-10, 0.5)], [], NO_SHOW, "student_absent"),
        ([(59, 80)], [], NO_SHOW, "student_absent"),
        ([(-10, 0)], [], None, "mentor_not_in_time"),
        ([(60, 80)], [], None, "mentor_not_in_time"),
        ([], [(0, 60)], None, "mentor_absent"),
        ([(0, 20)], [(30, 50)], None, "missed_each_other"),
        ([], [], None, "nobody"),
    ],
)
def test_what_is_proposed(
    mentor: list[tuple[float, float]],
    student: list[tuple[float, float]],
    status: SessionStatus | None,
    why: str,
) -> None:
    found = both(mentor, student)
    assert proposed(found, START, END, END) == attendance.Because(status, why)
    assert proposed(found, START, END, END - timedelta(seconds=1)) == attendance.Because(None, "not_over")


minute = st.integers(-15, 90)
spans = st.lists(st.tuples(minute, minute).map(lambda pair: (min(pair), max(pair))), max_size=6)


@given(spans, spans)
def test_the_evidence_is_what_a_watch_would_count(
    mentor: list[tuple[int, int]], student: list[tuple[int, int]]
) -> None:
    """Every minute counted by itself, of each person and of both."""
    watched = [{at for since, until in stays for at in range(since, until)} for stays in (mentor, student)]
    found = both([*mentor], [*student])
    for presence, minutes, stays in zip(
        (found.mentor, found.student), watched, (mentor, student), strict=True
    ):
        assert (presence is None) is (not stays)
        if presence is not None:
            assert presence.seconds == len(minutes) * 60
            assert presence.first == at(min(since for since, _ in stays))
            assert presence.last == at(max(until for _, until in stays))
    assert found.together == len(watched[0] & watched[1]) * 60


@given(spans, spans, st.randoms(use_true_random=False))
def test_the_order_of_the_stays_does_not_matter(
    mentor: list[tuple[int, int]], student: list[tuple[int, int]], chance: object
) -> None:
    shuffled = [*mentor]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert both([*mentor], [*student]) == both([*shuffled], [*reversed(student)])


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


async def came(desk: Desk, session: SessionFacts, who: str, since: int, until: int) -> None:
    await desk.sql(
        "insert into session_visits (id, session_id, user_id, joined_at, seen_at, left_at)"
        " values (:id, :session, :who, :since, :until, :until)",
        id=new_id(),
        session=session.id,
        who=desk.cast[who],
        since=session.start + timedelta(minutes=since),
        until=session.start + timedelta(minutes=until),
    )


@pytest.mark.parametrize(
    ("who", "sees"),
    [("student", True), ("mentor", True), ("admin", True), ("other_student", False), ("other_mentor", False)],
)
async def test_its_two_people_and_admins_see_it(
    desk: Desk, booked: SessionFacts, who: str, sees: bool
) -> None:
    await came(desk, booked, "mentor", 0, 30)
    await came(desk, booked, "student", 10, 50)
    async with desk.database.unit_of_work(desk.principal(who)) as uow:
        with clock.standing_at(booked.end):
            found = await attendance.of(uow, [booked.id, new_id()])
    assert (list(found) == [booked.id]) is sees
    if sees:
        assert found[booked.id].together == 20 * 60


async def test_many_sessions_are_one_query_and_none_is_none(desk: Desk, booked: SessionFacts) -> None:
    await came(desk, booked, "mentor", 0, 30)
    async with desk.database.unit_of_work(desk.principal("mentor")) as uow:
        await uow.session.connection()
        with counted() as statements:
            assert await attendance.of(uow, []) == {}
            assert statements == []
            await attendance.of(uow, [booked.id, *(new_id() for _ in range(50))])
        assert len(statements) == 1


def test_nobody_is_the_evidence_of_no_stays() -> None:
    assert attendance.attendance([], [], LATER) == NOBODY
