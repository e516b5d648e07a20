"""Random lives of sessions around the changes of clocks: everybody is reminded of exactly what takes place.

The seed is part of the test's name; REMINDER_SEEDS and REMINDER_STEPS make it longer.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.booking.models import SessionStatus
from app.core import clock
from app.core.errors import AppError
from app.wiring import Platform
from tests.booking.reminding import KINDS, Account, Crew
from tests.booking.support import Desk
from tests.support.sandbox import RunningSandbox

SEEDS = range(int(os.environ.get("REMINDER_SEEDS", "1")))
STEPS = int(os.environ.get("REMINDER_STEPS", "90"))
# A few days before Europe's and America's clocks go back, America's go forward, Europe's do.
WEEKS = {
    "autumn": datetime(2026, 10, 22, 11, 7, tzinfo=UTC),
    "america": datetime(2027, 3, 12, 5, 40, tzinfo=UTC),
    "europe": datetime(2027, 3, 26, 20, 0, tzinfo=UTC),
}
STUDENTS = {"student": "America/New_York", "other_student": "Europe/Berlin", "new_student": "Asia/Kolkata"}
ALWAYS = "(select jsonb_object_agg(day, cast('[[0, 1440]]' as jsonb)) from generate_series(1, 7) day)"


class Machine:
    """A mentor who is there day and night, three students, and time that goes by or jumps."""

    def __init__(self, desk: Desk, crew: Crew, chance: random.Random, now: datetime) -> None:
        self.desk, self.crew, self.chance, self.now = desk, crew, chance, now
        self.account = Account()
        self.refusals: Counter[str] = Counter()
        self.students = {desk.cast[name]: name for name in STUDENTS}

    async def prepare(self) -> None:
        """Packs as of now, and times on offer at a quarter of an hour's notice."""
        for name in STUDENTS:
            await self.desk.grant(name, sessions=90, days=45)
        await self.desk.sql(
            f"update mentors set working_hours = {ALWAYS}, notice_minutes = 15, step_minutes = 15, session_minutes = 30"
            " where id = :id",
            id=self.desk.cast["mentor"],
        )
        for name, zone in STUDENTS.items():
            await self.desk.sql(
                "update users set time_zone = :zone where id = :id", zone=zone, id=self.desk.cast[name]
            )
        await self.desk.sql("delete from outbox")
        await self.desk.sql(
            "update session_packs set purchased_at = :at, expires_at = :until",
            at=self.now - timedelta(days=1),
            until=self.now + timedelta(days=45),
        )

    async def step(self) -> str:
        steps: list[tuple[int, Callable[[], Awaitable[object]]]] = [
            (9, self.book),
            (6, self.move),
            (4, self.cancel),
            (4, self.undo),
            (1, self.mark),
            (2, self.keep_time),
            (4, self.pass_time),
            (2, self.jump),
        ]
        (step,) = self.chance.choices([step for _, step in steps], [weight for weight, _ in steps])
        with clock.standing_at(self.now):
            try:
                await step()
            except AppError as error:
                self.refusals[error.code] += 1
        self.now += timedelta(seconds=self.chance.choice([1, 60, 600]))
        return step.__name__

    async def book(self) -> None:
        who = self.chance.choice(list(STUDENTS))
        start = await self._time(who)
        booked = await self.desk.book(who, start)
        if booked.created:
            self._begin(booked.session.id, self.desk.cast[who], start)

    async def move(self) -> None:
        row = await self._one("scheduled")
        start = await self._time(self.students[row.student_id])
        if (await self.desk.move(self.students[row.student_id], row.id, start)).start != row.scheduled_at:
            self._begin(row.id, row.student_id, start)

    async def cancel(self) -> None:
        row = await self._one("scheduled")
        await self.desk.cancel(self.chance.choice([self.students[row.student_id], "mentor"]), row.id)
        self.account.change(row.id, ends=True)

    async def undo(self) -> None:
        """What was held takes place at its start again, too, though that is over."""
        row = await self._one("canceled", "completed", "no_show")
        await self.desk.mark("mentor", row.id, SessionStatus.SCHEDULED)
        self._begin(row.id, row.student_id, row.scheduled_at)

    async def mark(self) -> None:
        row = await self._one("scheduled")
        await self.desk.mark(
            "mentor", row.id, self.chance.choice([SessionStatus.COMPLETED, SessionStatus.NO_SHOW])
        )
        self.account.change(row.id, ends=True)

    async def keep_time(self) -> None:
        """The mentor had moved the event in Google, and lets our time stand: another version, the same start."""
        row = await self._one("scheduled")
        await self.desk.sql(
            "update sessions set conflict = 'moved', event_sync = 'written' where id = :id", id=row.id
        )
        await self.desk.mark("mentor", row.id, SessionStatus.SCHEDULED)
        self.account.change(row.id, ends=False)

    async def pass_time(self) -> None:
        """As the sandbox's clock goes: from one thing that is due to the next."""
        await self.reach(self.now + timedelta(hours=self.chance.choice([1, 4, 11, 20])))

    async def reach(self, target: datetime) -> None:
        """Work whenever something is due, until `target`."""
        while (dues := await self.crew.left()) and dues[0] <= target:
            assert dues == self.account.due()
            self.now = max(dues[0], self.now)
            await self._work()
        self.now = target

    async def jump(self) -> None:
        """Nobody worked for a while."""
        self.now += self.chance.choice([timedelta(minutes=20), timedelta(hours=5), timedelta(hours=30)])
        await self._work()

    async def _work(self) -> None:
        with clock.standing_at(self.now):
            await self.crew.work()
        self.account.work(self.now)

    def _begin(self, session_id: UUID, student_id: UUID, start: datetime) -> None:
        self.account.begin(session_id, (student_id, self.desk.cast["mentor"]), start, self.now)

    async def _time(self, who: str) -> datetime:
        """On offer to the student; often soon, where reminders are due at this moment or were before."""
        offers = await self.desk.offers(who, days=self.chance.choice([1, 2, 5]))
        near = [at for at in offers if abs(at - self.now - 24 * timedelta(hours=1)) < timedelta(hours=1)]
        return self.chance.choice(near if near and self.chance.random() < 0.3 else offers)

    async def _one(self, *statuses: str) -> Any:
        rows = await self.desk.sql(
            "select * from sessions where status = any(:statuses) order by booked_at, id",
            statuses=list(statuses),
        )
        if not rows:
            raise AppError(code="nothing_there")
        return self.chance.choice(rows)


