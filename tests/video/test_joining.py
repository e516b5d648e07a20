"""Who doesn't come in: handshakes that aren't accepted, tokens that open nothing, third people."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar

from app.asgi import create_app
from app.core import clock
from app.core.db import Database
from app.core.ids import hash_secret, new_id, new_secret
from app.settings import Settings
from tests.video.conftest import Open
from tests.video.sockets import ORIGIN, dialed
from tests.video.world import Meeting

BAD_TOKEN = {
    "type": "refused",
    "code": "bad_token",
    "detail": "This page’s key to the room is used or expired.",
}


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "https://elsewhere.example",
        "http://127.0.0.1:8001",
        "http://127.0.0.1",
        "http://127.0.0.1:8000.elsewhere.example",
        "http://127.0.0.1:8000@elsewhere.example",
        "ftp://127.0.0.1:8000",
        "http:127.0.0.1:8000",
    ],
)
async def test_pages_of_other_sites_open_nothing(meeting: Meeting, origin: str | None) -> None:
    """Browsers send the cookie whoever asks."""
    wire = await meeting.dial("student", origin=origin)
    assert (wire.accepted, wire.status, wire.problem["code"]) == (False, 403, "forbidden")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (ORIGIN, "127.0.0.1:8000"),
        ("https://school.example", "school.example"),
        (ORIGIN, "web-1.internal:8080"),
    ],
)
async def test_our_own_pages_do(meeting: Meeting, origin: str, host: str) -> None:
    """Those at the public address, and those at the very host that the socket asks for."""
    assert (await meeting.dial("student", origin=origin, host=host)).accepted


@pytest.mark.parametrize("cookie", [None, "", "x", "k" * 43])
async def test_nobody_opens_nothing(meeting: Meeting, cookie: str | None) -> None:
    wire = await meeting.dial("student", cookie=cookie)
    assert (wire.accepted, wire.status, wire.problem["code"]) == (False, 401, "unauthenticated")
    assert wire.headers["content-type"] == "application/problem+json"


async def test_an_access_token_opens_nothing(meeting: Meeting) -> None:
    """Sockets are for pages; a leaked token of a program is good for the addresses below /api/ only."""
    wire = await meeting.dial("student", cookie=None, authorization=f"Bearer {meeting.cookie('student')}")
    assert (wire.accepted, wire.status) == (False, 401)


async def test_a_server_that_can_not_answer_a_handshake_closes_it(meeting: Meeting) -> None:
    wire = await meeting.dial("student", cookie=None, extensions={})
    assert (wire.accepted, wire.code) == (False, 1008)


@pytest.mark.parametrize("path", ["x", "%00"])
async def test_what_is_no_id(app: Litestar, meeting: Meeting, path: str) -> None:
    async with dialed(app, path, meeting.cookie("student")) as wire:
        assert (wire.accepted, wire.status) == (False, 404)


async def test_a_browser_that_asks_for_a_page_there(meeting: Meeting) -> None:
    answer = await meeting.browsers["student"].get(f"/sessions/{meeting.session.id}/signal")
    assert answer.status_code in (404, 405)


@pytest.mark.usefixtures("within_a_minute")
async def test_too_many_handshakes(
    settings: Settings, database: Database, meeting: Meeting, browser_of: Open
) -> None:
    app = create_app(dataclasses.replace(settings, limits_scale=0.05))
    answers: list[int | None] = []
    for _ in range(8):
        async with dialed(app, meeting.session.id, meeting.cookie("student")) as wire:
            answers.append(wire.status)
    assert answers == [None] * 6 + [429] * 2
    assert wire.problem["code"] == "too_many_requests"
    assert 1 <= int(wire.headers["retry-after"]) <= 60
    await app.state.platform.close()


async def refused(meeting: Meeting, who: str, token: str) -> dict[str, Any] | None:
    """The last frame of somebody who isn't let in with that token; nothing is written down."""
    before = await meeting.desk.sql("select count(*) from session_visits")
    wire = await meeting.dial(who)
    wire.say(type="join", token=token, page="x")
    last, code = await wire.ended()
    assert code == 4403
    assert await meeting.desk.sql("select count(*) from session_visits") == before
    return last


async def test_forged_tokens(meeting: Meeting) -> None:
    real = await meeting.token("student")
    for token in (new_secret(), real[:-1], real + "x", real.swapcase(), hash_secret(real).hex(), "0"):
        assert await refused(meeting, "student", token) == BAD_TOKEN
    assert (await meeting.join("student", token=real)).accepted


async def test_a_token_opens_once(meeting: Meeting) -> None:
    token = await meeting.token("student")
    wire = await meeting.join("student", token=token)
    assert await refused(meeting, "student", token) == BAD_TOKEN
    await wire.lose()
    assert await refused(meeting, "student", token) == BAD_TOKEN


async def test_of_two_with_the_same_token_at_once_one_comes_in(meeting: Meeting) -> None:
    token = await meeting.token("student")
    wires = [await meeting.dial("student") for _ in range(6)]
    for wire in wires:
        wire.say(type="join", token=token, page="x")
    first = await asyncio.gather(*(wire.next() for wire in wires))
    assert sorted(frame["type"] for frame in first) == ["joined"] + ["refused"] * 5
    assert await meeting.desk.sql("select count(*) from session_visits") == [(1,)]


