"""How sending stands: what waits for too long and what doesn't, who may read it, and the page that says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from app.admin import health
from app.core import clock, outbox, watchdog
from app.core.db import Database
from app.core.outbox import Event, Retry
from app.core.rls import ServiceDoor
from app.core.watchdog import Reading
from app.settings import Settings
from tests.accounts.browser import Browser
from tests.admin.conftest import Visit
from tests.admin.work import dead, delivery, sql
from tests.cast import Cast
from tests.support.queries import counted

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMIT = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.standing_at(NOON):
        yield


@pytest.fixture
async def quiet(database: Database, cast: Cast) -> None:
    """The cast's own events are done."""
    await sql(database, "update outbox set state = 'done', done_at = :now", now=NOON)


async def reading(database: Database) -> Reading:
    async with database.service(ServiceDoor.JOB) as uow:
        return await watchdog.read(uow)


async def event(database: Database, wait: timedelta = timedelta(), kind: str = "pack_granted") -> UUID:
    async with database.service(ServiceDoor.JOB) as uow:
        event_id = await uow.emit("notification/send", {"kind": kind}, at=clock.now() + wait)
        await uow.commit()
    return event_id


async def attempt(database: Database, event_id: UUID, error: Exception | None) -> None:
    """One attempt at it, as a worker makes it."""

    async def handle(event: Event) -> None:
        if error is not None:
            raise error

    async with database.service(ServiceDoor.JOB) as uow:
        await outbox.claim_due(uow, clock.now())
        await uow.commit()
    await outbox.perform(database, event_id, handle)


@pytest.mark.usefixtures("quiet")
async def test_nothing_waits(database: Database) -> None:
    found = await reading(database)
    assert (found.waiting, found.oldest, found.waited, found.workers) == (0, None, timedelta(), 0)
    assert not found.is_stuck(timedelta())


@pytest.mark.usefixtures("quiet")
async def test_what_is_due_waits_since_it_was_due(database: Database) -> None:
    await event(database, 3 * MINUTE)
    await event(database, timedelta(days=2), "session_reminder_day")
    with clock.standing_at(NOON + 2 * MINUTE):
        assert (await reading(database)).oldest is None
    with clock.standing_at(NOON + 13 * MINUTE):
        found = await reading(database)
        assert (found.waiting, found.waited, found.oldest_what) == (1, 10 * MINUTE, "pack_granted")
        assert not found.is_stuck(LIMIT)
    with clock.standing_at(NOON + 14 * MINUTE):
        assert (await reading(database)).is_stuck(LIMIT)


@pytest.mark.usefixtures("quiet")
async def test_what_was_put_off_goes_on_waiting(database: Database) -> None:
    event_id = await event(database)
    with clock.standing_at(NOON + MINUTE):
        await attempt(database, event_id, Retry("no answer", after_seconds=3600))
        found = await reading(database)
    assert (found.waiting, found.oldest) == (1, NOON), "its next attempt is an hour away"
    with clock.standing_at(NOON + 11 * MINUTE):
        assert (await reading(database)).is_stuck(LIMIT)
    with clock.standing_at(NOON + 62 * MINUTE):
        await attempt(database, event_id, Retry("no answer"))
        assert (await reading(database)).oldest == NOON, "every attempt after it changes nothing"
        assert (await reading(database)).waiting == 1
    with clock.standing_at(NOON + 90 * MINUTE):
        await attempt(database, event_id, None)
        assert (await reading(database)).oldest is None


@pytest.mark.usefixtures("quiet")
async def test_what_is_under_way_waits_too(database: Database) -> None:
    await event(database)
    async with database.service(ServiceDoor.JOB) as uow:
        await outbox.claim_due(uow, NOON)
        await uow.commit()
    with clock.standing_at(NOON + 11 * MINUTE):
        assert (await reading(database)).is_stuck(LIMIT)


@pytest.mark.usefixtures("quiet")
async def test_another_try_by_hand_begins_anew(database: Database) -> None:
    event_id = await dead(database, due_at=NOON - timedelta(days=3))
    assert (await reading(database)).dead == {"test/tea": 1}
    assert (await reading(database)).oldest is None, "what gave up is told apart"
    async with database.service(ServiceDoor.JOB) as uow:
        assert await outbox.retry(uow, event_id)
        await uow.commit()
    assert (await reading(database)).oldest == NOON


async def test_a_sweep_is_noted_and_never_goes_back(database: Database) -> None:
    for _ in range(2):
        async with database.service(ServiceDoor.JOB) as uow:
            await watchdog.swept(uow)
            await uow.commit()
    first = (await reading(database)).swept_at
    assert first is not None
    assert datetime.now(UTC) - first < timedelta(minutes=1), "machine time"
    await sql(database, "update watchdog set swept_at = :later", later=first + MINUTE)
    async with database.service(ServiceDoor.JOB) as uow:
        await watchdog.swept(uow)
        await uow.commit()
    assert (await reading(database)).swept_at == first + MINUTE


async def test_deliveries_are_counted_by_kind_channel_and_reason(database: Database, cast: Cast) -> None:
    old = NOON - timedelta(days=2)
    for state, reason, at, times in (
        ("failed", None, NOON, 2),
        ("failed", None, old, 5),
        ("skipped", "late", NOON, 3),
        ("skipped", "turned_off", NOON, 1),
        ("skipped", "late", old, 1),
        ("pending", None, old, 4),
        ("sent", None, NOON, 9),
    ):
        for _ in range(times):
            id_ = await delivery(database, cast["student"], state)
            await sql(
                database,
                "update deliveries set reason = :reason, created_at = :at where id = :id",
                reason=reason,
                at=at,
                id=id_,
            )
    found = {(one.state, one.reason): one.messages for one in (await reading(database)).deliveries}
    assert found == {
        ("failed", ""): 2,
        ("skipped", "late"): 3,
        ("skipped", "turned_off"): 1,
        ("pending", ""): 4,
    }


