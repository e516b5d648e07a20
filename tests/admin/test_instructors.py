"""`/admin/instructors` and its JSON twin: figures as in the rows, state in the address, rows that open as fragments."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID

import httpx
import pytest

from app.admin.instructors import SORTS
from app.core import clock
from app.core.db import Database
from app.core.templating import day_in, iso
from tests.accounts.browser import BASE, HTMX, Browser
from tests.admin.conftest import Visit
from tests.admin.people import run
from tests.cast import Cast
from tests.mentees.school import Facts, found, truth
from tests.packs.support import SeatDesk
from tests.support.queries import counted

LIST = "/admin/instructors"
API = "/api/admin/instructors"
KEYS = {
    "name": lambda item: item["name"].lower(),
    "email": lambda item: item["email"],
    "active_mentees": lambda item: item["active_mentees"],
    "sessions_completed": lambda item: item["sessions_completed"],
    "inventory": lambda item: (item["inventory"]["open"], item["inventory"]["capacity"]),
    "joined": lambda item: item["joined"],
}


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


def cells(row: str) -> list[str]:
    """The words of a row's cells."""
    found = re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in found]


def rows_of(html: str) -> dict[UUID, list[str]]:
    """The cells of each instructor's row, opened or not."""
    bodies = re.findall(r'<tbody id="instructor-([0-9a-f-]{36})".*?<tr>(.*?)</tr>', html, re.DOTALL)
    return {UUID(id_): cells(row) for id_, row in bodies}


def mentees_of(html: str) -> list[list[str]]:
    """The cells of the mentees shown."""
    tables = re.findall(r'<table class="table mentees">(.*?)</table>', html, re.DOTALL)
    bodies = [table.split("<tbody>")[1] for table in tables]
    return [cells(row) for body in bodies for row in re.findall(r"<tr>.*?</tr>", body, re.DOTALL)]


def shown(email: str, name: str, facts: Facts) -> list[str]:
    """A mentee's row as the page has it, in UTC."""
    expires, last = facts["pack_expires_at"], facts["last_session"]
    seat = (facts["seat_status"] or "none").capitalize() if facts["seat_status"] else "none"
    until = f" until {day_in(facts['seat_expires_at'], 'UTC')}" if facts["seat_expires_at"] else ""
    return [
        f"{email} {name}",
        f"{facts['completed']} / {facts['total']}",
        str(facts["remaining"]),
        facts["pack_status"].capitalize() if facts["pack_status"] else "none",
        day_in(expires, "UTC") if expires else "",
        day_in(last, "UTC") if last else "none yet",
        seat + until,
    ]


@pytest.mark.parametrize("seed", range(2))
async def test_page_and_program_say_what_the_rows_say(admin: Browser, database: Database, seed: int) -> None:
    school = await found(database, seed)
    true = await truth(database, clock.now())
    opened = "&".join(f"open={id_}" for id_ in school.mentors)
    page = (await admin.get(f"{LIST}?{opened}")).text
    items = {UUID(item["id"]): item for item in (await admin.get(API)).json()["items"]}
    rows = rows_of(page)
    assert set(rows) == set(items) == set(true.mentors)
    for id_, figures in true.mentors.items():
        person = true.people[id_]
        assert items[id_] == {
            "id": str(id_),
            "name": person.name,
            "email": person.email,
            "active_mentees": figures["active_mentees"],
            "sessions_completed": figures["completed"],
            "inventory": {"open": figures["open"], "capacity": figures["capacity"]},
            "joined": person.created_at.isoformat().replace("+00:00", "Z"),
        }
        counts = [str(figures["active_mentees"]), str(figures["completed"])]
        seats = f"{figures['open']} of {figures['capacity']}"
        head = f"{' '.join(person.name.split())} , mentees"
        assert rows[id_] == [head, person.email, *counts, seats, day_in(person.created_at, "UTC")]
        await _mentees(admin, true, id_)
    wanted = [_row(true, pair) for pair in true.relations if pair[0] in school.mentors]
    assert sorted(mentees_of(page)) == sorted(wanted)


def _row(true: Any, pair: tuple[UUID, UUID]) -> list[str]:
    student = true.people[pair[1]]
    return shown(student.email, student.name, true.relations[pair])


