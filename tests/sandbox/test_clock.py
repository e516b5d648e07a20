"""The clock that stops wherever the platform has something to do, on a database with its two functions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from app.dev.roles import DatabaseUrls
from sandbox.clock import BusinessClock
from tests.support.postgres import TestServer
from tests.support.sandbox import running_sandbox

FUNCTIONS = """
create table dues (at timestamptz primary key, done timestamptz);
create function next_due_at(after timestamptz) returns timestamptz language sql stable as
    'select min(at) from dues where at > after';
create function work_left(as_of timestamptz) returns bigint language sql stable as
    'select count(*) from dues where at <= as_of and done is null';
grant select, update on dues to public;
"""


@pytest.fixture
def urls(server: TestServer) -> Iterator[DatabaseUrls]:
    """A database that holds nothing but what becomes due."""
    with server.empty("clock") as urls:
        with psycopg.connect(urls.database_owner_url, autocommit=True) as owner:
            owner.execute(FUNCTIONS)
        yield urls


class Worker:
    """Does what is due in business time, noting when it did, and then makes one thing due a day later."""

    def __init__(self, urls: DatabaseUrls, clock: BusinessClock) -> None:
        self._urls = urls
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _work(self) -> None:
        statement = "update dues set done = %(now)s where done is null and at <= %(now)s"
        with psycopg.connect(self._urls.database_service_url, autocommit=True) as connection:
            while not self._stop.wait(0.05):
                connection.execute(statement, {"now": self._clock.now()})


def due(urls: DatabaseUrls, *hours: int) -> list[datetime]:
    """Let something become due in so many hours each."""
    now = datetime.now(UTC).replace(microsecond=0)
    instants = [now + timedelta(hours=hour) for hour in hours]
    with psycopg.connect(urls.database_owner_url, autocommit=True) as owner:
        for instant in instants:
            owner.execute("insert into dues values (%s)", [instant])
    return instants


def rows(urls: DatabaseUrls) -> list[tuple[Any, ...]]:
    with psycopg.connect(urls.database_owner_url) as owner:
        return owner.execute("select at, done from dues order by at").fetchall()


def test_it_stops_at_every_instant_something_becomes_due(urls: DatabaseUrls, tmp_path: Path) -> None:
    instants = due(urls, 1, 2, 30, 100)
    with (
        running_sandbox(tmp_path, database_url=urls.database_service_url) as sandbox,
        Worker(urls, BusinessClock(sandbox.settings.clock_file)),
    ):
        moved = sandbox.control.advance("P3D")
    assert [datetime.fromisoformat(stop) for stop in moved["stops"]] == instants[:3]
    for at, done in rows(urls)[:3]:
        assert at <= done < at + timedelta(minutes=1), "done at its time, not at the end of the move"
    assert rows(urls)[3][1] is None
    assert moved["offset_seconds"] == pytest.approx(3 * 86400, abs=1)


def test_a_jump_makes_everything_late_at_once(urls: DatabaseUrls, tmp_path: Path) -> None:
    due(urls, 1, 30)
    with (
        running_sandbox(tmp_path, database_url=urls.database_service_url) as sandbox,
        Worker(urls, BusinessClock(sandbox.settings.clock_file)),
    ):
        moved = sandbox.control.advance("P3D", jump=True)
    assert moved["stops"] == []
    for at, done in rows(urls):
        assert done > at + timedelta(hours=30), "done after the downtime"


def test_it_says_so_if_the_platform_does_not_get_idle(urls: DatabaseUrls, tmp_path: Path) -> None:
    first, _ = due(urls, 1, 30)
    with running_sandbox(tmp_path, database_url=urls.database_service_url, idle_seconds=0.3) as sandbox:
        with pytest.raises(httpx.HTTPStatusError) as raised:
            sandbox.control.advance("P3D")
        assert raised.value.response.status_code == 504
        assert "1 left to do" in raised.value.response.json()["error"]
        now = datetime.fromisoformat(sandbox.control.call("GET", "/clock")["now"])
        assert first <= now < first + timedelta(minutes=5), "it stays at the stop"
        page = sandbox.http.post("/clock", data={"advance": "P1D"})
        assert page.status_code == 504
        assert "1 left to do" in page.text


def test_a_database_out_of_reach_is_told(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, database_url="postgresql://nobody@127.0.0.1:9/nothing") as sandbox:
        with pytest.raises(httpx.HTTPStatusError) as raised:
            sandbox.control.advance("P3D")
        assert raised.value.response.status_code == 502
        assert sandbox.control.call("GET", "/clock")["offset_seconds"] == 0
