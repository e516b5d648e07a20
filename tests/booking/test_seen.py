"""Two editors of one session: the second is told what it became, and overwrites nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.booking import service
from app.booking.meanwhile import ONE_SITTING
from app.booking.models import SessionStatus
from app.booking.service import ChangedMeanwhile, SessionFacts
from app.core import clock
from app.core.seen import digest
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import Desk

LIST = "/instructor/sessions"
TEXTS = [
    ("notes", "notes", "Mine", "Theirs"),
    ("recording_url", "recording", "https://example.com/mine", "https://example.com/theirs"),
]


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    """Whose recording may be kept."""
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    await desk.agree(booked.id)
    return booked


@pytest.fixture
async def browser(visit: Visit) -> Browser:
    return await visit("mentor")


async def edit(desk: Desk, who: str, id_: UUID, seen: dict[str, Any], **details: str | None) -> None:
    async with desk.database.unit_of_work(desk.principal(who)) as uow:
        await service.edit(uow, id_, details=details, seen=seen)


async def audited(desk: Desk) -> list[tuple[str, dict[str, str]]]:
    rows = await desk.sql(
        "select actor_role, before, after from audit_log where action = 'edit' order by at, id"
    )
    assert all(row.before is None for row in rows)
    return [(row.actor_role, row.after) for row in rows]


@pytest.mark.parametrize(("field", "path", "mine", "theirs"), TEXTS)
async def test_the_second_editor_is_told_and_overwrites_nothing(
    desk: Desk, browser: Browser, booked: SessionFacts, field: str, path: str, mine: str, theirs: str
) -> None:
    await edit(desk, "admin", booked.id, {field: [digest("")]}, **{field: theirs})
    where = f"{LIST}/{booked.id}/{path}"
    told = await browser.post(where, {field: mine, "seen": digest("")}, htmx=True)
    assert (told.status_code, "<html" in told.text) == (409, False)
    assert told.text.lstrip().startswith(f'<div id="session-{booked.id}-{field}-state"')
    assert "changed meanwhile by an administrator" in told.text
    assert theirs in told.text
    assert f'name="seen" value="{digest("")}"' in told.text  # until there was a choice nothing is overwritten
    assert f'name="keep" value="{digest(theirs)}"' in told.text
    plain = await browser.post(where, {field: mine, "seen": digest("")})
    assert (plain.status_code, "<html" in plain.text) == (409, True)
    assert mine in plain.text
    assert theirs in plain.text
    assert plain.text.count(f'<article id="session-{booked.id}"') == 1
    assert getattr(await desk.session(booked.id), field) == theirs


@pytest.mark.parametrize(("field", "path", "mine", "theirs"), TEXTS)
async def test_either_version_can_be_chosen(
    desk: Desk, browser: Browser, booked: SessionFacts, field: str, path: str, mine: str, theirs: str
) -> None:
    where, old = f"{LIST}/{booked.id}/{path}", digest("")
    await edit(desk, "admin", booked.id, {}, **{field: theirs})
    taken = await browser.post(where, {field: mine, "seen": old, "take": "theirs"}, htmx=True)
    assert taken.status_code == 200
    assert theirs in taken.text
    assert 'hx-swap-oob="true"' in taken.text
    assert target(await browser.post(where, {field: mine, "seen": old, "take": "theirs"})) == LIST
    assert getattr(await desk.session(booked.id), field) == theirs
    stale = await browser.post(where, {field: mine, "seen": old, "keep": digest("a third one")}, htmx=True)
    assert stale.status_code == 409
    kept = await browser.post(where, {field: mine, "seen": old, "keep": digest(theirs)}, htmx=True)
    assert (kept.status_code, f'name="seen" value="{digest(mine)}"' in kept.text) == (200, True)
    assert getattr(await desk.session(booked.id), field) == mine


async def test_the_same_text_is_no_conflict(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    await edit(desk, "admin", booked.id, {}, notes="The same")
    where = f"{LIST}/{booked.id}/notes"
    answer = await browser.post(where, {"notes": "The same \r\n", "seen": digest("")}, htmx=True)
    assert (answer.status_code, "Saved" in answer.text) == (200, True)
    assert await audited(desk) == [("admin", {"notes": "changed"})]


async def test_a_save_whose_answer_was_lost_is_no_conflict_with_oneself(
    desk: Desk, browser: Browser, booked: SessionFacts
) -> None:
    where = f"{LIST}/{booked.id}/notes"
    await browser.post(where, {"notes": "Thr", "seen": digest("")}, htmx=True)
    again = {"notes": "Three", "seen": digest("")}
    assert (await browser.post(where, again, htmx=True)).status_code == 409
    assert "by you, in another window" in (await browser.post(where, again, htmx=True)).text
    tried: Any = {"tried": ["Thr ", "x" * 9999, "Thre"]}  # the first arrived, of the others nobody knows
    assert (await browser.post(where, again | tried, htmx=True)).status_code == 200


async def test_the_second_marker_sees_what_it_became(
    desk: Desk, browser: Browser, booked: SessionFacts
) -> None:
    where = f"{LIST}/{booked.id}/status"
    with clock.standing_at(booked.start):
        await desk.mark("admin", booked.id, SessionStatus.NO_SHOW)
        form = {"status": "completed", "seen": "scheduled"}
        told = await browser.post(where, form, htmx=True)
        assert told.status_code == 409
        assert "Meanwhile it was marked as no-show by an administrator" in told.text
        assert 'name="seen" value="no_show"' in told.text
        assert "Meanwhile it was marked as no-show" in (await browser.post(where, form)).text
        assert (await desk.session(booked.id)).status is SessionStatus.NO_SHOW
        same = await browser.post(where, form | {"status": "no_show"}, htmx=True)
        assert same.status_code == 200
        changed = await browser.post(where, {"status": "completed", "seen": "no_show"}, htmx=True)
        assert changed.status_code == 200


async def test_a_session_that_was_canceled_meanwhile(
    desk: Desk, browser: Browser, booked: SessionFacts
) -> None:
    asked = await browser.fragment(f"{LIST}/{booked.id}/cancellation")
    assert 'name="seen" value="scheduled"' in asked.text
    await desk.cancel("student", booked.id)
    form = {"status": "scheduled", "seen": "scheduled"}
    told = await browser.post(f"{LIST}/{booked.id}/status", form, htmx=True)
    assert (told.status_code, "it was canceled by Student" in told.text) == (409, True)
    assert (await desk.session(booked.id)).status is SessionStatus.CANCELED


@pytest.mark.parametrize("same", [False, True])
async def test_of_two_saves_at_once_one_is_told(desk: Desk, booked: SessionFacts, same: bool) -> None:
    texts = ["Etching"] * 8 if same else [f"Etching {number}" for number in range(8)]
    who = ("mentor", "admin")
    saves = [
        edit(desk, who[number % 2], booked.id, {"notes": [digest("")]}, notes=text)
        for number, text in enumerate(texts)
    ]
    answers = await asyncio.gather(*saves, return_exceptions=True)
    found = Counter(type(answer) for answer in answers)
    assert found == ({type(None): 8} if same else {type(None): 1, ChangedMeanwhile: 7})
    row = await desk.session(booked.id)
    winner = next(text for text, answer in zip(texts, answers, strict=True) if answer is None)
    assert row.notes == winner
    assert all(a.present["notes"] == winner for a in answers if isinstance(a, ChangedMeanwhile))
    assert len(await audited(desk)) == 1


async def test_of_two_marks_at_once_one_is_told(desk: Desk, booked: SessionFacts) -> None:
    async def mark(who: str, status: SessionStatus) -> None:
        async with desk.database.unit_of_work(desk.principal(who)) as uow:
            await service.mark(uow, booked.id, status, seen={"status": ["scheduled"]})

    with clock.standing_at(booked.start):
        answers = await asyncio.gather(
            mark("mentor", SessionStatus.COMPLETED),
            mark("admin", SessionStatus.NO_SHOW),
            return_exceptions=True,
        )
    assert Counter(type(answer) for answer in answers) == {type(None): 1, ChangedMeanwhile: 1}
    pack = await desk.pack(booked.pack_id)
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (3, 0)


async def test_the_audit_log_tells_of_a_sitting_and_never_the_text(desk: Desk, booked: SessionFacts) -> None:
    for text in ("T", "Th", "The sky"):
        await edit(desk, "mentor", booked.id, {}, notes=text)
    await edit(desk, "admin", booked.id, {}, notes="The secret sky")
    await edit(desk, "mentor", booked.id, {}, notes="The sky", recording_url="https://example.com/secret")
    with clock.standing_at(clock.now() + ONE_SITTING + timedelta(seconds=1)):
        await edit(desk, "mentor", booked.id, {}, notes="", recording_url=None)
    assert await audited(desk) == [
        ("mentor", {"notes": "changed"}),
        ("admin", {"notes": "changed"}),
        ("mentor", {"notes": "changed", "recording_url": "changed"}),
        ("mentor", {"notes": "removed", "recording_url": "removed"}),
    ]


async def test_programs_name_what_they_saw(
    programs: dict[str, httpx.AsyncClient], desk: Desk, booked: SessionFacts
) -> None:
    mentor, path = programs["mentor"], f"/api/instructor/sessions/{booked.id}"
    done = await mentor.patch(path, json={"notes": "Sky", "seen": {"notes": "", "status": "scheduled"}})
    assert (done.status_code, done.json()["notes"], done.json()["recording_url"]) == (200, "Sky", None)
    stale = await mentor.patch(path, json={"notes": "Sea", "seen": {"notes": ""}})
    assert (stale.status_code, stale.headers["content-type"]) == (409, "application/problem+json")
    problem = stale.json()
    assert (problem["code"], problem["fields"]) == ("changed_meanwhile", ["notes"])
    assert problem["present"] == {"status": "scheduled", "notes": "Sky", "recording_url": None}
    other = {"recording_url": "https://example.com/r", "seen": {"status": "completed"}}
    assert (await mentor.patch(path, json=other)).status_code == 409
    assert (await desk.session(booked.id)).recording_url is None
    link = {"recording_url": "https://example.com/r", "seen": {"recording_url": None, "notes": "Sky"}}
    assert (await mentor.patch(path, json=link)).status_code == 200
    assert (await mentor.patch(path, json={"notes": "x", "seen": {"color": "red"}})).status_code == 400


async def test_what_programs_may_name_is_described(app: Any) -> None:
    described = app.openapi_schema.to_schema()
    operation = described["paths"]["/api/instructor/sessions/{session_id}"]["patch"]
    assert "409" in operation["responses"]
    names = {name.rsplit(".")[-1].rsplit("_")[-1] for name in described["components"]["schemas"]}
    assert {"MentorChange", "MentorSaw", "MentorSession"} <= names