async def test_an_expired_token(meeting: Meeting) -> None:
    token = await meeting.token("student")
    await meeting.desk.sql("update call_tokens set issued_at = :a, expires_at = :b", a=ago(2), b=ago(1))
    assert await refused(meeting, "student", token) == BAD_TOKEN


async def test_anothers_token_opens_nothing_and_stays_good_for_its_owner(meeting: Meeting) -> None:
    token = await meeting.token("student")
    assert await refused(meeting, "mentor", token) == BAD_TOKEN
    assert (await meeting.join("student", token=token)).accepted


async def test_the_token_of_another_session(meeting: Meeting) -> None:
    desk = meeting.desk
    other = (await desk.book("student", (await desk.offers("student"))[3])).session
    await desk.sql(
        "insert into call_tokens (id, session_id, user_id, token_hash, issued_at, expires_at)"
        " values (:id, :session, :user, :hash, now(), now() + interval '1 hour')",
        id=new_id(),
        session=other.id,
        user=desk.cast["student"],
        hash=hash_secret("foreign"),
    )
    assert await refused(meeting, "student", "foreign") == BAD_TOKEN


@pytest.mark.parametrize("who", ["other_student", "admin"])
async def test_a_third_person_is_refused_by_the_server(meeting: Meeting, who: str) -> None:
    """With a token of one of the two, and with one that somehow was issued to them."""
    desk, (mentor, student) = meeting.desk, await meeting.pair()
    own = new_secret()
    await desk.sql(
        "insert into call_tokens (id, session_id, user_id, token_hash, issued_at, expires_at)"
        " values (:id, :session, :user, :hash, now(), now() + interval '1 hour')",
        id=new_id(),
        session=meeting.session.id,
        user=desk.cast[who],
        hash=hash_secret(own),
    )
    for token in (await meeting.token("student"), own):
        told = await refused(meeting, who, token)
        assert told == {"type": "refused", "code": "not_yours", "detail": "This isn’t a session of yours."}
    assert mentor.silent()
    assert student.silent()


async def test_an_admin_signed_in_as_the_student(meeting: Meeting, browser_of: Open) -> None:
    token = await meeting.token("student")
    meeting.browsers["worn"] = await browser_of("admin as student")
    told = await refused(meeting, "worn", token)
    assert told is not None
    assert told["code"] == "not_yours"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("status = 'canceled', canceled_at = now()", "canceled"),
        ("status = 'completed', completed_at = now()", "not_scheduled"),
        (
            "scheduled_at = now() + interval '2 h', ends_at = now() + interval '3 h', blocked = null",
            "too_early",
        ),
        (
            "scheduled_at = now() - interval '3 h', ends_at = now() - interval '2 h', blocked = null",
            "too_late",
        ),
    ],
)
async def test_what_happened_since_the_token_was_issued(meeting: Meeting, change: str, code: str) -> None:
    token = await meeting.token("student")
    await meeting.desk.sql(f"update sessions set {change.replace('blocked = null', BLOCKED)}")
    told = await refused(meeting, "student", token)
    assert told is not None
    assert told["code"] == code


async def test_signed_out_between_handshake_and_token(meeting: Meeting) -> None:
    token, wire = await meeting.token("student"), await meeting.dial("student")
    await meeting.desk.sql("delete from web_sessions")
    wire.say(type="join", token=token, page="x")
    last, code = await wire.ended()
    assert last is not None
    assert (last["type"], last["code"], code) == ("closed", "signed_out", 4410)


async def test_who_says_nothing_is_not_waited_for(meeting: Meeting) -> None:
    meeting.hurry()
    last, code = await (await meeting.dial("student")).ended()
    assert last is not None
    assert (last["code"], code) == ("no_token", 4403)


@pytest.mark.parametrize(
    "first",
    [
        '{"type": "signal", "data": {}}',
        '{"type": "leave"}',
        '{"type": "join"}',
        '{"type": "join", "token": "", "page": "x"}',
        '{"type": "join", "token": "x", "page": ""}',
        '{"type": "join", "token": "x", "page": "' + "x" * 65 + '"}',
        '{"type": "join", "token": 5, "page": "x"}',
        '{"type": "tea"}',
        "[]",
        "null",
        "",
        "{",
        '{"type": "signal", "data": ' + '{"a":' * 5000 + "1" + "}" * 5000 + "}",
    ],
)
async def test_first_words_that_are_none(meeting: Meeting, first: str) -> None:
    wire = await meeting.dial("student")
    wire.say_text(first)
    last, code = await wire.ended()
    assert last is not None
    assert last["code"] in ("no_token", "bad_message")
    assert code == 4403


def ago(minutes: int) -> Any:
    return clock.now() - timedelta(minutes=minutes)


BLOCKED = "blocked = tstzrange(now() - interval '9 h', now() + interval '9 h')"
