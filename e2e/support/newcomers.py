"""Students of a test's own, so that no journey stands on what another one left behind."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa

from app.accounts import service as accounts
from app.accounts import web_sessions
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.mentors.models import Mentor
from app.packs import service as packs
from app.settings import Settings
from e2e.support.platform import RunningPlatform


async def enroll(platform: RunningPlatform, mentor_email: str, *, sessions: int) -> str:
    """Make a student with a pack and a seat of that mentor's, signed in; gives the session cookie's secret."""
    settings = Settings.from_env(platform.env)
    database = Database(settings)
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            mentor = await accounts.find_by_email(uow, mentor_email)
            assert mentor is not None
            more = sa.update(Mentor).where(Mentor.id == mentor.id)
            await uow.session.execute(more.values(max_active_students=Mentor.max_active_students + 1))
            student_id = await accounts.create_user(
                uow,
                name="Newcomer",
                email=f"newcomer-{uuid4().hex[:12]}@example.test",
                role=Role.STUDENT,
                time_zone="America/New_York",
            )
            await packs.grant(
                uow, mentor_id=mentor.id, student_id=student_id, sessions=sessions, validity_days=40
            )
            secret = await web_sessions.start(uow, settings, student_id, web_sessions.Browser())
            await uow.commit()
            return secret
    finally:
        await database.dispose()
