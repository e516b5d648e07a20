"""The worker as operators run it, `python -m jobs`: seen while it lives, stopped in seconds, killed without harm."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import signal
from collections import Counter
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.core.models import EventState, OutboxEvent
from app.core.queue import ALIVE_SECONDS
from app.core.rls import ServiceDoor
from app.core.templating import iso
from app.settings import Settings
from tests.booking.support import Desk as Booking
from tests.cast import Cast
from tests.jobs.conftest import move
from tests.support.processes import Program, kill, running, until
from tests.support.sandbox import RunningSandbox, running_sandbox

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REMINDS = re.compile("(Tomorrow|Soon|In an hour) with ")


def with_mail(settings: Settings, sandbox: RunningSandbox) -> Settings:
    return dataclasses.replace(settings, resend_url=f"{sandbox.url}/resend", resend_timeout_seconds=1.0)


@pytest.fixture
def mailing(quick: Settings, sandbox: RunningSandbox) -> Settings:
    return with_mail(quick, sandbox)


class Platform:
    """What is seen of a platform from outside its workers."""

    def __init__(self, database: Database, sandbox: RunningSandbox, cast: Cast) -> None:
        self.database, self.sandbox, self.cast = database, sandbox, cast

    async def workers(self) -> int:
        async with self.database.service(ServiceDoor.HEALTH) as uow:
            return int((await uow.session.execute(sa.text("select workers_alive()"))).scalar_one())

    async def has_worker(self) -> bool:
        return await self.workers() == 1

    async def has_none(self) -> bool:
        return await self.workers() == 0

    async def tell(self, who: str, wait: timedelta = timedelta()) -> UUID:
        """Have somebody told that their password was changed."""
        payload = {"kind": "password_changed", "user_id": self.cast[who]}
        async with self.database.service(ServiceDoor.JOB) as uow:
            event_id = await uow.emit("notification/send", payload, at=clock.now() + wait)
            await uow.commit()
        return event_id

    async def state(self, event_id: UUID) -> EventState:
        async with self.database.service(ServiceDoor.JOB) as uow:
            return (await uow.session.get_one(OutboxEvent, event_id)).state

    async def is_done(self, event_id: UUID) -> bool:
        return await self.state(event_id) is EventState.DONE

    async def is_sending(self) -> bool:
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.text("select count(*) from deliveries where state = 'sending'")
            return bool((await uow.session.execute(query)).scalar_one() == 1)

    def mails(self, who: str) -> list[dict[str, Any]]:
        """The mails that the tests are about; the cast's packs make others."""
        mails = self.sandbox.control.mailbox(self.cast.email(who))
        return [mail for mail in mails if mail["subject"] == "Your password was changed"]


@pytest.fixture
def platform(database: Database, sandbox: RunningSandbox, cast: Cast) -> Platform:
    return Platform(database, sandbox, cast)


def worker(settings: Settings) -> AbstractAsyncContextManager[Program]:
    return running(settings, "jobs")


async def test_a_worker_is_seen_works_and_stops(
    platform: Platform, either: Settings, sandbox: RunningSandbox
) -> None:
    async with worker(with_mail(either, sandbox)) as program:
        await until("the worker is seen", platform.has_worker)
        event_id = await platform.tell("student")
        await until("the event is done", lambda: platform.is_done(event_id))
        program.send_signal(signal.SIGTERM)
        async with asyncio.timeout(8):
            assert await program.wait() == 0
        assert await platform.workers() == 0
    assert len(platform.mails("student")) == 1


async def test_a_killed_worker_is_missed_soon(platform: Platform, mailing: Settings) -> None:
    async with worker(mailing) as program:
        await until("the worker is seen", platform.has_worker)
        await kill(program)
        await until("its absence is seen", platform.has_none, seconds=ALIVE_SECONDS + 2)


@pytest.mark.parametrize(
    ("either", "sign"),
    [("postgres", signal.SIGTERM), ("postgres", signal.SIGKILL), ("redis", signal.SIGKILL)],
    indirect=["either"],
)
async def test_a_mail_under_way_when_its_worker_ends_is_sent_once(
    platform: Platform, either: Settings, sandbox: RunningSandbox, sign: signal.Signals
) -> None:
    """Resend takes longer to answer than the worker has to stop; the next worker sends again, with the same key."""
    slow = dataclasses.replace(with_mail(either, sandbox), resend_timeout_seconds=6.0)
    async with worker(slow) as program:
        await until("the worker is seen", platform.has_worker)
        await until("the cast was told of its packs", lambda: nothing_left(platform))
        sandbox.control.chaos("resend", latency_ms=5500)
        event_id = await platform.tell("student")
        await until("the mail is under way", platform.is_sending)
        program.send_signal(sign)
        async with asyncio.timeout(8):
            await program.wait()
    sandbox.control.chaos()
    async with worker(with_mail(either, sandbox)):
        await until("the event is done", lambda: platform.is_done(event_id), seconds=60)
    assert len(platform.mails("student")) == 1


