"""Who gets a token, when, in which state of the session, with how much credit: forty cases, asked of the real endpoint.

`left` is what the pack still has. That a session is scheduled while its pack has nothing left is forbidden by a CHECK
constraint; for those cases it is taken away, so that the rule itself is asked and not what keeps it from being needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import psycopg
import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from app.core.templating import iso
from tests.accounts.browser import Browser
from tests.booking.support import Desk
from tests.video.conftest import Open

CASES = """
who                | when            | status    | left | answer
student            | start -15:00    | scheduled | 4    | token
student            | start -15:01    | scheduled | 4    | too_early
student            | start -48:00:00 | scheduled | 4    | too_early
student            | start +00:00    | scheduled | 4    | token
student            | start +00:00    | scheduled | 1    | token
student            | end   -00:01    | scheduled | 4    | token
student            | end   +00:00    | scheduled | 4    | token
student            | end   +29:59    | scheduled | 4    | token
student            | end   +30:00    | scheduled | 4    | too_late
student            | end   +48:00:00 | scheduled | 4    | too_late
mentor             | start -15:00    | scheduled | 4    | token
mentor             | start -15:01    | scheduled | 4    | too_early
mentor             | start +30:00    | scheduled | 1    | token
mentor             | end   +29:59    | scheduled | 4    | token
mentor             | end   +30:00    | scheduled | 4    | too_late
student            | start +00:00    | canceled  | 4    | canceled
mentor             | start +00:00    | canceled  | 4    | canceled
student            | start -48:00:00 | canceled  | 4    | canceled
student            | end   +48:00:00 | canceled  | 4    | canceled
student            | start +00:00    | canceled  | 0    | canceled
student            | start +30:00    | completed | 3    | not_scheduled
mentor             | start +30:00    | completed | 3    | not_scheduled
student            | start +30:00    | completed | 0    | not_scheduled
student            | end   +48:00:00 | completed | 3    | not_scheduled
student            | start +30:00    | no_show   | 3    | not_scheduled
mentor             | start +30:00    | no_show   | 3    | not_scheduled
student            | start +00:00    | scheduled | 0    | no_session_left
mentor             | start +00:00    | scheduled | 0    | no_session_left
student            | start -48:00:00 | scheduled | 0    | no_session_left
student            | end   +48:00:00 | scheduled | 0    | no_session_left
other_student      | start +00:00    | scheduled | 4    | not_yours
other_mentor       | start +00:00    | scheduled | 4    | not_yours
new_student        | start +00:00    | scheduled | 4    | not_yours
new_student        | start -48:00:00 | canceled  | 0    | not_yours
admin              | start +00:00    | scheduled | 4    | not_yours
admin              | start +00:00    | canceled  | 4    | not_yours
admin as student   | start +00:00    | scheduled | 4    | not_yours
admin as mentor    | start +00:00    | scheduled | 4    | not_yours
anonymous          | start +00:00    | scheduled | 4    | unauthenticated
anonymous          | start +00:00    | canceled  | 0    | unauthenticated
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in CASES.strip().splitlines()[1:]]
STATUS = {"token": 201, "unauthenticated": 401, "not_yours": 403}


def instant(session: SessionFacts, when: str) -> datetime:
    """`start -15:00`: a quarter of an hour before the start; with three parts the first are hours."""
    edge, distance = when.split()
    seconds = 0
    for part in distance[1:].split(":"):
        seconds = seconds * 60 + int(part)
    return (session.start if edge == "start" else session.end) + timedelta(
        seconds=-seconds if distance[0] == "-" else seconds
    )


@pytest.fixture
def credit_unchecked(desk: Desk, admin_url: str) -> Iterator[None]:
    """Packs may hold what no pack can hold."""
    name = "ck_session_packs_credit"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        definition = admin.execute(
            "select pg_get_constraintdef(oid) from pg_constraint where conname = %s", [name]
        ).fetchone()
        assert definition is not None
        admin.execute(f"alter table session_packs drop constraint {name}".encode())
        yield
        admin.execute(
            "update session_packs set remaining_sessions = greatest(remaining_sessions, scheduled_sessions)"
        )
        admin.execute(f"alter table session_packs add constraint {name} {definition[0]}".encode())


async def arrange(desk: Desk, session: SessionFacts, status: str, left: int) -> None:
    """The session in that state, its pack with so much left."""
    await desk.sql(
        "update sessions set status = :status, completed_at = :completed_at, canceled_at = :canceled_at where id = :id",
        id=session.id,
        status=status,
        completed_at=session.start if status in ("completed", "no_show") else None,
        canceled_at=session.start if status == "canceled" else None,
    )
    await desk.sql(
        "update session_packs set remaining_sessions = :left where id = :id", left=left, id=session.pack_id
    )


async def asked(browser: Browser, session_id: object) -> httpx.Response:
    """What the page's script asks."""
    if "csrftoken" not in browser.http.cookies:
        await browser.get("/privacy")
    token = {"x-csrftoken": browser.http.cookies["csrftoken"]}
    return await browser.http.post(f"/api/video/{session_id}/token", headers=token)


def test_there_are_forty_cases() -> None:
    assert len(ROWS) == len({tuple(row) for row in ROWS}) == 40


@pytest.mark.usefixtures("credit_unchecked")
@pytest.mark.parametrize(
    ("who", "when", "status", "left", "answer"), ROWS, ids=[" ".join(row) for row in ROWS]
)
async def test_case(
    desk: Desk,
    booked: SessionFacts,
    browser_of: Open,
    who: str,
    when: str,
    status: str,
    left: str,
    answer: str,
) -> None:
    await arrange(desk, booked, status, int(left))
    browser = await browser_of(who)
    with clock.standing_at(instant(booked, when)):
        given = await asked(browser, booked.id)
    body = given.json()
    assert (given.status_code, body.get("code", "token")) == (STATUS.get(answer, 409), answer)
    issued = await desk.sql("select user_id, expires_at, used_at from call_tokens")
    if answer == "token":
        assert issued == [(desk.cast[who], booked.end + timedelta(minutes=30), None)]
    else:
        assert issued == []
        assert given.headers["content-type"] == "application/problem+json"
        assert str(desk.cast["student"]) not in given.text
    assert ("opens_at" in body) == (answer == "too_early")
    assert body.get("opens_at") in (None, iso(booked.start - timedelta(minutes=15)))


async def test_the_first_reason_counts(desk: Desk, booked: SessionFacts, browser_of: Open) -> None:
    """What only a later rule would say isn't told to somebody whom an earlier one refuses: 403 before 409."""
    stranger, student = await browser_of("new_student"), await browser_of("student")
    refused = await asked(stranger, booked.id)
    unknown = await asked(stranger, desk.cast["student"])
    assert (refused.status_code, refused.json()) == (unknown.status_code, unknown.json())
    await arrange(desk, booked, SessionStatus.CANCELED, 0)
    assert (await asked(student, booked.id)).json()["code"] == "canceled"


@pytest.mark.parametrize("path", ["x", "session-1", "%00", "0" * 36])
async def test_what_is_no_id(browser_of: Open, path: str) -> None:
    answer = await asked(await browser_of("student"), path)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
