"""Students for measurements: many accounts without passwords, each with a pack and, if asked, an access token."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.accounts import service as accounts
from app.core import outbox
from app.core.db import Database
from app.core.errors import NotFound
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role, UnitOfWork
from app.mentors.models import Mentor
from app.packs import service as packs

TOKEN_DAYS = 30
VALIDITY_DAYS = 365


async def seed_load(
    database: Database, students: int, mentor_email: str, sessions: int, *, tokens: bool = False
) -> list[str]:
    """`load-0001@example.test` … with a pack of `sessions` each, the mentor's seats raised to fit; their tokens.

    Raises NotFound if no mentor has that address.
    """
    secrets = []
    async with database.service(ServiceDoor.SEED) as uow:
        mentor = await accounts.find_by_email(uow, mentor_email)
        if mentor is None or mentor.role is not Role.MENTOR:
            raise NotFound(f"There is no mentor with the address {mentor_email}.")
        await _make_room(uow, mentor.id, students)
        for number in range(1, students + 1):
            student_id = await _student(uow, number)
            await packs.grant(
                uow,
                mentor_id=mentor.id,
                student_id=student_id,
                sessions=sessions,
                validity_days=VALIDITY_DAYS,
            )
            if tokens:
                secrets.append(await accounts.issue_token(uow, student_id, "load", TOKEN_DAYS))
        # Nobody waits for mail about packs that are only there to be measured with.
        await outbox.consider_told(uow, ahead=True)
        await uow.commit()
    return secrets


async def _make_room(uow: UnitOfWork, mentor_id: UUID, students: int) -> None:
    used = sa.func.seats_in_use(mentor_id, type_=sa.Integer)
    enough = sa.func.greatest(Mentor.max_active_students, used + students)
    await uow.session.execute(
        sa.update(Mentor).where(Mentor.id == mentor_id).values(max_active_students=enough)
    )


async def _student(uow: UnitOfWork, number: int) -> UUID:
    email = f"load-{number:04}@example.test"
    known = await accounts.find_by_email(uow, email)
    if known is not None:
        return known.id
    return await accounts.create_user(
        uow, name=f"Load {number:04}", email=email, role=Role.STUDENT, time_zone="UTC"
    )
