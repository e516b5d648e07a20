"""The admin's lists with a whole school on the platform: `python -m bench lists`. Baselines are limits."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import uvloop

from app.accounts import service as accounts
from app.accounts import web_sessions
from app.accounts.authentication import SESSION_COOKIE
from app.accounts.web_sessions import Browser
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.settings import Settings
from bench import crowd, load
from bench.audience import Audience
from bench.load import UnexpectedAnswer
from bench.result import Effort, Result, say
from bench.stage import Stage
from bench.web import PLATFORM

LIST = "/admin/instructors"
COLUMNS = ("name", "email", "active_mentees", "sessions_completed", "inventory", "joined")
PAGE_MS, ROW_MS, FIRST_MS, FILE_MB = 60.0, 30.0, 200.0, 80.0
MENTOR = "00000000-0000-7000-8001-000000000003"
MB = 1024


def run(stage: Stage, _: Audience, effort: Effort) -> Iterator[Result]:
    """Every order of the list both ways, a row that opens, and the file of all relations.

    Raises load.UnexpectedAnswer where an answer isn't what is measured.
    """
    say(f"gathering {effort.crowd}")
    crowd.gather(stage.settings.database_owner_url, effort.crowd, clock.now())
    cookie = asyncio.run(_admin(stage.settings))
    with stage.served(PLATFORM) as (port, pid):
        try:
            yield from _lists(port, cookie, effort)
            yield from _file(port, pid, cookie, effort)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{error}\n{stage.said(PLATFORM)}") from error


def _lists(port: int, cookie: str, effort: Effort) -> Iterator[Result]:
    page = {"cookie": f"{SESSION_COOKIE}={cookie}"}
    part = {**page, "hx-request": "true"}
    yield _median(f"GET {LIST}, the first page", port, load.get(LIST, page), PAGE_MS, effort)
    for column, way in itertools.product(COLUMNS, ("", "-")):
        where = f"{LIST}?sort={way}{column}"
        yield _median(f"GET {LIST} by {way}{column}", port, load.get(where, page), PAGE_MS, effort)
    row = load.get(f"{LIST}/{MENTOR}/mentees", part)
    yield _median(f"GET {LIST}/{{id}}/mentees, a row that opens", port, row, ROW_MS, effort)


def _median(name: str, port: int, request: bytes, limit: float, effort: Effort) -> Result:
    """Half of the answers took no longer, over one connection."""

    def ask(seconds: float) -> load.Tally:
        requests = itertools.repeat(request)
        return uvloop.run(load.run(port, requests, expected=200, connections=1, seconds=seconds))

    ask(effort.warm_up)
    tally = ask(effort.seconds)
    return _limited(name, tally.median_ms, "ms", limit, tally.count)


def _file(port: int, pid: int, cookie: str, effort: Effort) -> Iterator[Result]:
    """From asking to the first relation in hand, and what the process's memory grew by at its highest."""
    before = _kilobytes(pid, "VmRSS")
    firsts = [_first_relation(port, cookie)[0] for _ in range(1 + effort.rounds)]
    began = time.perf_counter()
    _, answer = _first_relation(port, cookie, whole=True)
    say(f"{answer} relations in {time.perf_counter() - began:.1f} s")
    if answer < effort.crowd.students:
        raise UnexpectedAnswer(f"{LIST}/csv: {answer} relations")
    grown = max(0, _kilobytes(pid, "VmHWM") - before) / MB
    yield _limited(f"GET {LIST}/csv, the first relation", median(firsts[1:]), "ms", FIRST_MS, effort.rounds)
    yield _limited(f"GET {LIST}/csv, memory", grown, "MB", FILE_MB, answer)


def _first_relation(port: int, cookie: str, *, whole: bool = False) -> tuple[float, int]:
    """Milliseconds to the first relation; and how many relations were read, of the whole file or before hanging up."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.perf_counter()
    connection.request("GET", f"{LIST}/csv", headers={"cookie": f"{SESSION_COOKIE}={cookie}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise UnexpectedAnswer(f"{LIST}/csv: status {answer.status}")
    answer.readline()
    if not answer.readline():
        raise UnexpectedAnswer(f"{LIST}/csv: no relation")
    first_ms = (time.perf_counter() - began) * 1000
    read = 1 + sum(1 for _ in answer) if whole else 1
    connection.close()
    return first_ms, read


def _limited(name: str, value: float, unit: str, limit: float, n: int) -> Result:
    said = round(value, 1)
    return Result(name, said, unit, limit, round(said / limit, 5), n, 1)


def _kilobytes(pid: int, what: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(f"{what}:"))


async def _admin(settings: Settings) -> str:
    """An admin's session cookie."""
    database = Database(settings)
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            id_ = await accounts.create_user(
                uow, name="Admin", email="admin@example.test", role=Role.ADMIN, time_zone="UTC"
            )
            cookie = await web_sessions.start(uow, settings, id_, Browser("bench"))
            await uow.commit()
    finally:
        await database.dispose()
    return cookie
