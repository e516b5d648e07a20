"""An admin's edit of a session: by the mentor's rules, beside the mentor, written down; who comes second is told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Database
from app.core.seen import digest
from tests.accounts.browser import Browser, target
from tests.admin.conftest import Visit
from tests.admin.work import session, sql
from tests.cast import Cast
from tests.packs.by_hand import broken


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


@pytest.fixture
async def held(database: Database, cast: Cast) -> UUID:
    """A session that began three hours ago."""
    return await session(database, cast, clock.now() - timedelta(hours=3))


async def stored(database: Database, id_: UUID) -> Any:
    return (await sql(database, "select * from sessions where id = :id", id=id_))[0]


async def test_a_status_is_set_and_undone(database: Database, admin: Browser, cast: Cast, held: UUID) -> None:
    path = f"/admin/sessions/{held}/status"
    for status, left in (("completed", 3), ("no_show", 3), ("scheduled", 4)):
        before = (await stored(database, held)).status
        answer = await admin.post(path, {"status": status, "seen": before}, htmx=True)
        assert (answer.status_code, "<html" in answer.text) == (200, False)
        assert (await stored(database, held)).status == status
        (pack,) = await sql(
            database, "select remaining_sessions from session_packs where id = :id", id=cast.packs["student"]
        )
        assert pack.remaining_sessions == left
        assert await broken(database) == []
    lines = await sql(database, "select actor_id, actor_role from audit_log where action = 'mark'")
    assert {tuple(line) for line in lines} == {(cast["admin"], "admin")}
    page = (await admin.get(f"/admin/sessions/{held}")).text
    assert "Marked as no-show by you" in page


async def test_canceling_gives_the_session_back(database: Database, admin: Browser, cast: Cast) -> None:
    soon = await session(database, cast, clock.now() + timedelta(hours=3))
    form = await admin.fragment(f"/admin/sessions/{soon}/cancellation")
    assert "goes back to the pack of Student" in form.text
    answer = await admin.post(f"/admin/sessions/{soon}/status", {"status": "canceled", "seen": "scheduled"})
    assert target(answer) == f"/admin/sessions/{soon}"
    row = await stored(database, soon)
    assert (row.status, row.canceled_by) == ("canceled", "admin")
    (pack,) = await sql(database, "select * from session_packs where id = :id", id=cast.packs["student"])
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (4, 0)
    assert await broken(database) == []


async def test_who_comes_second_is_told_and_overwrites_nothing(
    database: Database, admin: Browser, visit: Visit, held: UUID
) -> None:
    mentor = await visit("mentor")
    seen = digest("")
    first = await mentor.post(f"/instructor/sessions/{held}/notes", {"notes": "Hands.", "seen": seen})
    assert first.status_code == 303
    for htmx in (True, False):
        answer = await admin.post(
            f"/admin/sessions/{held}/notes", {"notes": "Faces.", "seen": seen}, htmx=htmx
        )
        assert answer.status_code == 409
        assert "Hands." in answer.text
        assert "changed meanwhile by Mentor" in answer.text
        assert ("Faces." in answer.text) is not htmx  # with HTMX the field is not touched at all
    assert (await stored(database, held)).notes == "Hands."
    keep = re.search(r'name="keep" value="(\w+)"', answer.text)
    assert keep
    wish = {"notes": "Hands and faces.", "seen": seen, "keep": keep[1]}
    assert (await admin.post(f"/admin/sessions/{held}/notes", wish)).status_code == 303
    assert (await stored(database, held)).notes == "Hands and faces."
    late = await mentor.post(
        f"/instructor/sessions/{held}/notes", {"notes": "Feet.", "seen": digest("Hands.")}, htmx=True
    )
    assert (late.status_code, "Hands and faces." in late.text) == (409, True)


async def test_a_stale_status_is_refused(
    database: Database, admin: Browser, visit: Visit, held: UUID
) -> None:
    mentor = await visit("mentor")
    await mentor.post(f"/instructor/sessions/{held}/status", {"status": "completed", "seen": "scheduled"})
    answer = await admin.post(
        f"/admin/sessions/{held}/status", {"status": "no_show", "seen": "scheduled"}, htmx=True
    )
    assert answer.status_code == 409
    assert "Meanwhile it was marked as completed by Mentor" in answer.text
    assert (await stored(database, held)).status == "completed"


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("status", {"status": "nonsense"}, 400),
        ("status", {}, 400),
        ("notes", {"notes": "x" * 5001}, 422),
        ("notes", {"notes": "a\0b"}, 422),
        ("recording", {"recording_url": "http://example.com"}, 422),
        ("recording", {"recording_url": "javascript:alert(1)"}, 422),
    ],
)
async def test_odd_input_changes_nothing(
    database: Database, admin: Browser, held: UUID, path: str, form: dict[str, str], status: int
) -> None:
    before = await stored(database, held)
    for htmx in (True, False):
        assert (await admin.post(f"/admin/sessions/{held}/{path}", form, htmx=htmx)).status_code == status
    assert await stored(database, held) == before


async def test_it_can_be_marked_only_once_it_began(database: Database, admin: Browser, cast: Cast) -> None:
    soon = await session(database, cast, clock.now() + timedelta(hours=3))
    answer = await admin.post(
        f"/admin/sessions/{soon}/status", {"status": "completed", "seen": "scheduled"}, htmx=True
    )
    assert (answer.status_code, "hasn’t" in answer.text or "begun" in answer.text) == (409, True)
    assert (await stored(database, soon)).status == "scheduled"


async def test_the_session_page_leads_an_admin_there(admin: Browser, visit: Visit, held: UUID) -> None:
    link = f'href="/admin/sessions/{held}"'
    assert link in (await admin.get(f"/sessions/{held}")).text
    assert link not in (await (await visit("mentor")).get(f"/sessions/{held}")).text
