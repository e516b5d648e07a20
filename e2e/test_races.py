"""Many people at once over HTTP, through one web process and through two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.accounts import service as accounts
from app.accounts import web_sessions
from app.accounts.authentication import SESSION_COOKIE
from app.core import tls
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

MENTOR = "mentor@example.test"
RACERS = 100
# The server closes idle connections after some seconds, which is no answer to a race.
ONE_REQUEST = httpx.Limits(max_keepalive_connections=0)


@pytest_asyncio.fixture(loop_scope="session")
async def database(platform: RunningPlatform) -> AsyncIterator[Database]:
    """The platform's database, to sign people in without passwords."""
    database = Database(Settings.from_env(platform.env))
    yield database
    await database.dispose()


async def browser_of(database: Database, settings: Settings, url: str, number: int) -> httpx.AsyncClient:
    """A signed-in browser of a load student, with a CSRF token."""
    async with database.service(ServiceDoor.SEED) as uow:
        user = await accounts.find_by_email(uow, f"load-{number:04}@example.test")
        assert user is not None
        secret = await web_sessions.start(uow, settings, user.id, web_sessions.Browser())
        await uow.commit()
    client = httpx.AsyncClient(
        base_url=url,
        cookies={SESSION_COOKIE: secret},
        timeout=60,
        limits=ONE_REQUEST,
        verify=tls.outgoing(),  # to make one for each takes longer than the race
    )
    await client.get("/privacy")
    client.headers.update({"x-csrftoken": client.cookies["csrftoken"], "HX-Request": "true"})
    return client


async def free_slots(client: httpx.AsyncClient, mentor_id: str) -> list[dict[str, str]]:
    """The mentor's slots of the next weeks, as the JSON endpoint offers them."""
    now = datetime.now(UTC)
    window = {
        "start": now.strftime("%Y-%m-%dT00:00:00Z"),
        "end": (now + timedelta(days=30)).strftime("%Y-%m-%dT00:00:00Z"),
    }
    answer = await client.get(f"/api/mentors/{mentor_id}/availability", params=window)
    slots: list[dict[str, str]] = answer.json()["slots"]
    return slots


async def mentor_of(database: Database) -> str:
    """The Lisbon mentor's id."""
    async with database.service(ServiceDoor.SEED) as uow:
        mentor = await accounts.find_by_email(uow, MENTOR)
        assert mentor is not None
        return str(mentor.id)


async def about(platform: RunningPlatform, session_id: str) -> tuple[list[Any], list[Any]]:
    """Events and mails about one session."""
    async with httpx.AsyncClient(base_url=platform.sandbox, timeout=60) as sandbox:
        events = (await sandbox.get(f"/control/google/calendars/{MENTOR}/events")).json()["items"]
        mails = (await sandbox.get("/control/mailbox")).json()["items"]
    ours = [event for event in events if session_id in str(event.get("extendedProperties"))]
    return ours, [mail for mail in mails if session_id in mail["text"]]


@pytest.mark.parametrize("webs", [1, 2])
async def test_a_hundred_students_race_for_one_slot(
    platform: RunningPlatform, database: Database, webs: int
) -> None:
    platform.command("seed", "load", "--students", str(RACERS), "--mentor", MENTOR, "--credits", "1")
    settings = Settings.from_env(platform.env)
    mentor_id = await mentor_of(database)
    with platform.another_web() as second:
        urls = [platform.url, second][:webs]
        racers = [await browser_of(database, settings, urls[n % webs], n + 1) for n in range(RACERS)]
        slot = (await free_slots(racers[0], mentor_id))[-1 - webs]
        form = {"mentor_id": mentor_id, "start": slot["start"]}
        answers = await asyncio.gather(
            *(
                racer.post("/sessions", data={**form, "idempotency_key": f"race-{webs}-{n}"})
                for n, racer in enumerate(racers)
            )
        )
        for racer in racers:
            await racer.aclose()
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [409] * (RACERS - 1)
    refused = [answer.text for answer in answers if answer.status_code == 409]
    assert all('id="day"' in text and "<html" not in text for text in refused)
    assert not any(f'value="{slot["start"]}"' in text for text in refused)
    session_id = await booked_at(database, mentor_id, slot["start"])
    events, mails = await until(lambda: settled(platform, session_id))
    assert (len(events), len(mails)) == (1, 2)


async def settled(platform: RunningPlatform, session_id: str) -> tuple[list[Any], list[Any]] | None:
    """Events and mails, once nothing is left to do."""
    events, mails = await about(platform, session_id)
    return (events, mails) if events and len(mails) >= 2 else None


async def booked_at(database: Database, mentor_id: str, start: str) -> str:
    """The id of the one scheduled session of the mentor at `start`."""
    async with database.service(ServiceDoor.SEED) as uow:
        query = text(
            "select id from sessions where mentor_id = :m and scheduled_at = :s and status = 'scheduled'"
        )
        values = {"m": mentor_id, "s": datetime.fromisoformat(start)}
        return str((await uow.session.execute(query, values)).scalar_one())


async def test_one_credit_and_ten_requests_hold_one_session(
    platform: RunningPlatform, database: Database
) -> None:
    (token,) = platform.command(
        "seed",
        "load",
        "--students",
        "1",
        "--mentor",
        "mentor-adelaide@example.test",
        "--credits",
        "1",
        "--tokens",
    ).split()
    async with database.service(ServiceDoor.SEED) as uow:
        mentor = await accounts.find_by_email(uow, "mentor-adelaide@example.test")
        assert mentor is not None
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=platform.url, headers=headers, timeout=60) as client:
        slots = (await free_slots(client, str(mentor.id)))[::3][:10]
        assert len(slots) == 10
        answers = await asyncio.gather(
            *(
                client.post("/api/sessions", json={"mentor_id": str(mentor.id), "start": slot["start"]})
                for slot in slots
            )
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes == {"no_credit"}