async def _mentees(admin: Browser, true: Any, mentor: UUID) -> None:
    """The JSON, the fragment and the page of one instructor."""
    pairs = [pair for pair in true.relations if pair[0] == mentor]
    answer = (await admin.get(f"{API}/{mentor}/mentees")).json()
    assert (answer["total"], answer["limit"], answer["offset"]) == (len(pairs), 50, 0)
    assert sorted(answer["items"], key=lambda item: item["id"]) == sorted(
        (_item(true, pair) for pair in pairs), key=lambda item: item["id"]
    )
    for part in (await admin.fragment(f"{LIST}/{mentor}/mentees"), await admin.get(f"{LIST}/{mentor}")):
        assert sorted(mentees_of(part.text)) == sorted(_row(true, pair) for pair in pairs)


def _item(true: Any, pair: tuple[UUID, UUID]) -> dict[str, Any]:
    facts, student = true.relations[pair], true.people[pair[1]]
    last = facts["last_session"]
    names = ("completed", "total", "remaining", "pack_status", "seat_status")
    return {name: facts[name] for name in names} | {
        "id": str(pair[1]),
        "name": student.name,
        "email": student.email,
        "last_session": last and last.isoformat().replace("+00:00", "Z"),
    }


@pytest.mark.parametrize("column", SORTS)
async def test_every_column_sorts_both_ways(admin: Browser, database: Database, column: str) -> None:
    await found(database, 3)
    await run(database, "update mentors set max_active_students = 90 where slug = 'm-1'")
    rising = (await admin.get(f"{API}?sort={column}")).json()["items"]
    falling = (await admin.get(f"{API}?sort=-{column}")).json()["items"]
    key = KEYS[column]
    assert [key(item) for item in rising] == sorted(key(item) for item in rising)
    assert [key(item) for item in falling] == sorted((key(item) for item in falling), reverse=True)
    assert len({key(item) for item in rising}) > 1
    for way, items, said in (("", rising, "ascending"), ("-", falling, "descending")):
        page = (await admin.get(f"{LIST}?sort={way}{column}")).text
        assert [str(id_) for id_ in rows_of(page)] == [item["id"] for item in items]
        assert re.findall(r'aria-sort="(\w+)"><a id="sort-(\w+)"|aria-sort="(\w+)"', page)
        heading = re.search(rf'<th [^>]*aria-sort="{said}"[^>]*><a id="sort-{column}" href="([^"]+)"', page)
        assert heading, "the heading of the column that sorts says so"
        turned = parse_qs(urlsplit(unescape(heading[1])).query).get("sort", ["name"])
        assert turned == [column if way else f"-{column}"]


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("sort=bogus", "no such order"),
        ("sort=--name", "no such order"),
        ("page=0", "no such page"),
        ("page=-1", "no such page"),
        ("page=two", "no such page"),
        ("page=99999999999999999999", "no such page"),
        ("page=00000199999999999999999999", "no such page"),
        ("page=7", "no such page"),
        ("sort=drop&page=x", "no such order"),
        ("open=nonsense&open=00000000-0000-0000-0000-000000000000", None),
        ("q=&sort=&page=", None),
    ],
)
async def test_what_is_not_there_is_the_first_page_and_a_note(
    admin: Browser, cast: Cast, query: str, note: str | None
) -> None:
    first = (await admin.get(LIST)).text
    for answer in (await admin.get(f"{LIST}?{query}"), await admin.fragment(f"{LIST}?{query}")):
        assert answer.status_code == 200
        assert list(rows_of(answer.text)) == list(rows_of(first))
        assert ("flash-note" in answer.text) == bool(note)
        assert note is None or note in answer.text


async def test_an_address_that_no_browser_has_is_left_out(admin: Browser, cast: Cast) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://[not an address"}
    answer = await admin.get(f"{LIST}/{cast['mentor']}/mentees", **headers)
    assert answer.headers["hx-push-url"] == f"{LIST}?open={cast['mentor']}"


async def test_a_program_is_told_of_an_unknown_order(admin: Browser, cast: Cast) -> None:
    answer = (await admin.get(f"{API}?sort=bogus")).json()
    assert [item["name"] for item in answer["items"]] == ["Mentor", "Other Mentor"]
    assert "no such order" in answer["note"]
    assert "note" not in (await admin.get(API)).json()