async def nothing_left(platform: Platform) -> bool:
    async with platform.database.service(ServiceDoor.JOB) as uow:
        left = await uow.session.execute(sa.text("select work_left(:now)"), {"now": clock.now()})
        return bool(left.scalar_one() == 0)


async def test_a_worker_survives_the_loss_of_all_its_connections(
    platform: Platform, mailing: Settings, admin_url: str
) -> None:
    """As after a restart of PostgreSQL."""
    hang_up = (
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'the worker'"
    )
    async with (
        running(mailing, "jobs", PGAPPNAME="the worker") as program,
        await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin,
    ):
        await until("the worker is seen", platform.has_worker)
        before = await platform.tell("student")
        await until("the event is done", lambda: platform.is_done(before))
        for round_ in range(3):
            row = await (await admin.execute(hang_up)).fetchone()
            assert row is not None
            assert row[0] > 0
            event_id = await platform.tell("mentor")
            await until(f"event {round_} is done", lambda id_=event_id: platform.is_done(id_), seconds=40)  # type: ignore[misc]
        assert program.returncode is None
    assert len(platform.mails("mentor")) == 3


async def test_a_worker_follows_the_clock(platform: Platform, mailing: Settings, clock_file: Path) -> None:
    async with worker(dataclasses.replace(mailing, clock_file=str(clock_file))):
        await until("the worker is seen", platform.has_worker)
        later = await platform.tell("student", timedelta(days=3))
        now = await platform.tell("student")
        await until("the event is done", lambda: platform.is_done(now))
        assert await platform.state(later) is EventState.NEW
        move(clock_file, timedelta(days=3))
        await until("the jump is noticed", lambda: platform.is_done(later), seconds=10)
    assert len(platform.mails("student")) == 2


async def test_the_sandbox_stops_where_people_are_to_be_reminded(
    database: Database, quick: Settings, cast: Cast, tmp_path: Path
) -> None:
    """With two workers; of two sessions one is canceled after both people were reminded of it the day before."""
    desk = Booking(database, Google(quick), cast)
    offers = [at for at in await desk.offers("student") if at > clock.now() + timedelta(days=2)]
    stays, goes = [(await desk.book("student", at)).session for at in (offers[0], offers[4])]
    stops: list[str] = []
    with running_sandbox(tmp_path, database_url=quick.database_service_url) as sandbox:
        clock_file = str(sandbox.settings.clock_file)
        settings = dataclasses.replace(with_mail(quick, sandbox), clock_file=clock_file)
        async with worker(settings), worker(settings):
            for at in (goes.start - DAY, goes.start):
                stops += (await asyncio.to_thread(sandbox.control.set_clock, iso(at)))["stops"]
                if at < goes.start:
                    await desk.cancel("mentor", goes.id)
        mails = sandbox.control.mailbox(cast.email("mentor"))
    dues = {session.start - before for session in (stays, goes) for before in (DAY, HOUR)}
    assert dues <= {datetime.fromisoformat(stop) for stop in stops}
    reminders = Counter(
        (session.id, mail["subject"].startswith("In an hour with "))
        for mail in mails
        for session in (stays, goes)
        if REMINDS.match(mail["subject"]) and str(session.id) in mail["text"]
    )
    assert reminders == {(stays.id, False): 1, (stays.id, True): 1, (goes.id, False): 1}


async def test_the_sandbox_moves_time_through_everything_that_is_due(
    database: Database, quick: Settings, cast: Cast, tmp_path: Path
) -> None:
    with running_sandbox(tmp_path, database_url=quick.database_service_url) as sandbox:
        platform, clock_file = Platform(database, sandbox, cast), sandbox.settings.clock_file
        settings = dataclasses.replace(with_mail(quick, sandbox), clock_file=str(clock_file))
        async with worker(settings):
            await until("the worker is seen", platform.has_worker)
            first = await platform.tell("student", timedelta(days=1))
            second = await platform.tell("student", timedelta(days=2))
            third = await platform.tell("student", timedelta(days=4))
            moved = await asyncio.to_thread(sandbox.control.advance, "P3D")
            assert len(moved["stops"]) >= 2
            assert await platform.is_done(first)
            assert await platform.is_done(second)
            assert await platform.state(third) is EventState.NEW
            assert len(platform.mails("student")) == 2
            await asyncio.to_thread(sandbox.control.advance, "P1D", jump=True)
            assert await platform.is_done(third)
