"""`/admin/audit`: who, what, to what, from where; filters and pages in the address; nothing that anybody can take back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.admin import audit_words
from app.core import audit, clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.templating import ROOT
from app.core.unit_of_work import Principal, Role
from tests.accounts.browser import Browser
from tests.admin.conftest import Visit
from tests.cast import Cast
from tests.support.queries import counted

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


async def note(
    database: Database,
    by: Principal,
    action: str = "change_role",
    subject: tuple[str, Any] = ("users", None),
    *,
    at: datetime = NOON,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """An entry, at a moment."""
    with clock.standing_at(at):
        async with database.service(ServiceDoor.JOB) as uow:
            await audit.record(uow, action, *subject, before, after, actor=by)
            await uow.commit()


def lines(html: str) -> list[str]:
    """The entries on the page, as one reads them."""
    found = re.findall(r'<li class="entry">(.*?)</li>\s*(?=<li class="entry">|</ol>)', html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", entry).split()) for entry in found]


async def test_an_entry_reads_as_a_sentence(admin: Browser, database: Database, cast: Cast) -> None:
    as_student = Principal(cast["student"], Role.STUDENT, cast["admin"], "203.0.113.9")
    await note(
        database,
        as_student,
        "move",
        ("sessions", session := new_id()),
        before={"start": "2026-03-10T09:00:00Z", "pack": "a"},
        after={"start": "2026-03-11T09:30:00Z", "pack": "a"},
    )
    page = (await admin.get("/admin/audit")).text
    (line,) = lines(page)
    assert line.startswith("Admin as Student (student) moved a session: Session")
    assert "start: Tue 10 Mar 2026, 09:00 (UTC) → Wed 11 Mar 2026, 09:30 (UTC)" in line
    assert "pack" not in line
    assert line.endswith("Tue 10 Mar 2026, 12:00 (UTC) · from 203.0.113.9")
    assert f'href="/sessions/{session}"' in page
    for who in ("admin", "student"):
        assert f'href="/admin/users/{cast[who]}"' in page


async def test_subjects_lead_to_their_pages(admin: Browser, database: Database, cast: Cast) -> None:
    ids = {kind: new_id() for kind in ("orders", "session_packs", "sessions")}
    for kind, id_ in ids.items():
        await note(database, cast.principal("admin"), "decide", (kind, id_))
    await note(database, cast.principal("admin"), "invite", ("users", cast["mentor"]))
    page = (await admin.get("/admin/audit")).text
    assert f'href="/admin/orders/{ids["orders"]}"' in page
    assert f'href="/packs/{ids["session_packs"]}"' in page
    assert f'href="/sessions/{ids["sessions"]}"' in page
    assert "Account of Mentor" in " ".join(lines(page))


async def test_what_people_typed_can_not_break_the_page(
    admin: Browser, database: Database, cast: Cast
) -> None:
    odd = {"reason": '<script>alert("1")</script> & "so"', "long": "x" * 5000, "deep": {"a": [1]}}
    await note(database, cast.principal("admin"), "<b>odd</b>", ("a<b", None), after=odd)
    page = (await admin.get("/admin/audit")).text
    assert "<script>alert" not in page
    assert "<b>odd</b>" not in page
    assert len(page) < 40_000


async def test_every_filter_and_all_together(admin: Browser, database: Database, cast: Cast) -> None:
    student, mentor = cast.principal("student"), cast.principal("mentor")
    subject = new_id()
    await note(database, student, "cancel", ("sessions", subject), at=NOON)
    await note(database, mentor, "mark", ("sessions", new_id()), at=NOON + timedelta(days=1))
    await note(database, mentor, "change_seats", ("mentors", mentor.user_id), at=NOON + timedelta(days=2))
    as_student = Principal(cast["student"], Role.STUDENT, cast["admin"])
    await note(database, as_student, "act_as", ("users", cast["student"]), at=NOON + timedelta(days=3))
    for query, words in (
        ({}, ["did something", "changed the number", "marked", "canceled"]),
        ({"actor": "MENTOR@example"}, ["changed the number", "marked"]),
        ({"actor": str(cast["student"])}, ["did something", "canceled"]),
        ({"actor": "admin@example.test"}, ["did something"]),
        ({"action": "mark"}, ["marked"]),
        ({"action": "no_such_action"}, []),
        ({"subject_type": "sessions"}, ["marked", "canceled"]),
        ({"subject_id": str(subject)}, ["canceled"]),
        ({"since": "2026-03-11"}, ["did something", "changed the number", "marked"]),
        ({"until": "2026-03-11"}, ["marked", "canceled"]),
        ({"since": "2026-03-11", "until": "2026-03-11"}, ["marked"]),
        ({"actor": "mentor", "subject_type": "sessions", "until": "2026-03-11"}, ["marked"]),
    ):
        answer = await admin.http.get("/admin/audit", params=query)
        found = lines(answer.text)
        assert len(found) == len(words), query
        assert all(word in line for word, line in zip(words, found, strict=True)), query
    assert "All entries" in answer.text


async def test_days_are_those_of_the_admin(visit: Visit, database: Database, cast: Cast) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(
            text("update users set time_zone = 'Asia/Tokyo' where id = :id"), {"id": cast["admin"]}
        )
        await uow.commit()
    late = datetime(2026, 3, 10, 20, tzinfo=UTC)  # the 11th in Tokyo
    await note(database, cast.principal("student"), at=late)
    admin = await visit("admin")
    assert len(lines((await admin.get("/admin/audit?since=2026-03-11&until=2026-03-11")).text)) == 1
    assert lines((await admin.get("/admin/audit?until=2026-03-10")).text) == []
    assert "(Asia/Tokyo)" in (await admin.get("/admin/audit")).text


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "until=2026-13-01",
        "subject_id=me",
        "before=0",
        "since=0000-00-00",
        "until=9999-12-31",
    ],
)
async def test_what_can_not_be_read_is_left_out(
    admin: Browser, database: Database, cast: Cast, query: str
) -> None:
    await note(database, cast.principal("student"))
    answer = await admin.get(f"/admin/audit?{query}")
    assert answer.status_code == 200
    assert "it was left out" in answer.text
    assert len(lines(answer.text)) == 1


async def test_pages_go_on_where_the_last_one_ended(admin: Browser, database: Database, cast: Cast) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        for number in range(120):
            with clock.standing_at(NOON + timedelta(minutes=number // 3)):  # several at the same moment
                await audit.record(
                    uow, "mark", "sessions", None, None, {"n": number}, actor=cast.principal("mentor")
                )
        await uow.commit()
    seen: list[str] = []
    address: str | None = "/admin/audit?actor=mentor"
    while address:
        page = (await admin.fragment(address)).text
        assert "<html" not in page
        seen += re.findall(r"<ins>(\d+)</ins>", page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        address = older.group(1).replace("&amp;", "&") if older else None
        if len(seen) == 50:  # somebody does something meanwhile: no page moves by one
            await note(database, cast.principal("mentor"), at=NOON + timedelta(days=1))
    assert seen == [str(number) for number in range(119, -1, -1)]


async def test_a_page_is_one_query_more_than_the_visitor(
    admin: Browser, database: Database, cast: Cast
) -> None:
    await admin.get("/admin/audit")
    with counted() as empty:
        await admin.get("/admin/audit")
    for _ in range(30):
        await note(database, cast.principal("mentor"))
    with counted() as full:
        await admin.get("/admin/audit")
    assert len(full) == len(empty) <= 3


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_log set action = 'x'",
        "update audit_log set impersonator_id = null, address = null",
        "delete from audit_log",
        "truncate audit_log",
        "alter table audit_log disable trigger append_only",
        "drop trigger append_only on audit_log",
        "alter table audit_log disable row level security",
        "set session_replication_role = replica",
    ],
)
async def test_nobody_changes_it_whatever_role_they_have(
    database: Database, cast: Cast, statement: str
) -> None:
    await note(database, cast.principal("student"))
    for opened in (
        database.unit_of_work(cast.principal("student")),
        database.unit_of_work(cast.principal("admin")),
        database.service(ServiceDoor.SEED),
    ):
        async with opened as uow:
            with pytest.raises(DBAPIError, match=r"append-only|permission denied|must be owner"):
                await uow.session.execute(text(statement))
    async with database.unit_of_work(cast.principal("admin")) as uow:
        assert (await uow.session.execute(text("select action from audit_log"))).all() == [("change_role",)]


async def test_only_admins_read_it(database: Database, cast: Cast) -> None:
    await note(database, cast.principal("student"))
    for who in ("anonymous", "student", "mentor"):
        async with database.unit_of_work(cast.principal(who)) as uow:
            assert (await uow.session.execute(text("select 1 from audit_log"))).all() == []


def test_differences_are_those_of_the_fields() -> None:
    shown = audit_words.changes(
        {"role": "student", "seats": 3, "same": 1, "gone": True},
        {"role": "mentor", "seats": None, "same": 1, "changed": ["name", "time_zone"], "at": "2026-01-01T0"},
        "UTC",
    )
    assert [(change.field, change.before, change.after) for change in shown] == [
        ("role", "student", "mentor"),
        ("seats", "3", "nothing"),
        ("gone", "yes", None),
        ("changed", None, "name, time zone"),
        ("at", None, "2026-01-01T0"),
    ]


def test_every_action_and_subject_of_the_code_has_its_words() -> None:
    written = re.compile(r"audit\.record\(\s*\w+,\s*\"(\w+)\",\s*\"(\w+)\"")
    found = {pair for path in (ROOT / "app").rglob("*.py") for pair in written.findall(path.read_text())}
    assert len(found) > 30
    assert {action for action, _ in found} - set(audit_words.ACTIONS) == set()
    assert {kind for _, kind in found} - set(audit_words.SUBJECTS) == set()
