"""The outbox alone: every event is claimed once, tried ten times at most, and never in the way of others."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from app.core import clock, outbox
from app.core.db import Database
from app.core.ids import new_id
from app.core.models import EventState, OutboxEvent
from app.core.outbox import Busy, Event, Retry
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.settings import Settings

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _business_time() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


async def emit(database: Database, count: int = 1, at: datetime | None = None) -> list[UUID]:
    async with database.service(ServiceDoor.JOB) as uow:
        ids = [await uow.emit("test/tea", {"number": number}, at=at or NOW) for number in range(count)]
        await uow.commit()
    return ids


async def claim(database: Database, now: datetime = NOW, limit: int = 100) -> list[UUID]:
    async with database.service(ServiceDoor.JOB) as uow:
        claimed = await outbox.claim_due(uow, now, limit)
        await uow.commit()
    return claimed


async def row(database: Database, event_id: UUID) -> OutboxEvent:
    async with database.service(ServiceDoor.JOB) as uow:
        return await uow.session.get_one(OutboxEvent, event_id)


async def begin(database: Database, event_id: UUID) -> Event | None:
    async with database.service(ServiceDoor.JOB) as uow:
        event = await outbox.begin(uow, event_id)
        await uow.commit()
    return event


class Handler:
    """Does what it is told, and remembers the events it saw."""

    def __init__(self, *ends: BaseException | None) -> None:
        self.seen: list[Event] = []
        self._ends = list(ends)

    async def __call__(self, event: Event) -> None:
        self.seen.append(event)
        end = self._ends.pop(0) if self._ends else None
        if end is not None:
            raise end


async def test_what_is_due_is_claimed_once_in_order(database: Database) -> None:
    late = await emit(database, 2, at=NOW - timedelta(minutes=1))
    early = await emit(database, 2, at=NOW - timedelta(minutes=2))
    await emit(database, 1, at=NOW + timedelta(microseconds=1))
    assert set(await claim(database, limit=2)) == set(early)
    assert set(await claim(database)) == set(late)
    assert await claim(database) == []
    assert len(await claim(database, NOW + timedelta(seconds=1))) == 1


async def test_three_relays_share_a_thousand_events(database: Database, settings: Settings) -> None:
    ids = await emit(database, 1000)
    relays = [Database(settings) for _ in range(3)]

    async def work(relay: Database) -> list[UUID]:
        mine: list[UUID] = []
        while batch := await claim(relay, limit=17):
            mine += batch
        return mine

    shares = await asyncio.gather(*(work(relay) for relay in relays))
    assert Counter(id_ for share in shares for id_ in share) == Counter(ids)
    assert all(shares)
    for relay in relays:
        await relay.dispose()


async def test_an_event_is_done_once(database: Database) -> None:
    (event_id,) = await emit(database)
    handler = Handler()
    await outbox.perform(database, event_id, handler)
    assert handler.seen == [], "not queued yet"
    await claim(database)
    await outbox.perform(database, event_id, handler)
    await outbox.perform(database, event_id, handler)
    assert handler.seen == [Event(event_id, "test/tea", {"number": 0}, 1)]
    done = await row(database, event_id)
    assert (done.state, done.done_at, done.attempts, done.last_error) == (EventState.DONE, NOW, 1, None)


async def test_a_failure_comes_back_later_and_then_succeeds(database: Database) -> None:
    (event_id,) = await emit(database)
    await claim(database)
    await outbox.perform(database, event_id, Handler(ValueError("no milk\nand a secret: 1234")))
    failed = await row(database, event_id)
    assert (failed.state, failed.attempts) == (EventState.NEW, 1)
    assert failed.last_error == "ValueError: no milk"
    assert timedelta(seconds=1.5) <= failed.available_at - NOW <= timedelta(seconds=2.5)
    assert await claim(database) == []
    await claim(database, NOW + timedelta(seconds=3))
    await outbox.perform(database, event_id, Handler())
    done = await row(database, event_id)
    assert (done.state, done.attempts, done.last_error) == (EventState.DONE, 2, None)


async def test_a_handler_may_ask_for_a_longer_wait(database: Database) -> None:
    (event_id,) = await emit(database)
    await claim(database)
    await outbox.perform(database, event_id, Handler(Retry("busy", after_seconds=90)))
    assert (await row(database, event_id)).available_at == NOW + timedelta(seconds=90)


async def test_a_handler_that_hangs_is_ended(database: Database) -> None:
    (event_id,) = await emit(database)
    await claim(database)

    async def hang(event: Event) -> None:
        await asyncio.Event().wait()

    await outbox.perform(database, event_id, hang, seconds=0.05)
    failed = await row(database, event_id)
    assert (failed.state, failed.last_error) == (EventState.NEW, "TimeoutError")


async def test_after_ten_attempts_an_event_is_dead_and_others_go_on(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    (doomed,) = await emit(database)
    waits, now = [], NOW
    for attempt in range(1, 11):
        with clock.standing_at(now):
            assert await claim(database, now) == [doomed]
            with caplog.at_level(logging.WARNING):
                await outbox.perform(database, doomed, Handler(RuntimeError("broken")))
        event = await row(database, doomed)
        assert event.attempts == attempt
        waits.append((event.available_at - now).total_seconds())
        now = event.available_at
    assert event.state is EventState.DEAD
    assert waits == sorted(waits)
    assert sum(waits[:-1]) > 7200
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [str(doomed) in record.getMessage() for record in errors] == [True]
    (next_one,) = await emit(database, at=now)
    assert await claim(database, now + timedelta(days=9)) == [next_one]


async def test_being_killed_is_no_failure(database: Database) -> None:
    (event_id,) = await emit(database)
    await claim(database)
    for start in range(1, 31):
        event = await begin(database, event_id)
        assert event is not None
        assert (event.attempts, event.starts, event.is_last_attempt) == (1, start, False)
    await outbox.perform(database, event_id, Handler(ValueError("no")))
    failed = await row(database, event_id)
    assert (failed.state, failed.attempts, failed.starts) == (EventState.NEW, 1, 31)


async def test_an_event_that_kills_its_workers_is_dead_in_the_end(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    (event_id,) = await emit(database)
    await claim(database)
    for _ in range(outbox.MAX_STARTS):
        assert await begin(database, event_id) is not None
    assert await begin(database, event_id) is None
    assert (await row(database, event_id)).state is EventState.DEAD
    assert f"{event_id} (test/tea) is dead" in caplog.text


async def test_waiting_for_somebody_else_is_no_attempt(database: Database) -> None:
    (event_id,) = await emit(database)
    now = NOW
    for _ in range(15):
        with clock.standing_at(now):
            assert await claim(database, now) == [event_id]
            await outbox.perform(database, event_id, Handler(Busy("another worker has it", after_seconds=30)))
        waiting = await row(database, event_id)
        assert (waiting.state, waiting.attempts) == (EventState.NEW, 0)
        assert waiting.available_at == now + timedelta(seconds=30)
        now = waiting.available_at


async def test_the_last_attempt_knows_it(database: Database) -> None:
    (event_id,) = await emit(database)
    handler, now = Handler(*(ValueError("no") for _ in range(10))), NOW
    for _ in range(10):
        with clock.standing_at(now):
            await claim(database, now)
            await outbox.perform(database, event_id, handler)
        now = (await row(database, event_id)).available_at
    assert [event.is_last_attempt for event in handler.seen] == [False] * 9 + [True]


async def test_a_stale_attempt_changes_nothing(database: Database) -> None:
    (event_id,) = await emit(database)
    await claim(database)
    slow = await begin(database, event_id)
    await begin(database, event_id)
    assert slow is not None
    async with database.service(ServiceDoor.JOB) as uow:
        await outbox.fail(uow, slow, ValueError("too late"), NOW)
        await uow.commit()
    assert (await row(database, event_id)).state is EventState.QUEUED


async def test_success_counts_whoever_reports_it(database: Database) -> None:
    (event_id,) = await emit(database)
    await claim(database)
    event = await begin(database, event_id)
    assert event is not None
    async with database.service(ServiceDoor.JOB) as uow:
        await outbox.fail(uow, event, ValueError("no"), NOW)
        await outbox.finish(uow, event_id, NOW)
        await uow.commit()
    assert (await row(database, event_id)).state is EventState.DONE


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 2), (2, 6), (5, 162), (8, 3600), (10, 3600)])
def test_waits_grow_and_spread(attempt: int, seconds: float) -> None:
    waits = [outbox.delay_seconds(attempt, new_id()) for _ in range(200)]
    assert all(0.8 * seconds <= wait <= 1.2 * seconds for wait in waits)
    assert max(waits) - min(waits) > 0.2 * seconds


@pytest.mark.parametrize("id_", [UUID(int=0), UUID(int=0xFFFF)])
def test_an_outage_of_two_hours_is_survived_however_the_waits_spread(id_: UUID) -> None:
    assert (
        7200 < sum(outbox.delay_seconds(attempt, id_) for attempt in range(1, outbox.MAX_ATTEMPTS)) < 4 * 3600
    )


async def test_a_rolled_back_change_leaves_no_event(database: Database) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.emit("test/tea", {})
    assert await claim(database) == []


async def test_equal_keys_are_one_event(database: Database) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        for _ in range(3):
            await uow.emit("test/tea", {}, key="tea")
        await uow.commit()
    assert len(await claim(database)) == 1


async def test_people_write_events_and_do_not_read_them(database: Database) -> None:
    student = Principal(new_id(), Role.STUDENT)
    async with database.unit_of_work(student) as uow:
        await uow.emit("test/tea", {"user_id": student.user_id})
        await uow.commit()
    async with database.unit_of_work(student) as uow:
        assert (await uow.session.execute(sa.text("select count(*) from outbox"))).scalar_one() == 0
        for statement in ("update outbox set payload = '{}'", "delete from outbox"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                await uow.session.execute(sa.text(statement))
            await uow.rollback()
        await uow.session.execute(sa.text("update outbox set state = 'done'"))  # no row is theirs
        await uow.commit()
    assert len(await claim(database)) == 1
