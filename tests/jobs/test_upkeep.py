"""Purging: what is past its time goes, the rest stays, and a second run finds nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core import clock, retention
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.models import metadata
from tests.cast import Cast


async def insert(database: Database, table: str, **values: Any) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(sa.insert(metadata.tables[table]).values(values))
        await uow.commit()


async def purge(database: Database) -> dict[str, int]:
    """What a purge deletes, sorts without anything left out."""
    async with database.service(ServiceDoor.JOB) as uow:
        deleted = await retention.purge(uow)
        await uow.commit()
    return {sort.split(",", maxsplit=1)[0]: count for sort, count in deleted.items() if count}


async def both(database: Database, table: str, column: str, edge: timedelta, **values: Any) -> None:
    """Two rows: `column` a minute before and a minute after `edge` from now."""
    now = datetime.now(UTC)
    for number, nudge in enumerate((-1, 1)):
        own = {name: value(number) if callable(value) else value for name, value in values.items()}
        await insert(database, table, **own, **{column: now + edge + timedelta(minutes=nudge)})


async def test_what_is_past_its_time_is_purged_once(database: Database, cast: Cast) -> None:
    now = datetime.now(UTC)
    user = {"user_id": cast["student"], "created_at": now}
    browser = {"last_seen_at": now}
    secret = {"token_hash": lambda number: bytes([number])}
    await both(
        database,
        "web_sessions",
        "expires_at",
        timedelta(),
        **user,
        **secret,
        **browser,
        id=lambda _: new_id(),
    )
    await both(
        database,
        "email_tokens",
        "expires_at",
        -timedelta(days=7),
        **user,
        **secret,
        id=lambda _: new_id(),
        purpose="verify_email",
    )
    await both(
        database,
        "oauth_states",
        "expires_at",
        timedelta(),
        id=lambda _: new_id(),
        state_hash=lambda number: bytes([number]),
        browser_hash=b"",
        purpose="link",
        verifier="v",
        details={},
    )
    await both(
        database,
        "idempotency_keys",
        "created_at",
        -timedelta(hours=24),
        user_id=cast["student"],
        route="test",
        key=str,
        body_hash=b"",
        response={},
    )
    expected = {
        "answers kept for idempotency keys": 1,
        "trips to a consent page that nobody came back from": 1,
        "links in mails": 1,
        "signed-in browsers": 1,
    }
    assert await purge(database) == expected
    assert await purge(database) == {}


async def test_done_periodic_events_are_purged_after_two_days(database: Database) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        for key, state, days in (
            ("every:test:1", "done", 3),
            ("every:test:2", "done", 1),
            ("every:test:3", "dead", 9),
            ("session_booked:1", "done", 99),
        ):
            id_ = await uow.emit("test/tea", {}, key=key)
            change = sa.text("update outbox set state = :state, done_at = :at where id = :id")
            await uow.session.execute(
                change, {"id": id_, "state": state, "at": datetime.now(UTC) - timedelta(days=days)}
            )
        await uow.commit()
    assert await purge(database) == {"periodic events that are done": 1}
    assert await purge(database) == {}


async def test_a_moved_clock_signs_nobody_out(database: Database, cast: Cast) -> None:
    """Web sessions end by machine time, whatever the sandbox's clock says."""
    now = datetime.now(UTC)
    await insert(
        database,
        "web_sessions",
        id=new_id(),
        user_id=cast["student"],
        created_at=now,
        last_seen_at=now,
        token_hash=b"x",
        expires_at=now + timedelta(minutes=1),
    )
    with clock.standing_at(now + timedelta(days=90)):
        assert await purge(database) == {}
