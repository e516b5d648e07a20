"""The alert: every admin once an hour while something waits for too long, the log each time; nobody once it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app import wiring
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.settings import Settings
from app.wiring import Platform
from jobs.events import EVENTS, periodic
from tests.admin.work import sql
from tests.cast import Cast

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOON):
        yield


@pytest.fixture
async def platform(settings: Settings) -> AsyncIterator[Platform]:
    platform = wiring.build(settings)
    yield platform
    await platform.close()


@pytest.fixture
async def waiting(database: Database, cast: Cast) -> None:
    """One event that is due at noon, and nothing else."""
    await sql(database, "update outbox set state = 'done', done_at = :now", now=NOON)
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.emit("payment/sync", {"order_id": str(new_id())}, key="the-one")
        await uow.commit()


async def look(platform: Platform, after: timedelta) -> None:
    with clock.standing_at(NOON + after):
        await EVENTS["watchdog/look"](platform, Event(new_id(), "watchdog/look", {}, 1))


async def alerts(database: Database) -> list[Event]:
    query = "select id, type, payload from outbox where payload ->> 'kind' = 'sending_stuck' order by id"
    return [Event(row.id, row.type, row.payload, 1) for row in await sql(database, query)]


async def done(database: Database) -> None:
    await sql(database, "update outbox set state = 'done', done_at = :now where key = 'the-one'", now=NOON)


def test_it_looks_every_minute() -> None:
    assert [every.seconds for every in periodic(Settings()) if every.type == "watchdog/look"] == [60]


@pytest.mark.usefixtures("waiting")
async def test_people_are_alerted_once_an_hour_and_the_log_each_time(
    database: Database, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await look(platform, 10 * MINUTE)
        assert (await alerts(database), caplog.messages) == ([], []), "not yet"
        for minute in range(11, 71):
            await look(platform, minute * MINUTE)
        assert len(await alerts(database)) == 1
        assert len(caplog.messages) == 60
        assert "payment/sync" in caplog.messages[0]
        assert "for 11 minutes" in caplog.messages[0]
        await look(platform, 71 * MINUTE)
        assert len(await alerts(database)) == 2, "an hour later it is still so"


@pytest.mark.usefixtures("waiting")
async def test_several_workers_alert_once(database: Database, platform: Platform) -> None:
    await asyncio.gather(*(look(platform, 11 * MINUTE) for _ in range(5)))
    assert len(await alerts(database)) == 1


@pytest.mark.usefixtures("waiting")
async def test_every_admin_is_told(database: Database, platform: Platform, cast: Cast) -> None:
    await look(platform, 11 * MINUTE)
    (alert,) = await alerts(database)
    with clock.standing_at(NOON + 11 * MINUTE):
        await asyncio.gather(
            EVENTS["notification/send"](platform, alert), return_exceptions=True
        )  # the tests' vendors lead nowhere
    rows = await sql(
        database,
        "select recipient_id, state, reason, rendered from deliveries where kind = 'sending_stuck' and channel = 'email'",
    )
    assert [row.recipient_id for row in rows] == [cast["admin"]]
    assert rows[0].reason is None
    assert "11 minutes" in rows[0].rendered["subject"]
    assert "payment/sync" in rows[0].rendered["text"]
    assert "/admin/jobs" in rows[0].rendered["text"]


@pytest.mark.usefixtures("waiting")
async def test_what_is_over_before_anybody_was_told_is_told_to_nobody(
    database: Database, platform: Platform
) -> None:
    await look(platform, 11 * MINUTE)
    (alert,) = await alerts(database)
    await done(database)
    await sql(
        database, "update outbox set state = 'done', done_at = :now where id = :id", now=NOON, id=alert.id
    )
    with clock.standing_at(NOON + 12 * MINUTE):
        await EVENTS["notification/send"](platform, alert)
    rows = await sql(database, "select state, reason from deliveries where kind = 'sending_stuck'")
    assert rows
    assert {tuple(row) for row in rows} == {("skipped", "outdated")}
    await sql(database, "update outbox set state = 'new' where key = 'the-one'")
    await look(platform, 13 * MINUTE)
    assert len(await alerts(database)) == 2, "nobody was told, so the hour doesn't count"


@pytest.mark.usefixtures("waiting")
async def test_it_recovers_quietly(
    database: Database, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    await look(platform, 11 * MINUTE)
    await sql(database, "update outbox set state = 'done', done_at = :now", now=NOON)
    caplog.clear()
    await look(platform, 80 * MINUTE)
    assert len(await alerts(database)) == 1
    assert caplog.messages == []
