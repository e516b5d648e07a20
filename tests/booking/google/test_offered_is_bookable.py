"""Offered if and only if bookable, through the whole stack, on random mentors: every candidate of a window is tried.

What availability offers can be booked; what it explains away is refused with the same reason. Each round is another
mentor with other hours, overrides, buffers, lengths, steps, sessions, busy windows and packs; the seed is printed.
"""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.booking.offers import offers
from app.booking.refusals import NOT_BOOKED
from app.booking.service import BookingRefused
from app.calendars import service as calendars
from app.core import clock
from tests.booking.google.desk import GoogleDesk
from tests.booking.slots_strategies import ZONES

ROUNDS = int(os.environ.get("OFFERED_ROUNDS", "6"))
FIRST_SEED = int(os.environ.get("OFFERED_SEED", "1"))
DAYS = 3


def hours(chance: random.Random) -> dict[str, list[list[int]]] | None:
    kind = chance.random()
    if kind < 0.1:
        return None
    if kind < 0.5:
        return {str(day): [[0, 1440]] for day in range(1, 8)}
    found = {}
    for day in range(1, 8):
        cuts = sorted(chance.sample(range(0, 97), 2 * chance.randint(0, 2)))
        found[str(day)] = [[cuts[i] * 15, cuts[i + 1] * 15] for i in range(0, len(cuts), 2)]
    return found


async def arrange(desk: GoogleDesk, chance: random.Random, since: datetime) -> None:
    mentor = desk.cast["mentor"]
    await desk.sql(
        "update mentors set time_zone = :zone, working_hours = cast(:hours as jsonb), notice_minutes = :notice,"
        " horizon_days = :horizon, session_minutes = :length, step_minutes = :step,"
        " buffer_before_minutes = :before, buffer_after_minutes = :after where id = :id",
        id=mentor,
        zone=chance.choice(ZONES),
        hours=json.dumps(hours(chance)),
        notice=chance.choice([0, 60, 24 * 60]),
        horizon=chance.choice([2, 3, 60]),
        length=chance.choice([15, 45, 60, 90]),
        step=chance.choice([30, 45, 60]),
        before=chance.choice([0, 0, 10, 45]),
        after=chance.choice([0, 0, 15, 60]),
    )
    for day in range(-1, DAYS + 1):
        if chance.random() < 0.3:
            await desk.sql(
                "insert into date_overrides values (:id, :date, cast(:intervals as jsonb))",
                id=mentor,
                date=(since + timedelta(days=day)).date(),
                intervals=json.dumps(chance.choice([[], [[0, 1440]], [[600, 900]]])),
            )
    if chance.random() < 0.4:
        first = (since + timedelta(days=chance.randint(-1, DAYS))).date()
        await desk.sql(
            "insert into absences (id, mentor_id, first_day, last_day, days_added, created_at)"
            " values (gen_random_uuid(), :id, :first, :last, 0, :now)",
            id=mentor,
            first=first,
            last=first + timedelta(days=chance.choice([0, 0, 1])),
            now=since,
        )
    if chance.random() < 0.3:
        await calendars.disconnect(desk.database, desk.google, mentor)
        return
    for _ in range(chance.randint(0, 5)):
        start = since + timedelta(minutes=chance.randrange(0, DAYS * 1440, 5))
        await desk.busy(start, chance.choice([5, 30, 120, 700]))
    await desk.mirror(full=True)


async def crowd(desk: GoogleDesk, chance: random.Random, since: datetime) -> None:
    """Other sessions of the mentor's, and of the student's with another mentor; a second pack that ends soon."""
    other = await desk.student(sessions=3)
    for _ in range(3):
        free = await desk.offers(other, days=DAYS)
        if free:
            await desk.book(other, chance.choice(free))
    await desk.grant("student", mentor="other_mentor", sessions=2)
    await desk.sql(
        "update mentors set working_hours = cast(:hours as jsonb) where id = :id",
        id=desk.cast["other_mentor"],
        hours=json.dumps({day: [[0, 1440]] for day in range(1, 8)}),
    )
    free = await desk.offers("student", mentor="other_mentor", days=DAYS + 2)
    if free:
        await desk.book("student", chance.choice(free), mentor="other_mentor")
    ends = since + timedelta(hours=chance.choice([5, 50, 2000, 2000, 2000]))
    await desk.sql(
        "update session_packs set expires_at = :ends where student_id = :id and mentor_id = :mentor",
        ends=ends,
        id=desk.cast["student"],
        mentor=desk.cast["mentor"],
    )


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + ROUNDS))
async def test_offered_if_and_only_if_bookable(desk: GoogleDesk, seed: int) -> None:
    print(f"OFFERED_SEED={seed}")
    chance = random.Random(seed)
    now = datetime(2026, 11, 24, chance.randrange(24), tzinfo=UTC)
    with clock.standing_at(now - timedelta(days=1)):
        await crowd(desk, chance, now)
    await desk.sql("update session_packs set purchased_at = :now", now=now - timedelta(days=2))
    with clock.standing_at(now):
        await arrange(desk, chance, now)
        offered, closed = await told(desk, now)
        for start, reason in closed.items():
            assert await refused_with(desk, start) == reason, (start, reason)
        for start in chance.sample(sorted(offered), min(8, len(offered))):
            await booked_and_undone(desk, start)


async def told(desk: GoogleDesk, now: datetime) -> tuple[set[datetime], dict[datetime, str]]:
    """What the student is offered in the window, and why not the rest."""
    async with desk.database.unit_of_work(desk.principal("student")) as uow:
        found = await offers(uow, desk.cast["mentor"], now, now + timedelta(days=DAYS))
    window = int(now.timestamp()), int((now + timedelta(days=DAYS)).timestamp())
    starts = {datetime.fromtimestamp(slot.start, UTC) for slot in found.between(*window)}
    closed = {datetime.fromtimestamp(start, UTC): reason for start, _, reason in found.closed(*window)}
    assert not starts & closed.keys()
    return starts, closed


async def refused_with(desk: GoogleDesk, start: datetime) -> Any:
    with pytest.raises(BookingRefused) as caught:
        await desk.book("student", start)
    assert NOT_BOOKED in caught.value.detail
    return caught.value.extra.get("reason")


async def booked_and_undone(desk: GoogleDesk, start: datetime) -> None:
    booked = await desk.book("student", start)
    assert booked.session.start == start
    row = await desk.session(booked.session.id)
    assert row.blocked.lower <= start < row.ends_at <= row.blocked.upper
    await desk.sql("delete from outbox")
    await desk.sql("delete from sessions where id = :id", id=booked.session.id)
