"""Who is measured with: a busy mentor and a student who looks, and pairs who book hour after hour."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from litestar.middleware.csrf import generate_csrf_token
from psycopg.types.range import Range

from app.accounts import service as accounts
from app.accounts import web_sessions
from app.accounts.web_sessions import Browser
from app.core import clock, outbox
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role, UnitOfWork
from app.mentors import enrollment
from app.packs import service as packs
from app.settings import Settings

DAYS = 31
BUSY_WINDOWS = 100
WORKING_HOURS = {str(day): [[540, 720], [810, 1080]] for day in range(1, 6)}
ALWAYS = {str(day): [[0, 1440]] for day in range(1, 8)}
CREDIT = 1_000_000
VALIDITY_DAYS = 365
HORIZON_DAYS = 365


@dataclass(frozen=True)
class Looker:
    """A student with a pack who looks at the times of a busy mentor; signed in by cookie and by token.

    `csrf_token`: a browser that has opened a page before carries it as a cookie.
    """

    mentor_id: UUID
    student_id: UUID
    cookie: str
    csrf_token: str
    token: str


@dataclass(frozen=True)
class Pair:
    """A student with credit without end, and a mentor without Google who is open all day every day."""

    number: int
    mentor_id: UUID
    student_id: UUID
    pack_id: UUID
    token: str


async def looker(database: Database, settings: Settings) -> Looker:
    """Make the student and the mentor, with 100 busy windows in the coming 31 days."""
    async with database.service(ServiceDoor.SEED) as uow:
        mentor_id = await _mentor(uow, "busy", "Europe/Lisbon", WORKING_HOURS)
        student_id = await _student(uow, "looker")
        await packs.grant(uow, mentor_id=mentor_id, student_id=student_id, sessions=4, validity_days=45)
        cookie = await web_sessions.start(uow, settings, student_id, Browser("bench"))
        token = await accounts.issue_token(uow, student_id, "bench", 30)
        await outbox.consider_told(uow, ahead=True)
        await uow.commit()
    _connect_calendar(settings, mentor_id, clock.now())
    csrf_token = generate_csrf_token(settings.secret_key)
    return Looker(mentor_id, student_id, cookie, csrf_token, token)


async def pairs(database: Database, settings: Settings, count: int) -> list[Pair]:
    """Make that many pairs."""
    async with database.service(ServiceDoor.SEED) as uow:
        made = [await _pair(uow, number) for number in range(count)]
        await outbox.consider_told(uow, ahead=True)
        await uow.commit()
    with psycopg.connect(settings.database_service_url) as connection:
        connection.execute("update mentors set horizon_days = %s", [HORIZON_DAYS])
    return made


async def _pair(uow: UnitOfWork, number: int) -> Pair:
    mentor_id = await _mentor(uow, f"mentor-{number:02}", "UTC", ALWAYS)
    student_id = await _student(uow, f"student-{number:02}")
    pack_id = await packs.grant(
        uow, mentor_id=mentor_id, student_id=student_id, sessions=CREDIT, validity_days=VALIDITY_DAYS
    )
    token = await accounts.issue_token(uow, student_id, "bench", 30)
    return Pair(number, mentor_id, student_id, pack_id, token)


async def _mentor(uow: UnitOfWork, name: str, zone: str, hours: dict[str, list[list[int]]]) -> UUID:
    id_ = await _account(uow, name, Role.MENTOR, zone)
    await enrollment.enroll(uow, id_, name=name, time_zone=zone, working_hours=hours)
    return id_


async def _student(uow: UnitOfWork, name: str) -> UUID:
    return await _account(uow, name, Role.STUDENT, "America/New_York")


async def _account(uow: UnitOfWork, name: str, role: Role, zone: str) -> UUID:
    return await accounts.create_user(uow, name=name, email=f"{name}@example.test", role=role, time_zone=zone)


def _connect_calendar(settings: Settings, mentor_id: UUID, now: datetime) -> None:
    """A connection and its mirror as rows: nobody asks Google here."""
    with psycopg.connect(settings.database_service_url) as connection:
        connection.execute(
            "insert into calendar_connections (mentor_id, state, google_email, google_calendar_id, calendars,"
            " google_refresh_token, mirror_version, mirrored_at, connected_at)"
            " values (%s, 'connected', 'busy@example.test', 'primary', '[]', '', 1, %s, %s)",
            [mentor_id, now, now],
        )
        connection.cursor().executemany(
            "insert into busy_windows (mentor_id, event_id, span) values (%s, %s, %s)",
            [(mentor_id, f"event-{number}", span) for number, span in enumerate(_busy(now))],
        )


def _busy(now: datetime) -> list[Range[datetime]]:
    """Meetings of 15 to 90 min on the five-minute grid, all over the month."""
    chance = random.Random(BUSY_WINDOWS)
    first = now.replace(minute=0, second=0, microsecond=0)
    starts = [first + timedelta(minutes=chance.randrange(0, DAYS * 1440, 5)) for _ in range(BUSY_WINDOWS)]
    return [Range(start, start + timedelta(minutes=chance.randrange(15, 91, 5))) for start in starts]