@pytest.mark.parametrize("who", ["student", "mentor", "anonymous"])
async def test_the_database_tells_nobody_else(database: Database, cast: Cast, who: str) -> None:
    async with database.unit_of_work(cast.principal(who)) as uow:
        with pytest.raises(ProgrammingError, match="for admins"):
            await watchdog.read(uow)
    async with database.unit_of_work(cast.principal(who)) as uow:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await uow.session.execute(sa.text("select * from health_reading(now(), now())"))


def told(**values: Any) -> list[str]:
    machine = datetime(2026, 3, 1, tzinfo=UTC)
    usual = {"at": NOON, "swept_at": machine, "workers": 2, "waiting": 0, "oldest": None, "oldest_what": None}
    found = Reading(**{**usual, "dead": {}, "deliveries": [], **values})  # type: ignore[arg-type]
    return health.troubles(found, Settings(), machine)


def test_what_is_wrong_is_said_in_sentences() -> None:
    machine = datetime(2026, 3, 1, tzinfo=UTC)
    assert told() == []
    assert told(swept_at=machine - timedelta(seconds=65)) == []
    assert told(swept_at=machine - timedelta(minutes=5)) == [
        "What was left behind was last looked for 5 minutes ago."
    ]
    assert told(workers=0, swept_at=None) == [
        "No worker is alive: nothing is sent and nothing is written until one is started."
    ]
    assert told(swept_at=None) == ["No worker has looked yet for what was left behind."]
    assert told(waiting=1, oldest=NOON - 25 * MINUTE, oldest_what="session_booked") == [
        "1 event waits to be done. The oldest (“A session was booked”) was due 25 minutes ago."
    ]
    assert told(waiting=3, oldest=NOON - 9 * MINUTE, oldest_what="x/y") == []
    assert told(dead={"x/y": 1, "z/y": 2}) == ["3 jobs gave up."]
    lost = watchdog.Deliveries("uncertain", "session_booked", "email", "", 1, NOON)
    assert told(deliveries=[lost]) == ["1 message of the last 24 hours didn’t arrive, as far as we know."]


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


@pytest.mark.usefixtures("quiet")
async def test_the_page_says_that_all_is_well(database: Database, admin: Browser) -> None:
    await sql(
        database, "insert into saq_stats (worker_id, expire_at) values ('w', extract(epoch from now()) + 600)"
    )
    async with database.service(ServiceDoor.JOB) as uow:
        await watchdog.swept(uow)
        await uow.commit()
    assert "All is well" in (await admin.get("/admin/jobs")).text
    assert "banner-loss" not in (await admin.get("/admin")).text


async def test_the_page_tells_what_is_wrong(database: Database, admin: Browser, cast: Cast) -> None:
    await event(database)
    await delivery(database, cast["student"], "failed", "refused by the post office")
    skipped = await delivery(database, cast["student"], "skipped")
    await sql(database, "update deliveries set reason = 'paused' where id = :id", id=skipped)
    with clock.standing_at(NOON + 30 * MINUTE):
        page = (await admin.get("/admin/jobs")).text
        overview = (await admin.get("/admin")).text
    for text in ("No worker is alive", "was due 30 minutes ago", "didn’t arrive, as far as we know"):
        assert text in page
    assert "All is well" not in page
    for text in ("refused", "the address takes no mail", "refused by the post office"):
        assert text in page
    assert "No worker is alive" in overview
    assert 'href="/admin/jobs"' in overview


async def test_dead_workers_are_noticed_without_them(database: Database, admin: Browser) -> None:
    await event(database)
    with clock.standing_at(NOON + timedelta(hours=2)):
        found = await reading(database)
        assert found.is_stuck(LIMIT)
        assert found.workers == 0
    assert (await admin.get("/api/health/ready")).status_code == 503


async def test_a_reading_is_one_query_and_walks_through_indexes(database: Database, cast: Cast) -> None:
    """100,000 deliveries and as many events that are done or for later: none of them is looked at."""
    await sql(
        database,
        "insert into deliveries (id, event_id, kind, channel, recipient_id, state, attempts, created_at)"
        " select gen_random_uuid(), gen_random_uuid(), 'pack_granted', 'email', :who, 'sent', 1,"
        " :now - n * interval '1 minute' from generate_series(1, 100000) n",
        who=cast["student"],
        now=NOON,
    )
    await sql(
        database,
        "insert into outbox (id, type, payload, key, state, attempts, created_at, available_at, done_at)"
        " select gen_random_uuid(), 'x/y', '{}', 'x' || n, case n % 2 when 0 then 'done' else 'new' end, 1, :now,"
        " :now + n * interval '1 minute', :now from generate_series(1, 100000) n",
        now=NOON,
    )
    await sql(database, "analyze deliveries")
    await sql(database, "analyze outbox")
    await delivery(database, cast["student"], "failed")
    with counted() as statements:
        found = await reading(database)
    assert len(statements) == 1
    assert found.count("failed") == 1
    rows_read = "select seq_tup_read from pg_stat_xact_user_tables where relname = :table"
    async with database.service(ServiceDoor.JOB) as uow:
        await watchdog.read(uow)
        for table in ("deliveries", "outbox"):
            assert (await uow.session.execute(sa.text(rows_read), {"table": table})).scalar_one() == 0