async def test_search_by_name_and_address(admin: Browser, database: Database, cast: Cast) -> None:
    named = {"name": "100%_Ætna O'Neill", "id": cast["mentor"]}
    await run(database, "update users set name = :name where id = :id", **named)
    for words in ("ætna", "o'neill", "100%", "%_Æ", "MENTOR@EXAMPLE"):
        ids = [item["id"] for item in (await admin.get(f"{API}?q={quote(words)}")).json()["items"]]
        assert str(cast["mentor"]) in ids, words
        page = (await admin.get(f"{LIST}?q={quote(words)}")).text
        assert [str(id_) for id_ in rows_of(page)] == ids
    for words in ("100_", "other%mentor", "student"):
        assert (await admin.get(f"{API}?q={quote(words)}")).json()["total"] == 0
        page = (await admin.get(f"{LIST}?q={quote(words)}")).text
        assert "Nobody who teaches here" in page


async def test_pages(admin: Browser, database: Database, cast: Cast) -> None:
    await SeatDesk(database, cast).teachers_with_a_line(118)
    seen: list[UUID] = []
    where: str | None = f"{LIST}?open={cast['mentor']}"
    while where:
        page = (await admin.get(where)).text
        seen += rows_of(page)
        onward = re.search(r'href="([^"]+)"[^>]* rel="next"', page)
        where = unescape(onward[1]) if onward else None
        assert where is None or f"open={cast['mentor']}" in where
    assert len(seen) == len(set(seen)) == 120
    first = (await admin.get(f"{API}?limit=500")).json()
    assert (len(first["items"]), first["limit"], first["total"]) == (120, 200, 120)
    part = (await admin.get(f"{API}?limit=7&offset=3")).json()
    assert part["items"] == first["items"][3:10]
    beyond = (await admin.get(f"{API}?offset=5000")).json()
    assert (beyond["items"], beyond["total"]) == ([], 120)


async def test_a_row_opens_and_closes_in_the_address(admin: Browser, cast: Cast) -> None:
    one, other = cast["mentor"], cast["other_mentor"]

    async def ask(path: str, there: str) -> httpx.Response:
        answer = await admin.get(path, **HTMX, **{"HX-Current-URL": f"{BASE}{there}"})
        assert answer.status_code == 200
        assert "<html" not in answer.text
        assert list(rows_of(answer.text)) == [UUID(path.split("/")[3])]
        return answer

    there = f"{LIST}?q=mentor&sort=-joined&open={other}"
    opened = await ask(f"{LIST}/{one}/mentees", there)
    pushed = opened.headers["hx-push-url"]
    assert pushed == f"{LIST}?q=mentor&sort=-joined&open={other}&open={one}"
    assert cast.email("student") in opened.text
    assert 'aria-expanded="true"' in opened.text
    page = (await admin.get(pushed)).text
    assert len(mentees_of(page)) == 2
    assert page.count('aria-expanded="true"') == 2
    closed = await ask(f"{LIST}/{one}", pushed)
    assert closed.headers["hx-push-url"] == there
    assert 'aria-expanded="false"' in closed.text
    assert cast.email("student") not in closed.text


async def test_what_is_open_stays_open_when_the_list_changes(admin: Browser, cast: Cast) -> None:
    there = {"HX-Current-URL": f"{BASE}{LIST}?open={cast['mentor']}"}
    sorted_ = await admin.get(f"{LIST}?sort=-name", **HTMX, **there)
    assert sorted_.headers["hx-push-url"] == f"{LIST}?sort=-name&open={cast['mentor']}"
    assert len(mentees_of(sorted_.text)) == 1
    typed = await admin.get(f"{LIST}?q=mentor", **HTMX, **there, **{"HX-Source": "form"})
    assert "hx-push-url" not in typed.headers
    assert typed.headers["hx-replace-url"] == f"{LIST}?q=mentor&open={cast['mentor']}"
    elsewhere = {"HX-Current-URL": f"{BASE}/admin/orders?open={cast['mentor']}"}
    assert mentees_of((await admin.get(LIST, **HTMX, **elsewhere)).text) == []