def shown(mail: dict[str, Any], kind: str, start: datetime, now: datetime, zone: str) -> bool:
    """True if a mail of `now` names the start as clocks and calendars in the zone show it then."""
    local = start.astimezone(ZoneInfo(zone))
    days = (local.date() - now.astimezone(ZoneInfo(zone)).date()).days
    if kind == "session_reminder_day" and not mail["subject"].startswith(("Today", "Tomorrow", "Soon")[days]):
        return False
    return (
        f"{local:%a} {local.day} {local:%b %Y}, {local:%H:%M}" in mail["text"] and f"({zone})" in mail["text"]
    )


@pytest.mark.parametrize("week", WEEKS)
@pytest.mark.parametrize("seed", SEEDS)
async def test_everybody_is_reminded_of_what_takes_place(
    desk: Desk, mailing: Platform, sandbox: RunningSandbox, seed: int, week: str
) -> None:
    chance = random.Random(f"{seed} {week}")
    machine = Machine(desk, Crew(mailing, random.Random(seed)), chance, WEEKS[week])
    await machine.prepare()
    done = Counter([await machine.step() for _ in range(STEPS)])
    await machine.reach(machine.now + timedelta(days=10))
    account = machine.account
    assert await machine.crew.outcomes() == account.outcomes
    assert await machine.crew.left() == account.due() == []
    assert {"book", "move", "cancel", "undo", "pass_time", "jump"} <= set(done), done
    assert {("sent", None), ("skipped", "outdated")} <= set(account.outcomes.values())

    starts = {(start.session_id, start.version): start.at for start in account.starts}
    zones = {desk.cast[name]: zone for name, zone in STUDENTS.items()} | {
        desk.cast["mentor"]: "Europe/Lisbon"
    }
    names = {desk.cast[name]: desk.cast.email(name) for name in (*STUDENTS, "mentor")}
    mails = await asyncio.to_thread(sandbox.control.mailbox)
    sent = [told for told, outcome in account.outcomes.items() if outcome[0] == "sent"]
    assert len(mails) == len(sent)
    for told in sent:
        session_id, version, kind, who = told
        assert any(
            mail["to"] == [names[who]]
            and f"/sessions/{session_id}" in mail["text"]
            and shown(mail, kind, starts[session_id, version], account.decided[told], zones[who])
            for mail in mails
        ), told
    assert {kind for _, _, kind, _ in sent} == set(KINDS)
