"""The admin's errands, for everybody: who gets in, and that nobody else sees or changes anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar

from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from tests.accounts.browser import Browser
from tests.admin.conftest import Visit
from tests.admin.work import agree_to_recording, dead, session, sql, traces
from tests.cast import Cast

PEOPLE = ("anonymous", "student", "other_student", "mentor", "other_mentor")
PAGES = (
    "/admin",
    "/admin/calendars",
    "/admin/jobs",
    "/admin/packs/{pack}/adjustment",
    "/admin/packs/{pack}/expiry",
    "/admin/users/{student}/packs",
    "/admin/users/{student}/seats",
    "/admin/seats/{seat}/release",
    "/admin/sessions/{session}",
    "/admin/sessions/{session}/cancellation",
)
FORMS: dict[str, dict[str, str]] = {
    "/admin/jobs/retries": {"type": "test/tea"},
    "/admin/jobs/{event}/retries": {},
    "/admin/packs/{pack}/adjustment": {"change": "add", "sessions": "2", "reason": "asked", "seen": "4"},
    "/admin/packs/{pack}/expiry": {
        "expires_on": "{day}",
        "whose": "mentor",
        "reason": "asked",
        "seen": "{expires_at}",
    },
    "/admin/users/{student}/packs": {
        "mentor_email": "mentor@example.test",
        "sessions": "3",
        "days": "30",
        "reason": "asked",
        "key": "{key}",
    },
    "/admin/users/{new_student}/seats": {"mentor_email": "mentor@example.test", "reason": "asked"},
    "/admin/seats/{other_seat}/release": {"reason": "asked", "seen": "active"},
    "/admin/sessions/{session}/status": {"status": "completed", "seen": "scheduled"},
    "/admin/sessions/{session}/notes": {"notes": "Hands."},
    "/admin/sessions/{session}/recording": {"recording_url": "https://example.com/r"},
}
OWN = (
    *("/admin", "/admin/calendars", "/admin/jobs", "/admin/packs", "/admin/seats", "/admin/sessions"),
    *("/admin/users/{user_id:str}/packs", "/admin/users/{user_id:str}/seats"),
)


@pytest.fixture
async def ids(database: Database, cast: Cast) -> dict[str, str]:
    """What the placeholders stand for."""
    now = clock.now()
    seats = dict(await sql(database, "select student_id, id from seat_reservations"))
    (pack,) = await sql(
        database, "select id, expires_at from session_packs where id = :id", id=cast.packs["student"]
    )
    found: dict[str, Any] = {
        "pack": pack.id,
        "expires_at": pack.expires_at.isoformat(),
        "day": (now + timedelta(days=60)).date(),
        "student": cast["student"],
        "new_student": cast["new_student"],
        "seat": seats[cast["student"]],
        "other_seat": seats[cast["other_student"]],
        "session": await session(database, cast, now - timedelta(hours=3), notes="Not for others."),
        "event": await dead(database, error="SecretError: not for others"),
        "key": new_id(),
    }
    await agree_to_recording(database, found["session"])
    await dead(database)
    return {name: str(value) for name, value in found.items()}


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


@pytest.mark.parametrize("path", PAGES)
async def test_seeing_a_page(visit: Visit, admin: Browser, ids: dict[str, str], path: str) -> None:
    where = path.format(**ids)
    for who in PEOPLE:
        browser = await visit(who)
        page, part = await browser.get(where), await browser.fragment(where)
        assert (who, page.status_code) == (who, 303 if who == "anonymous" else 403)
        assert (who, part.status_code) == (who, 401 if who == "anonymous" else 403)
        for secret in ("Not for others", "SecretError", "of 4 left"):
            assert secret not in page.text + part.text
    assert (await admin.get(where)).status_code == 200
    assert (await admin.fragment(where)).status_code == 200


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("path", FORMS)
async def test_posting_a_form(
    database: Database, visit: Visit, admin: Browser, ids: dict[str, str], path: str, htmx: bool
) -> None:
    form = {name: value.format(**ids) for name, value in FORMS[path].items()}
    where = path.format(**ids)
    before = await traces(database)
    for who in PEOPLE:
        answer = await (await visit(who)).post(where, form, htmx=htmx)
        assert (who, answer.status_code) == (who, 401 if who == "anonymous" else 403)
    assert (await admin.post(where, form, csrf=False)).status_code == 403
    assert await traces(database) == before
    answer = await admin.post(where, form, htmx=htmx)
    assert answer.status_code == (200 if htmx else 303), answer.text
    assert "<html" not in answer.text
    assert await traces(database) != before


@pytest.mark.parametrize("path", [path for path in (*PAGES, *FORMS) if "{" in path])
@pytest.mark.parametrize("odd", ["nonsense", "00000000-0000-7000-8000-000000000000", "%00", "'--"])
async def test_what_nobody_knows(database: Database, admin: Browser, path: str, odd: str) -> None:
    where = path.replace(path[path.index("{") : path.index("}") + 1], odd)
    form = FORMS.get(path, {})
    before = await traces(database)
    posts = path in FORMS
    answer = await (admin.post(where, form) if posts else admin.get(where))
    gone = path.endswith("/retries") and odd.startswith("0")
    assert answer.status_code == (303 if gone else 404) or (posts and answer.status_code in (400, 422)), path
    assert await traces(database) == before


async def test_the_tables_name_every_route(app: Litestar) -> None:
    served = {
        (method, route.path)
        for route in app.routes
        for method in getattr(route, "methods", ())
        if method in ("GET", "POST")
        and (route.path in OWN or route.path.startswith(tuple(f"{path}/" for path in OWN[1:])))
    }
    named = {("GET", path) for path in PAGES} | {("POST", path) for path in FORMS}
    kinds = {
        "{pack}": "{pack_id:str}",
        "{student}": "{user_id:str}",
        "{new_student}": "{user_id:str}",
        "{seat}": "{seat_id:str}",
        "{other_seat}": "{seat_id:str}",
        "{session}": "{session_id:str}",
        "{event}": "{event_id:str}",
    }
    for mark, kind in kinds.items():
        named = {(method, path.replace(mark, kind)) for method, path in named}
    assert served == named