async def test_without_scripts_the_link_opens_the_row(admin: Browser, cast: Cast) -> None:
    page = (await admin.get(LIST)).text
    toggle = re.search(rf'id="toggle-{cast["mentor"]}" href="([^"]+)"', page)
    assert toggle
    opened = (await admin.get(unescape(toggle[1]))).text
    assert len(mentees_of(opened)) == 1
    back = re.search(rf'id="toggle-{cast["mentor"]}" href="([^"]+)"', opened)
    assert back
    assert back[1] == LIST
    assert (await admin.get(f"{LIST}/{cast['mentor']}/mentees")).headers[
        "location"
    ] == f"{LIST}/{cast['mentor']}"


async def test_many_mentees_have_a_page_of_their_own(admin: Browser, database: Database, cast: Cast) -> None:
    desk = SeatDesk(database, cast)
    await desk.capacity(80)
    for student in await desk.newcomers(60):
        await desk.take(student)
    await run(database, "update seat_reservations set status = 'active', seat_expires_at = null")
    opened = (await admin.get(f"{LIST}?open={cast['mentor']}")).text
    assert len(mentees_of(opened)) == 25
    link = re.search(r'<a href="([^"]+)">All 61 mentees</a>', opened)
    assert link
    first, second = (await admin.get(link[1])).text, (await admin.get(f"{link[1]}?page=2")).text
    assert (len(mentees_of(first)), len(mentees_of(second))) == (50, 11)
    wrong = await admin.get(f"{link[1]}?page=9")
    assert mentees_of(wrong.text) == mentees_of(first)
    assert "no such page" in wrong.text
    part = (await admin.get(f"{API}/{cast['mentor']}/mentees?limit=20&offset=50")).json()
    assert (len(part["items"]), part["total"]) == (11, 61)


async def test_a_constant_number_of_questions(admin: Browser, database: Database, cast: Cast) -> None:
    pages = {
        LIST: 2,
        f"{LIST}?sort=-inventory&q=m": 2,
        f"{LIST}?open={cast['mentor']}": 3,
        f"{LIST}?open={cast['mentor']}&open={cast['other_mentor']}": 3,
        f"{LIST}/{cast['mentor']}": 4,
        API: 2,
        f"{API}/{cast['mentor']}/mentees": 4,
    }
    await admin.get(LIST)
    found_: list[dict[str, int]] = []
    for seed in (None, 1):
        if seed is not None:
            await found(database, seed)
            await SeatDesk(database, cast).teachers_with_a_line(60)
        asked = {}
        for path in pages:
            with counted() as statements:
                assert (await admin.get(path)).status_code == 200
            asked[path] = len(statements)
        found_.append(asked)
    assert found_ == [pages, pages]


async def test_who_left_and_who_no_longer_teaches(admin: Browser, database: Database, cast: Cast) -> None:
    await run(database, "update users set deleted_at = now() where id = :id", id=cast["mentor"])
    await run(database, "update users set role = 'student' where id = :id", id=cast["other_mentor"])
    rows = rows_of((await admin.get(LIST)).text)
    assert rows[cast["mentor"]][0].endswith("Deleted")
    assert rows[cast["other_mentor"]][0].endswith("No longer teaches")
    await run(database, "update users set forgotten_at = now() where id = :id", id=cast["mentor"])
    assert list(rows_of((await admin.get(LIST)).text)) == [cast["other_mentor"]]
    assert cast.email("mentor") in (await admin.get(f"{LIST}/csv")).text  # no relation is lost


async def test_nobody_teaches_yet(admin: Browser, database: Database, cast: Cast) -> None:
    await run(database, "update users set forgotten_at = now(), deleted_at = now() where role = 'mentor'")
    page = (await admin.get(LIST)).text
    assert "Everybody who teaches here will be listed" in page
    assert iso(clock.now())[:4] not in re.sub(r"<footer.*", "", page, flags=re.DOTALL)


async def test_the_schema_describes_it(admin: Browser) -> None:
    schema = (await admin.get("/schema/openapi.json")).json()["paths"]
    for path in (API, f"{API}/{{mentor_id}}/mentees", f"{API}/csv"):
        assert "get" in schema[path]
    names = {parameter["name"] for parameter in schema[API]["get"]["parameters"]}
    assert names == {"q", "sort", "limit", "offset"}
