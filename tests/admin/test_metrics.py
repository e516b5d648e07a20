"""`/metrics`: in Prometheus' text format, for programs on this computer or whoever shows the token."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from litestar import Litestar

from app.asgi import create_app
from app.core import clock
from app.core.db import Database
from app.core.metrics import written
from app.core.rls import ServiceDoor
from app.core.watchdog import Deliveries, Reading
from app.settings import Settings
from tests.admin.conftest import Visit
from tests.admin.work import delivery, sql
from tests.cast import Cast

TOKEN = "a-long-random-text"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
# https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
LABEL = r'[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"([a-z_]+)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.e+-]+)")


def samples(text: str) -> dict[str, float]:
    """Each sample by name and labels; every line must be one, or a HELP or TYPE line of the name that follows."""
    assert text.endswith("\n")
    found: dict[str, float] = {}
    declared: list[str] = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in declared, "each name is declared once"
            declared.append(name)
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {declared[-1]} gauge"
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == declared[-1], "the samples of a name stand together"
            key = match[1] + (f"{{{match[2]}}}" if match[2] else "")
            assert key not in found
            found[key] = float(match[3])
    return found


async def asked(app: Litestar, address: str = "127.0.0.1", **headers: str | bytes) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, client=(address, 4711))
    named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        return await http.get(
            "/metrics",
            headers=[(name, value if isinstance(value, bytes) else value.encode()) for name, value in named],
        )


@pytest.fixture
async def guarded(open_settings: Settings) -> AsyncIterator[Litestar]:
    """The application with a token set."""
    app = create_app(dataclasses.replace(open_settings, metrics_token=TOKEN))
    yield app
    await app.state.database.dispose()


async def test_what_it_says(database: Database, app: Litestar, cast: Cast) -> None:
    await sql(database, "update outbox set state = 'done', done_at = now()")
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.emit("x/y", {}, at=clock.now() - timedelta(minutes=25))
        await uow.commit()
    await delivery(database, cast["student"], "uncertain")
    answer = await asked(app)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(answer.text)
    age = found.pop("mentorships_outbox_oldest_age_seconds")
    assert 1500 <= age < 1560
    assert found == {
        "mentorships_workers_alive": 0,
        "mentorships_last_sweep_timestamp_seconds": 0,
        "mentorships_outbox_waiting_events": 1,
        "mentorships_sending_stuck": 1,
        'mentorships_deliveries{state="uncertain",kind="pack_granted",channel="email",reason=""}': 1,
    }


async def test_programs_on_this_computer_read_it(app: Litestar) -> None:
    for address in ("127.0.0.1", "127.8.8.8", "::1"):
        assert (await asked(app, address)).status_code == 200
    for address in ("10.0.0.7", "192.168.1.4", "172.17.0.2", "203.0.113.9", "2001:db8::1", "testclient"):
        answer = await asked(app, address)
        assert (answer.status_code, "METRICS_TOKEN" in answer.text) == (403, True)


async def test_what_a_proxy_passes_on_comes_from_elsewhere(app: Litestar) -> None:
    assert (await asked(app, x_forwarded_for="127.0.0.1")).status_code == 403
    assert (await asked(app, forwarded="for=127.0.0.1")).status_code == 403


async def test_with_a_token_only_who_shows_it(guarded: Litestar) -> None:
    right = f"Bearer {TOKEN}"
    assert (await asked(guarded, "203.0.113.9", authorization=right)).status_code == 200
    assert (
        await asked(guarded, "10.0.0.7", authorization=right, x_forwarded_for="203.0.113.9")
    ).status_code == 200
    for wrong in (f"Bearer {TOKEN}x", "Bearer ", TOKEN, "Basic x", "Bearer é"):
        answer = await asked(guarded, authorization=wrong)
        assert answer.status_code == 401, wrong
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "mentorships_" not in answer.text
    assert (await asked(guarded)).status_code == 401, "from here, too"


@pytest.mark.parametrize("who", ["student", "mentor", "admin"])
async def test_nobody_gets_it_by_being_signed_in(guarded: Litestar, visit: Visit, who: str) -> None:
    browser = await visit(who)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.http.cookies.jar)
    assert cookies
    assert (await asked(guarded, cookie=cookies)).status_code == 401


def test_texts_are_escaped() -> None:
    odd = Deliveries('a"b', "c\\d", "e\nf", "", 1, NOON)
    reading = Reading(NOON, None, 1, 0, NOON + timedelta(hours=1), "x", {"t": 2}, [odd])
    found = samples(written(reading, timedelta(minutes=10)))
    assert found[r'mentorships_deliveries{state="a\"b",kind="c\\d",channel="e\nf",reason=""}'] == 1
    assert found['mentorships_outbox_dead_events{type="t"}'] == 2
    assert found["mentorships_outbox_oldest_age_seconds"] == 0, "never negative"
