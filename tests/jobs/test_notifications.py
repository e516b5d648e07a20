"""Composing a notification: once an event, in the transaction that records its mails, whoever asks how often."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from app import wiring
from app.core.db import Database
from app.core.ids import new_id
from app.core.models import OutboxEvent
from app.core.outbox import Event, Retry
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import Kind
from app.notifications.models import Delivery
from app.notifications.service import Message
from app.settings import Settings
from app.wiring import Platform
from jobs.events import NOTICES, notice_of, send_notification
from jobs.notifications import notify
from tests.cast import Cast, link_discord
from tests.notifications.examples import REQUIRED
from tests.support.sandbox import RunningSandbox

KIND = "password_changed"


@pytest.fixture
def platform(settings: Settings, database: Database, sandbox: RunningSandbox) -> Iterator[Platform]:
    addressed = dataclasses.replace(settings, resend_url=f"{sandbox.url}/resend")
    built = wiring.build(addressed)
    yield dataclasses.replace(built, database=database)
    built.google.close()


class Notice:
    """Tells the student; leaves a trace in the transaction that it is given."""

    def __init__(self, cast: Cast, *breaks: bool) -> None:
        self.cast, self.calls, self._breaks = cast, 0, list(breaks)

    async def __call__(
        self, uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]
    ) -> list[Message]:
        self.calls += 1
        await uow.emit("test/trace", {})
        if self._breaks and self._breaks.pop(0):
            raise LookupError("nobody there")
        return [Message(self.cast["student"], self.cast.email("student"), REQUIRED[KIND])]


def event() -> Event:
    return Event(new_id(), "notification/send", {"kind": KIND}, 1)


async def traces(database: Database) -> int:
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(sa.func.count()).select_from(OutboxEvent).where(OutboxEvent.type == "test/trace")
        return await uow.session.scalar(query) or 0


async def deliveries(database: Database) -> int:
    async with database.service(ServiceDoor.JOB) as uow:
        return await uow.session.scalar(sa.select(sa.func.count()).select_from(Delivery)) or 0


async def test_composed_once_for_ten_workers(platform: Platform, cast: Cast, sandbox: RunningSandbox) -> None:
    notice, told = Notice(cast), event()
    ends = await asyncio.gather(*(notify(platform, told, notice) for _ in range(10)), return_exceptions=True)
    assert all(end is None or isinstance(end, Retry) for end in ends)
    assert (notice.calls, await traces(platform.database)) == (1, 1)
    assert len(sandbox.control.mailbox()) == 1


async def test_a_retry_does_not_compose_again(
    platform: Platform, cast: Cast, sandbox: RunningSandbox
) -> None:
    notice, told = Notice(cast), event()
    sandbox.control.chaos("resend", error_rate=1, count=1)
    with pytest.raises(Retry):
        await notify(platform, told, notice)
    await notify(platform, told, notice)
    assert notice.calls == 1
    assert len(sandbox.control.mailbox()) == 1


async def test_a_failed_composition_leaves_nothing(
    platform: Platform, cast: Cast, sandbox: RunningSandbox
) -> None:
    notice, told = Notice(cast, True), event()
    with pytest.raises(LookupError):
        await notify(platform, told, notice)
    assert (await traces(platform.database), await deliveries(platform.database)) == (0, 0)
    await notify(platform, told, notice)
    assert (await traces(platform.database), len(sandbox.control.mailbox())) == (1, 1)


async def test_the_table_finds_who_composes(platform: Platform, cast: Cast, sandbox: RunningSandbox) -> None:
    payload = {"kind": KIND, "user_id": str(cast["student"])}
    await send_notification(platform, Event(new_id(), "notification/send", payload, 1))
    (mail,) = sandbox.control.mailbox(cast.email("student"))
    assert mail["subject"] == "Your password was changed"
    assert "Hello Student," in mail["text"]


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_kind_has_somebody_who_composes_it(kind: Kind) -> None:
    """What comes by time alone is composed by its anchor, so that a new one needs no entry there."""
    assert callable(notice_of(kind))
    assert (kind.name in NOTICES) is (kind.timed is None)


def test_nobody_composes_what_is_not_in_the_catalogue() -> None:
    assert set(NOTICES) <= set(CATALOGUE)


@pytest.mark.parametrize(
    ("kind", "gone", "told"),
    [
        ("renewal_reminder", "deleted_at = now()", False),
        ("refund_issued", "deleted_at = now()", True),
        ("renewal_reminder", "deleted_at = now(), forgotten_at = now()", False),
        ("refund_issued", "deleted_at = now(), forgotten_at = now()", False),
    ],
)
async def test_who_has_left_hears_of_their_money_alone(
    platform: Platform, cast: Cast, sandbox: RunningSandbox, kind: str, gone: str, told: bool
) -> None:
    async def both(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
        names = ("student", "mentor")
        return [Message(cast[name], cast.email(name), REQUIRED[kind] | {"role": name}) for name in names]

    async with platform.database.service(ServiceDoor.SEED) as uow:
        await link_discord(uow, cast["student"], "100000000000000003")
        await uow.session.execute(
            sa.text(f"update users set {gone} where id = :id"),
            {"id": cast["student"]},
        )
        await uow.commit()
    await notify(platform, Event(new_id(), "notification/send", {"kind": kind}, 1), both)
    assert bool(sandbox.control.mailbox(cast.email("student"))) is told
    assert len(sandbox.control.mailbox(cast.email("mentor"))) == 1
    recorded = "forgotten" not in gone  # of who is erased nothing is; their Discord is theirs again
    assert await deliveries(platform.database) == 1 + recorded
