"""The file of all relations: whole, in one state, safe in spreadsheets, read alike by readers that share no code."""

from __future__ import annotations

import asyncio
import random
from itertools import chain
from typing import Any

import pytest
from litestar import Litestar

from app.admin import relations_csv
from app.admin.relations_csv import BOM, COLUMNS, harmless, line
from app.core import clock
from app.core.db import Database
from app.core.templating import iso
from app.core.unit_of_work import Principal
from tests.admin.conftest import Visit
from tests.admin.people import run
from tests.admin.spreadsheets import FORMULAS, by_postgres, by_python, by_the_book, odd_text
from tests.cast import Cast
from tests.mentees.school import found, truth

MANY = 11_000
LONGEST = 254
PATHS = ("/admin/instructors/csv", "/api/admin/instructors/csv")
STUDENTS = """
    insert into users (id, email, name, role, time_zone, theme, created_at)
    select gen_random_uuid(), email, 'Somebody', 'student', 'UTC', 'auto', now() from unnest(cast(:emails as text[])) email
"""
PACKS = """
    insert into session_packs (id, mentor_id, student_id, status, frozen, total_sessions, remaining_sessions,
                               scheduled_sessions, purchased_at, expires_at)
    select gen_random_uuid(), :mentor, id, 'active', false, 4, 0, 0, now(), now() + interval '9 days'
      from users where email = any(cast(:emails as citext[]))
"""


async def enroll(database: Database, cast: Cast, emails: list[str]) -> None:
    """A student with a pack of the mentor's for every address."""
    await run(database, STUDENTS, emails=emails)
    await run(database, PACKS, emails=emails, mentor=cast["mentor"])


async def test_more_than_ten_thousand_odd_addresses(
    visit: Visit, database: Database, cast: Cast, admin_url: str
) -> None:
    chance = random.Random(4)
    emails = [f"{odd_text(chance).lstrip('@')}{number}@{odd_text(chance)}" for number in range(MANY)]
    emails = [email for email in emails if len(email) <= LONGEST]
    assert len(emails) > 10_000
    await enroll(database, cast, emails)
    text = (await (await visit("admin")).get(PATHS[0])).text
    read = by_the_book(text)
    assert by_python(text) == read
    assert by_postgres(admin_url, text) == read
    assert read[0] == list(COLUMNS)
    expected = [harmless(email) for email in emails] + [cast.email("student"), cast.email("other_student")]
    assert sorted(row[1] for row in read[1:]) == sorted(expected)
    assert not [cell for row in read for cell in row if cell.startswith(FORMULAS)]


def test_more_than_ten_thousand_odd_names() -> None:
    chance = random.Random(5)
    names = [[odd_text(chance) for _ in COLUMNS] for _ in range(MANY)]
    text = "".join(line(name) for name in names)
    read = by_the_book(text)
    assert by_python(text) == read == [[harmless(cell) for cell in name] for name in names]
    for cell, name in zip(chain.from_iterable(read), chain.from_iterable(names), strict=True):
        assert cell == name or (cell == f"'{name}" and name.startswith(FORMULAS))


@pytest.mark.parametrize("first", FORMULAS)
def test_a_formula_is_shown_as_text(first: str) -> None:
    assert harmless(f"{first}1+1") == f"'{first}1+1"
    assert harmless(f"1{first}1") == f"1{first}1"


@pytest.mark.parametrize("seed", range(2))
async def test_what_it_says_is_what_the_rows_say(
    visit: Visit, database: Database, cast: Cast, admin_url: str, seed: int
) -> None:
    await found(database, seed)
    true = await truth(database, clock.now())
    expected = sorted(
        [
            harmless(true.people[mentor].email),
            harmless(true.people[student].email),
            str(facts["total"]),
            str(facts["remaining"]),
            facts["pack_status"] or "",
            iso(facts["pack_expires_at"]) if facts["pack_expires_at"] else "",
            iso(facts["last_session"]) if facts["last_session"] else "",
            str(facts["completed"]),
            facts["seat_status"] or "",
        ]
        for (mentor, student), facts in true.relations.items()
    )
    browser = await visit("admin")
    for path in PATHS:
        answer = await browser.get(path)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"].startswith("attachment")
        rows = by_the_book(answer.text)
        assert sorted(rows[1:]) == expected
        assert by_python(answer.text) == rows == by_postgres(admin_url, answer.text)


async def test_it_can_begin_with_a_mark(visit: Visit) -> None:
    browser = await visit("admin")
    for path in PATHS:
        plain, marked = await browser.get(path), await browser.get(f"{path}?bom=1")
        assert marked.content == BOM.encode() + plain.content
        assert not plain.text.startswith(BOM)


async def test_only_those_that_were_searched(visit: Visit, cast: Cast) -> None:
    browser = await visit("admin")
    text = (await browser.get(f"{PATHS[0]}?q=OTHER-mentor")).text
    assert [row[:2] for row in by_the_book(text)[1:]] == [
        [cast.email("other_mentor"), cast.email("other_student")]
    ]
    assert by_the_book((await browser.get(f"{PATHS[0]}?q=nobody-at-all")).text) == [list(COLUMNS)]


async def test_it_shows_one_moment(database: Database, cast: Cast) -> None:
    emails = [f"later-{number}@example.test" for number in range(50)]
    stream = relations_csv.stream(database, cast.principal("admin"), "", bom=False)
    header = await anext(stream)
    await enroll(database, cast, emails)
    text = header + "".join([chunk async for chunk in stream])
    assert len(by_the_book(text)) == 1 + len(cast.packs)


@pytest.fixture
async def many(database: Database, cast: Cast) -> None:
    """So many relations that the file comes in many chunks."""
    await enroll(database, cast, [f"one-of-many-{number}@example.test" for number in range(600)])


async def test_it_shows_one_moment_in_all_its_chunks(database: Database, cast: Cast, many: None) -> None:
    stream = relations_csv.stream(database, cast.principal("admin"), "", bom=False)
    begin = await anext(stream) + await anext(stream)
    await run(database, "update session_packs set total_sessions = 9")
    await enroll(database, cast, ["too-late@example.test"])
    text = begin + "".join([chunk async for chunk in stream])
    rows = by_the_book(text)
    assert len(rows) == 1 + 2 + 600
    assert {row[2] for row in rows[1:]} == {"4"}


async def test_nothing_stays_open_where_the_reader_goes_away(
    app: Litestar, database: Database, cast: Cast, visit: Visit, many: None
) -> None:
    browser = await visit("admin")
    pool: Any = app.state.database.app.pool
    sent: list[dict[str, Any]] = []
    gone = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 3:
            gone.set()
            await asyncio.Event().wait()  # a reader that takes no more

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    await app(_asked(PATHS[0], browser.cookie("session") or ""), receive, send)
    assert pool.checkedout() == 0
    assert len(sent) == 3
    assert (await browser.get(PATHS[0])).text.count("\r\n") == 603


def _asked(path: str, session: str) -> Any:
    """A request as a server passes it on."""
    headers = [(b"cookie", f"session={session}".encode()), (b"host", b"127.0.0.1:8000")]
    headers.append((b"user-agent", b"test"))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
    }
    where = {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""}
    return {**scope, **where, "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000)}


async def test_a_mentor_would_get_their_own(database: Database, cast: Cast) -> None:
    """Row-level security holds below the guard: nobody's file has others' people in it."""
    who: Principal = cast.principal("mentor")
    text = "".join([chunk async for chunk in relations_csv.stream(database, who, "", bom=False)])
    assert cast.email("other_student") not in text
