"""`/admin/students`: who is in it, in which order, in how many queries, and what a wrong address shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from tests import cast as casting
from tests.admin.conftest import Visit
from tests.admin.people import run
from tests.cast import Cast
from tests.support.queries import counted

STUDENTS = ["Student", "Other Student", "New Student"]


def names(html: str) -> list[str]:
    """The students on the page, in their order."""
    return re.findall(r'<th scope="row"><a href="/admin/users/[^"]+">([^<]+)</a>', html)


async def enroll(database: Database, count: int, **columns: object) -> list[UUID]:
    """So many students more, who joined a day apart, the first the longest ago."""
    ids = [new_id() for _ in range(count)]
    async with database.service(ServiceDoor.SEED) as uow:
        for number, id_ in enumerate(ids):
            await casting.add_user(uow, id_, f"s{number}@many.test", f"Many {number:03}", Role.STUDENT)
        await uow.commit()
    for number, id_ in enumerate(ids):
        joined = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number)
        await run(database, "update users set created_at = :at where id = :id", at=joined, id=id_)
    return ids


async def test_a_student_with_what_they_have(visit: Visit, cast: Cast) -> None:
    page = (await (await visit("admin")).get("/admin/students")).text
    assert sorted(names(page)) == sorted(STUDENTS)
    row = page[page.index(f'href="/admin/users/{cast["student"]}"') :].partition("</tr>")[0]
    assert "student@example.test" in row
    assert "Mentor" in row
    assert '<td class="number">4</td>' in row
    assert "none yet" in row


async def test_it_is_searched_by_name_and_address(visit: Visit) -> None:
    admin = await visit("admin")
    for words, found in (
        ("other", ["Other Student"]),
        ("NEW-STUDENT@", ["New Student"]),
        ("%", []),
        ("nobody at all", []),
    ):
        answer = await admin.http.get("/admin/students", params={"q": words})
        assert names(answer.text) == found, words
    assert "No student is like that" in answer.text


@pytest.mark.parametrize("sort", ["joined", "name", "email", "left", "last"])
async def test_every_order_and_its_reverse(visit: Visit, database: Database, sort: str) -> None:
    await enroll(database, 3)
    admin = await visit("admin")
    up = names((await admin.get(f"/admin/students?sort={sort}")).text)
    down = names((await admin.get(f"/admin/students?sort=-{sort}")).text)
    assert sorted(up) == sorted(down) == sorted([*STUDENTS, "Many 000", "Many 001", "Many 002"])
    if sort in ("name", "email"):
        assert up == down[::-1]
        assert up[:1] == ["Many 000" if sort == "name" else "New Student"]
    if sort == "joined":
        assert up[:3] == ["Many 000", "Many 001", "Many 002"]
        assert down[-3:] == ["Many 002", "Many 001", "Many 000"]
    if sort == "left":
        assert set(down[:2]) == {"Student", "Other Student"} == set(up[-2:])


async def test_pages_keep_their_state_in_the_address(visit: Visit, database: Database) -> None:
    await enroll(database, 60)
    admin = await visit("admin")
    first = (await admin.get("/admin/students?q=many&sort=name")).text
    assert names(first) == [f"Many {number:03}" for number in range(50)]
    assert "1–50 of 60" in first
    onward = re.search(r'href="([^"]+)" rel="next"', first)
    assert onward
    address = onward.group(1).replace("&amp;", "&")
    assert names((await admin.get(address)).text) == [f"Many {number:03}" for number in range(50, 60)]
    part = await admin.fragment(address)
    assert "<html" not in part.text
    assert names(part.text)[0] == "Many 050"


@pytest.mark.parametrize(
    "query",
    [
        "sort=password_hash",
        "sort=-",
        "page=0",
        "page=x",
        "page=99999999999",
        "page=7",
        "page=00000199999999999999999999",
        "state=odd",
    ],
)
async def test_an_unknown_order_or_page_is_the_first_page_and_a_note(visit: Visit, query: str) -> None:
    answer = await (await visit("admin")).get(f"/admin/students?{query}")
    assert answer.status_code == 200
    assert "so this is the first page" in answer.text
    assert len(names(answer.text)) == 3


async def test_states(visit: Visit, database: Database, cast: Cast) -> None:
    await run(database, "update users set deleted_at = now() where id = :id", id=cast["student"])
    await run(database, "update users set email_verified_at = null where id = :id", id=cast["other_student"])
    await run(
        database,
        "update users set email_verified_at = null, password_hash = 'x' where id = :id",
        id=cast["new_student"],
    )
    admin = await visit("admin")
    for state, name in (
        ("deleted", "Student"),
        ("invited", "Other Student"),
        ("unverified", "New Student"),
    ):
        page = (await admin.get(f"/admin/students?state={state}")).text
        assert names(page) == [name]
    assert names((await admin.get("/admin/students?state=active")).text) == []
    assert len(names((await admin.get("/admin/students")).text)) == 3


async def test_a_list_takes_as_many_queries_for_fifty_as_for_three(visit: Visit, database: Database) -> None:
    admin = await visit("admin")
    await admin.get("/admin/students")
    with counted() as few:
        await admin.get("/admin/students")
    await enroll(database, 60)
    with counted() as many:
        page = await admin.get("/admin/students")
    assert len(names(page.text)) == 50
    assert len(many) == len(few) <= 5
