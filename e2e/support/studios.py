"""A mentor of a test's own, with a student whom they have just met: the session waits to be marked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from app.accounts import service as accounts
from app.accounts import web_sessions
from app.booking import book
from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.mentors import enrollment
from app.packs import service as packs
from app.settings import Settings
from e2e.support.platform import RunningPlatform

ALWAYS = {str(day): [[0, 1440]] for day in range(1, 8)}
STEP = timedelta(minutes=30)


@dataclass(frozen=True)
class Studio:
    """`mentor` is the session cookie's secret; `session_id` began about two hours ago, one of a pack of two."""

    mentor: str
    mentor_name: str
    student_id: UUID
    student_name: str
    student_email: str
    session_id: UUID


async def open_studio(platform: RunningPlatform) -> Studio:
    """Make the mentor, the student, the pack and the session."""
    settings = Settings.from_env(platform.env)
    database = Database(settings)
    google = Google(settings)
    mark, now = uuid4().hex[:10], datetime.now(UTC)
    name, email = f"Pupil {mark}", f"pupil-{mark}@example.test"
    try:
        with clock.standing_at(now - timedelta(days=4)):
            async with database.service(ServiceDoor.SEED) as uow:
                mentor_id, student_id = await _people(uow, mark, name, email)
                await packs.grant(
                    uow, mentor_id=mentor_id, student_id=student_id, sessions=2, validity_days=40
                )
                await uow.commit()
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            start = midnight + (now - timedelta(hours=2) - midnight) // STEP * STEP
            async with database.unit_of_work(Principal(student_id, Role.STUDENT)) as uow:
                booked = await book.book(uow, database, google, mentor_id=mentor_id, start=start)
        async with database.service(ServiceDoor.SEED) as uow:
            secret = await web_sessions.start(uow, settings, mentor_id, web_sessions.Browser())
            await uow.commit()
    finally:
        google.close()
        await database.dispose()
    return Studio(secret, f"Teacher {mark}", student_id, name, email, booked.session.id)


async def _people(uow: UnitOfWork, mark: str, name: str, email: str) -> tuple[UUID, UUID]:
    mentor_id = await accounts.create_user(
        uow, name=f"Teacher {mark}", email=f"teacher-{mark}@example.test", role=Role.MENTOR, time_zone="UTC"
    )
    await enrollment.enroll(
        uow,
        mentor_id,
        name=f"Teacher {mark}",
        time_zone="UTC",
        headline="Paper and patience",
        bio="",
        working_hours=ALWAYS,
        max_active_students=2,
    )
    student_id = await accounts.create_user(
        uow, name=name, email=email, role=Role.STUDENT, time_zone="Europe/Berlin"
    )
    return mentor_id, student_id
