"""Students of a test's own, so that no journey stands on what another one left behind."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.accounts import service as accounts
from app.accounts import web_sessions
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role, UnitOfWork
from app.mentors.models import Mentor
from app.packs import service as packs
from app.settings import Settings
from e2e.support.platform import RunningPlatform


@dataclass(frozen=True)
class Newcomer:
    """Somebody new; `session` is the session cookie's secret."""

    name: str
    email: str
    session: str


async def enroll(platform: RunningPlatform, mentor_email: str, *, sessions: int) -> str:
    """Make a student with a pack and a seat of that mentor's, signed in; gives the session cookie's secret."""
    return (await _arrive(platform, mentor_email, sessions)).session


async def arrive(platform: RunningPlatform, mentor_email: str, *, sessions: int = 0) -> Newcomer:
    """Make a student, signed in, for whom that mentor has one more seat: free, or taken with a pack of `sessions`."""
    return await _arrive(platform, mentor_email, sessions)


async def _arrive(platform: RunningPlatform, mentor_email: str, sessions: int) -> Newcomer:
    settings = Settings.from_env(platform.env)
    database = Database(settings)
    mark = uuid4().hex[:12]
    name, email = f"Newcomer {mark}", f"newcomer-{mark}@example.test"
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            mentor_id = await _one_more_seat(uow, mentor_email)
            student_id = await accounts.create_user(
                uow, name=name, email=email, role=Role.STUDENT, time_zone="America/New_York"
            )
            if sessions:
                await packs.grant(
                    uow, mentor_id=mentor_id, student_id=student_id, sessions=sessions, validity_days=40
                )
            secret = await web_sessions.start(uow, settings, student_id, web_sessions.Browser())
            await uow.commit()
    finally:
        await database.dispose()
    return Newcomer(name, email, secret)


async def _one_more_seat(uow: UnitOfWork, mentor_email: str) -> UUID:
    mentor = await accounts.find_by_email(uow, mentor_email)
    assert mentor is not None
    more = sa.update(Mentor).where(Mentor.id == mentor.id)
    await uow.session.execute(more.values(max_active_students=Mentor.max_active_students + 1))
    return mentor.id
