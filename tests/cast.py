"""The named cast of the tests, the same in every suite: two mentors, their students, somebody new, an admin."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from app.accounts import repository
from app.accounts.models import Provider, User
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import ANONYMOUS, Principal, Role, UnitOfWork
from app.mentors.models import Mentor
from app.packs import service as packs

ROLES = {
    "student": Role.STUDENT,
    "other_student": Role.STUDENT,
    "new_student": Role.STUDENT,
    "mentor": Role.MENTOR,
    "other_mentor": Role.MENTOR,
    "admin": Role.ADMIN,
}
ZONES = {
    "student": "America/New_York",
    "other_student": "Europe/Berlin",
    "mentor": "Europe/Lisbon",
    "other_mentor": "Asia/Tokyo",
}
WEEKDAYS = {str(day): [[540, 720], [810, 1080]] for day in range(1, 6)}
EVERY_EVENING = {str(day): [[1080, 1320]] for day in range(1, 7)}


@dataclass
class Cast:
    """Ids by name. The student has a pack of four with the mentor, the other student one with the other mentor."""

    ids: dict[str, UUID] = field(default_factory=lambda: {name: new_id() for name in ROLES})
    packs: dict[str, UUID] = field(default_factory=dict)

    def __getitem__(self, name: str) -> UUID:
        return self.ids[name]

    def email(self, name: str) -> str:
        """The address of somebody of the cast."""
        return f"{name.replace('_', '-')}@example.test"

    def principal(self, name: str) -> Principal:
        """Somebody of the cast, or `anonymous`, as the unit of work binds them."""
        return ANONYMOUS if name == "anonymous" else Principal(self.ids[name], ROLES[name])


async def make(database: Database) -> Cast:
    """The cast in the database: verified accounts without passwords, mentors with hours and three seats, two packs."""
    cast = Cast()
    async with database.service(ServiceDoor.SEED) as uow:
        for name, role in ROLES.items():
            await add_user(
                uow, cast[name], cast.email(name), name.replace("_", " ").title(), role, ZONES.get(name)
            )
        await add_mentor(uow, cast["mentor"], "mentor", "Europe/Lisbon", WEEKDAYS)
        await add_mentor(uow, cast["other_mentor"], "other-mentor", "Asia/Tokyo", EVERY_EVENING)
        for student, mentor in (("student", "mentor"), ("other_student", "other_mentor")):
            cast.packs[student] = await packs.grant(
                uow, mentor_id=cast[mentor], student_id=cast[student], sessions=4, validity_days=45
            )
        await uow.commit()
    return cast


async def add_user(
    uow: UnitOfWork, id_: UUID, email: str, name: str, role: Role, zone: str | None = None
) -> None:
    """A verified account without a password."""
    now = datetime.now(UTC)
    values = {
        "id": id_,
        "email": email,
        "name": name,
        "role": role,
        "time_zone": zone or "UTC",
        "theme": "auto",
        "created_at": now,
        "email_verified_at": now,
    }
    await uow.session.execute(sa.insert(User).values(values))


async def link_discord(uow: UnitOfWork, user_id: UUID, discord_user_id: str) -> None:
    """Let a Discord account be somebody's, as if they had linked it long ago."""
    values = {"user_id": user_id, "provider": Provider.DISCORD, "subject": discord_user_id}
    await repository.add_identity(uow.session, values | {"name": "member", "created_at": datetime.now(UTC)})


async def add_mentor(
    uow: UnitOfWork, id_: UUID, slug: str, zone: str, hours: dict[str, list[list[int]]] | None, seats: int = 3
) -> None:
    """A mentor's profile for an account: an hour a session, every half hour, a day's notice, no buffers."""
    values = {
        "id": id_,
        "slug": slug,
        "headline": "",
        "bio": "",
        "time_zone": zone,
        "working_hours": hours,
        "max_active_students": seats,
        "created_at": datetime.now(UTC),
    }
    await uow.session.execute(sa.insert(Mentor).values(values))
