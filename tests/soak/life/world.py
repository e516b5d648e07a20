"""The studio of a soak: mentors and students in many zones, packs on sale, a sandbox, the database, nobody at work yet."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import sqlalchemy as sa

from app import wiring
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.mentors import products
from app.mentors.product_rules import Offer
from app.settings import Settings
from app.wiring import Platform
from tests import cast as casting
from tests.support.postgres import TestServer
from tests.support.sandbox import RunningSandbox, running_sandbox

QUICK = {
    "outbox_sweep_seconds": 1.0,
    "job_heartbeat_seconds": 1,
    "job_sweep_seconds": 1,
    "resend_timeout_seconds": 2.0,
    "discord_timeout_seconds": 2.0,
    "database_pool_size": 12,
    "argon2_memory_kib": 64,
    "calendar_poll_minutes": 24 * 60,  # nobody has Google here
    "log_level": "CRITICAL",
}
IDLE_SECONDS = 200.0
MENTOR_ZONES = (
    *("Europe/Lisbon", "Asia/Tokyo", "Asia/Kolkata", "America/New_York", "Europe/Berlin"),
    *("Australia/Sydney", "America/Sao_Paulo", "Africa/Nairobi", "America/Los_Angeles", "Pacific/Auckland"),
)
STUDENT_ZONES = (*MENTOR_ZONES, "Asia/Kathmandu", "America/St_Johns", "Europe/London", "UTC")
# Minutes from midnight by weekday; the early ones lie where clocks change.
HOURS = (
    {str(day): [[540, 720], [810, 1080]] for day in range(1, 6)},
    {str(day): [[60, 240], [1080, 1320]] for day in range(1, 8)},
    {str(day): [[1080, 1320]] for day in range(1, 7)},
)
PACKS = ((4, 35), (4, 45), (2, 30), (1, 30), (6, 40))
"""Sessions and days of the packs on sale."""
SEATS = (3, 6)
_EVERY_HOUR = sa.text("update mentors set step_minutes = 60 where id = :id")


@dataclass
class World:
    """Who and what there is; ids."""

    platform: Platform
    sandbox: RunningSandbox
    settings: Settings
    admin: UUID
    mentors: list[UUID] = field(default_factory=list)
    students: list[UUID] = field(default_factory=list)
    products: dict[UUID, list[UUID]] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.platform.database

    def as_admin(self) -> Principal:
        return Principal(self.admin, Role.ADMIN)

    def as_student(self, id_: UUID) -> Principal:
        return Principal(id_, Role.STUDENT)

    def as_mentor(self, id_: UUID) -> Principal:
        return Principal(id_, Role.MENTOR)


@asynccontextmanager
async def opened(settings: Settings, folder: Path) -> AsyncIterator[World]:
    """A studio on the database of `settings`, with an admin and nobody else; its clock stands where machine time is."""
    with running_sandbox(
        folder, database_url=settings.database_service_url, idle_seconds=IDLE_SECONDS
    ) as sandbox:
        given = {name.lower(): value for name, value in sandbox.platform_settings().items()}
        played = dataclasses.replace(settings, **(given | QUICK))
        platform = wiring.build(played)
        try:
            yield World(platform, sandbox, played, new_id())
        finally:
            await platform.close()
            clock.follow("")


@asynccontextmanager
async def own_studio() -> AsyncIterator[World]:
    """A studio with a database of its own, for `make soak`."""
    with ExitStack() as stack:
        server = TestServer.of_kind("embedded")
        stack.enter_context(server.running())
        urls = stack.enter_context(server.clone("lifecycle"))
        secrets = {
            "SECRET_KEY": server.secrets.secret_key,
            "ENCRYPTION_KEYS": server.secrets.encryption_keys,
        }
        folder = Path(stack.enter_context(_folder()))
        settings = Settings.from_env({**urls.as_env(), **secrets, "DATA_DIR": str(folder)})
        async with opened(settings, folder / "sandbox") as world:
            yield world


def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="lifecycle-")


async def populate(world: World, rng: random.Random, mentors: int, students: int) -> None:
    """People with verified accounts; each mentor sells a few packs and has fewer seats than students would like."""
    async with world.database.service(ServiceDoor.SEED) as uow:
        await casting.add_user(uow, world.admin, "admin@example.test", "Ada Winter", Role.ADMIN)
        for number in range(mentors):
            id_, zone = new_id(), MENTOR_ZONES[number % len(MENTOR_ZONES)]
            name = f"Mentor {number:02}"
            await casting.add_user(uow, id_, f"mentor-{number:02}@example.test", name, Role.MENTOR, zone)
            hours, seats = HOURS[number % len(HOURS)], rng.randint(*SEATS)
            await casting.add_mentor(uow, id_, f"mentor-{number:02}", zone, hours, seats=seats)
            await uow.session.execute(_EVERY_HOUR, {"id": id_})
            world.mentors.append(id_)
            world.products[id_] = [
                await products.create(uow, id_, _pack(size, days)) for size, days in rng.sample(PACKS, 2)
            ]
        for number in range(students):
            id_, zone = new_id(), STUDENT_ZONES[number % len(STUDENT_ZONES)]
            email = f"student-{number:02}@example.test"
            await casting.add_user(uow, id_, email, f"Student {number:02}", Role.STUDENT, zone)
            world.students.append(id_)
        await uow.commit()


def _pack(sessions: int, days: int) -> Offer:
    return Offer(
        title=f"{sessions} sessions",
        description="",
        price_minor=5_000 * sessions,
        currency="EUR",
        sessions_per_pack=sessions,
        validity_days=days,
    )


def begin(days: int, now: datetime) -> datetime:
    """When to begin so that clocks change in Europe, and for long runs in America, amid `days`: noon UTC of a day."""
    changes = (_last_sunday(year, month) for year in range(now.year, now.year + 3) for month in (3, 10))
    before = timedelta(days=min(days // 2, 30))
    starts = (change - before for change in changes)
    return next(start for start in starts if start > now + timedelta(hours=1))


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 12, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)
