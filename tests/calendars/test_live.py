"""The live check: Google's word at this moment, the mirror put right by it, nothing half done without it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.calendars import service
from app.calendars.google import Google
from app.calendars.models import CalendarState
from app.core.errors import Unavailable
from tests.calendars.world import LateGoogle, World, soon, timed

IDLE = (
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and state like 'idle in transaction%'"
)


async def test_it_sees_what_the_mirror_does_not_know_yet(world: World) -> None:
    event = world.sandbox.control.add_event(timed(soon(3), 90))
    assert event["id"] not in await world.windows()
    assert await world.busy_live(soon(3, 10), soon(3, 11)) == [(soon(3), soon(3, 10, 30))]
    assert (await world.windows())[event["id"]] == (soon(3), soon(3, 10, 30))


async def test_it_takes_from_the_mirror_what_is_no_longer_there(world: World) -> None:
    event = world.sandbox.control.add_event(timed(soon(3)))
    elsewhere = world.sandbox.control.add_event(timed(soon(4)))
    await world.mirror()
    world.sandbox.control.delete_event(event["id"])
    world.sandbox.control.delete_event(elsewhere["id"])
    assert await world.busy_live(soon(3, 9), soon(3, 10)) == []
    windows = await world.windows()
    assert event["id"] not in windows
    assert elsewhere["id"] in windows, "other windows are not looked at"


async def test_spans_are_half_open(world: World) -> None:
    world.sandbox.control.add_event(timed(soon(3)))
    assert await world.busy_live(soon(3, 10), soon(3, 11)) == []
    assert await world.busy_live(soon(3, 8), soon(3, 9)) == []
    assert await world.busy_live(soon(3, 9, 59), soon(3, 11)) == [(soon(3), soon(3, 10))]


async def test_parts_of_a_second_count_as_busy(world: World) -> None:
    start = soon(3).replace(microsecond=500_000)
    body = timed(start)
    world.sandbox.control.add_event(body)
    ((begin, end),) = await world.busy_live(soon(3, 9), soon(3, 10))
    assert begin <= soon(3)
    assert end >= soon(3, 10)


async def test_own_events_do_not_count(world: World) -> None:
    mark = {"private": {"session_id": str(uuid4()), "version": "0"}}
    world.sandbox.control.add_event(timed(soon(3), extendedProperties=mark))
    assert await world.busy_live(soon(3, 9), soon(3, 10)) == []


async def test_without_a_difference_the_mirror_is_not_touched(world: World) -> None:
    before = await world.connection()
    await world.busy_live(soon(3, 8), soon(3, 20))
    after = await world.connection()
    assert before is not None
    assert after is not None
    assert after.mirror_version == before.mirror_version
    assert after.mirrored_at == before.mirrored_at


async def test_a_mentor_without_google_is_busy_with_nothing(world: World) -> None:
    spans = await service.busy_live(world.database, world.google, world.cast["other_mentor"], 0, 3600)
    assert spans == []


@pytest.mark.parametrize(
    "dial",
    [
        {"error_rate": 1, "status": 500},
        {"error_rate": 1, "status": 503},
        {"error_rate": 1, "status": 429},
        {"latency_ms": 4500},
    ],
)
async def test_google_in_trouble_is_told_in_time_and_changes_nothing(
    world: World, dial: dict[str, Any]
) -> None:
    before = await world.windows()
    world.sandbox.control.chaos("google", **dial)
    begun = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable) as caught:
        await world.busy_live(soon(3, 9), soon(3, 10))
    assert asyncio.get_running_loop().time() - begun < 4
    assert (caught.value.code, caught.value.status) == ("calendar_unavailable", 503)
    assert "nothing was booked" in caught.value.detail
    assert await world.windows() == before
    world.sandbox.control.chaos("google")
    assert await world.busy_live(soon(3, 9), soon(3, 10)) == []


async def test_google_unreachable_is_told(world: World) -> None:
    nowhere = dataclasses.replace(world.google.settings, google_calendar_url="http://127.0.0.1:9/")
    unreachable = Google(nowhere)
    with pytest.raises(Unavailable):
        await service.busy_live(world.database, unreachable, world.mentor_id, 0, 3600)
    unreachable.close()


async def test_a_revoked_grant_blocks_booking_and_is_told_once(world: World) -> None:
    world.sandbox.control.chaos("google", revoke=True)
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await world.busy_live(soon(3, 9), soon(3, 10))
        assert caught.value.code == "calendar_unavailable"
        assert "connected again" in caught.value.detail
    connection = await world.connection()
    assert connection is not None
    assert connection.state is CalendarState.REVOKED
    assert await world.told() == [{"kind": "calendar_revoked", "mentor_id": str(world.mentor_id)}]


async def test_an_access_token_that_ran_out_is_renewed(world: World) -> None:
    world.sandbox.control.call("POST", "/google/tokens/expire")
    assert await world.busy_live(soon(3, 9), soon(3, 10)) == []
    refreshed = len(world.requests("/token"))
    await world.busy_live(soon(3, 9), soon(3, 11))
    assert len(world.requests("/token")) == refreshed, "the new one is kept"


async def test_a_hundred_at_once_cost_google_two_questions(world: World) -> None:
    world.sandbox.control.add_event(timed(soon(3)))
    before = len(world.requests("/events"))
    answers = await asyncio.gather(*(world.busy_live(soon(3, 9), soon(3, 10)) for _ in range(100)))
    assert all(answer == [(soon(3), soon(3, 10))] for answer in answers)
    assert len(world.requests("/events")) - before <= 2


async def test_a_hundred_different_questions_at_once_are_all_answered(world: World) -> None:
    patient = Google(dataclasses.replace(world.google.settings, google_timeout_seconds=20))
    starts = [int(soon(3 + number // 24, number % 24).timestamp()) for number in range(100)]
    checks = [
        service.busy_live(world.database, patient, world.mentor_id, start, start + 3600) for start in starts
    ]
    assert len(await asyncio.gather(*checks)) == 100
    patient.close()


async def test_who_asks_after_a_change_never_gets_an_answer_from_before_it(world: World) -> None:
    late = LateGoogle(world.google.settings)
    window = int(soon(3, 9).timestamp()), int(soon(3, 10).timestamp())

    def ask() -> asyncio.Task[list[tuple[int, int]]]:
        return asyncio.create_task(service.busy_live(world.database, late, world.mentor_id, *window))

    early = ask()
    await late.answered.wait()
    world.sandbox.control.add_event(timed(soon(3)))
    after = [ask() for _ in range(3)]
    late.delivered.set()
    assert await early == []
    assert [len(spans) for spans in await asyncio.gather(*after)] == [1, 1, 1]
    late.close()


async def test_who_gives_up_waiting_does_not_stop_the_others(world: World) -> None:
    late = LateGoogle(world.google.settings)
    window = int(soon(3, 9).timestamp()), int(soon(3, 10).timestamp())
    tasks = [
        asyncio.create_task(service.busy_live(world.database, late, world.mentor_id, *window))
        for _ in range(2)
    ]
    await late.answered.wait()
    tasks[0].cancel()
    late.delivered.set()
    assert await tasks[1] == []
    late.close()


@pytest.mark.parametrize("what", ["check", "mirror"])
async def test_no_transaction_is_open_while_google_is_asked(world: World, admin_url: str, what: str) -> None:
    late = LateGoogle(world.google.settings)
    work: Coroutine[Any, Any, object] = (
        service.busy_live(world.database, late, world.mentor_id, 0, 3600)
        if what == "check"
        else service.mirror(world.database, late, world.mentor_id, full=True)
    )
    task = asyncio.create_task(work)
    await late.answered.wait()
    async with await psycopg.AsyncConnection.connect(admin_url) as connection:
        cursor = await connection.execute(IDLE)
        assert await cursor.fetchone() == (0,)
    late.delivered.set()
    await task
    late.close()


async def test_an_overtaken_check_asks_again(world: World) -> None:
    event = world.sandbox.control.add_event(timed(soon(3)))
    late = LateGoogle(world.google.settings)
    window = int(soon(3, 9).timestamp()), int(soon(3, 10).timestamp())
    check = asyncio.create_task(service.busy_live(world.database, late, world.mentor_id, *window))
    await late.answered.wait()
    world.sandbox.control.delete_event(event["id"])
    await world.mirror()
    late.delivered.set()
    assert await check == []
    assert event["id"] not in await world.windows()
    late.close()
