"""The forms that change packs and seats by hand: as a dialog and as pages, stale, odd and refused."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from tests.accounts.browser import Browser, target
from tests.admin.conftest import Visit
from tests.admin.work import session, sql
from tests.cast import Cast


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


@pytest.fixture
def pack_path(cast: Cast) -> str:
    return f"/admin/packs/{cast.packs['student']}"


def errors(answer: httpx.Response) -> list[str]:
    """Names of the fields that a sentence stands beside."""
    return re.findall(r'<p class="error" id="([\w-]+)-error">', answer.text)


def hidden(answer: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found
    return found[1]


async def pack_of(database: Database, cast: Cast, student: str = "student") -> Any:
    return (
        await sql(
            database,
            "select * from session_packs where student_id = :id order by id desc limit 1",
            id=cast[student],
        )
    )[0]


async def seat_id(database: Database, cast: Cast, student: str = "student") -> UUID:
    query = "select id from seat_reservations where student_id = :id and status <> 'released'"
    found: UUID = (await sql(database, query, id=cast[student]))[0].id
    return found


async def test_sessions_are_added_in_a_dialog(
    database: Database, admin: Browser, cast: Cast, pack_path: str
) -> None:
    form = await admin.fragment(f"{pack_path}/adjustment")
    assert "<html" not in form.text
    assert "4 of 4" in form.text
    wish = {"change": "add", "sessions": "2", "reason": "Storm", "seen": hidden(form, "seen")}
    answer = await admin.post(f"{pack_path}/adjustment", wish, htmx=True)
    assert (answer.status_code, answer.headers["hx-retarget"]) == (200, "#user-packs")
    assert 'id="user-packs"' in answer.text
    assert "6 sessions are left now." in answer.text
    assert (await pack_of(database, cast)).remaining_sessions == 6
    again = await admin.post(f"{pack_path}/adjustment", wish, htmx=True)
    assert again.status_code == 409
    assert "6 sessions are left by now, not 4." in again.text
    assert hidden(again, "seen") == "6"
    assert "Storm" in again.text
    assert (await pack_of(database, cast)).remaining_sessions == 6


async def test_sessions_are_removed_on_a_page(
    database: Database, admin: Browser, cast: Cast, pack_path: str
) -> None:
    wish = {"change": "remove", "sessions": "3", "reason": "Counted twice", "seen": "4"}
    answer = await admin.post(f"{pack_path}/adjustment", wish)
    assert target(answer) == f"/admin/users/{cast['student']}"
    assert answer.headers["location"].endswith("#user-packs")
    assert admin.flashes() == ["1 session is left now. Both have been written to."]
    statement = (await admin.get(f"/packs/{cast.packs['student']}")).text
    assert "Counted twice" in statement
    assert "Changed by the studio" in statement
    person = (await admin.get(f"/admin/users/{cast['student']}")).text
    assert "1 of 1 session left" in person


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"change": ""}, "change"),
        ({"change": "double"}, "change"),
        ({"sessions": ""}, "how-many"),
        ({"sessions": "-1"}, "how-many"),
        ({"sessions": "two"}, "how-many"),
        ({"sessions": "٢"}, "how-many"),
        ({"sessions": "9" * 30}, "how-many"),
        ({"sessions": "0"}, "how-many"),
        ({"sessions": "101"}, "how-many"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 301}, "reason"),
        ({"reason": "a\0b"}, "reason"),
    ],
)
async def test_odd_adjustments_are_told_beside_the_field(
    database: Database, admin: Browser, cast: Cast, pack_path: str, change: dict[str, str], field: str
) -> None:
    wish = {"change": "add", "sessions": "2", "reason": "Storm", "seen": "4"} | change
    answer = await admin.post(f"{pack_path}/adjustment", wish)
    assert (answer.status_code, errors(answer)) == (422, [field])
    assert (await pack_of(database, cast)).total_sessions == 4


@pytest.mark.parametrize("seen", ["", "-4", "four", "9" * 40, "4.0"])
async def test_an_adjustment_says_what_it_saw(
    admin: Browser, database: Database, cast: Cast, pack_path: str, seen: str
) -> None:
    wish = {"change": "add", "sessions": "2", "reason": "Storm", "seen": seen}
    assert (await admin.post(f"{pack_path}/adjustment", wish)).status_code == 400
    assert (await pack_of(database, cast)).total_sessions == 4


async def test_what_is_booked_stays(database: Database, admin: Browser, cast: Cast, pack_path: str) -> None:
    await session(database, cast, clock.now() + timedelta(days=3))
    wish = {"change": "remove", "sessions": "4", "reason": "Storm", "seen": "4"}
    answer = await admin.post(f"{pack_path}/adjustment", wish, htmx=True)
    assert answer.status_code == 422
    assert "1 of them booked: 3 can be taken away" in answer.text
    assert "hx-retarget" not in answer.headers


async def test_the_expiry_moves_to_the_end_of_a_day(
    database: Database, admin: Browser, cast: Cast, pack_path: str
) -> None:
    form = await admin.fragment(f"{pack_path}/expiry")
    day = (clock.now() + timedelta(days=90)).date()
    wish = {"expires_on": str(day), "whose": "mentor", "reason": "Ill", "seen": hidden(form, "seen")}
    answer = await admin.post(f"{pack_path}/expiry", wish, htmx=True)
    assert answer.status_code == 200
    expires = (await pack_of(database, cast)).expires_at
    (local,) = await sql(
        database, "select cast(:at as timestamptz) at time zone 'Europe/Lisbon' as it", at=expires
    )
    assert str(local.it) == f"{day} 23:59:59"
    stale = await admin.post(f"{pack_path}/expiry", wish, htmx=True)
    assert stale.status_code == 409


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"expires_on": ""}, 422, ["expires-on"]),
        ({"expires_on": "31/12/2026"}, 422, ["expires-on"]),
        ({"expires_on": "2026-W52-1"}, 422, ["expires-on"]),
        ({"expires_on": "2020-01-01"}, 422, ["expires-on"]),
        ({"expires_on": "9999-12-31"}, 422, ["expires-on"]),
        ({"whose": "mine"}, 422, ["whose"]),
        ({"reason": ""}, 422, ["reason"]),
        ({"seen": ""}, 400, []),
        ({"seen": "2026-12-31"}, 400, []),
    ],
)
async def test_odd_expiries(
    database: Database,
    admin: Browser,
    cast: Cast,
    pack_path: str,
    change: dict[str, str],
    status: int,
    field: list[str],
) -> None:
    before = (await pack_of(database, cast)).expires_at
    day = str((clock.now() + timedelta(days=9)).date())
    wish = {"expires_on": day, "whose": "student", "reason": "Ill", "seen": before.isoformat()} | change
    answer = await admin.post(f"{pack_path}/expiry", wish)
    assert (answer.status_code, errors(answer)) == (status, field)
    assert (await pack_of(database, cast)).expires_at == before


async def test_a_pack_is_given_once(database: Database, admin: Browser, cast: Cast) -> None:
    path = f"/admin/users/{cast['new_student']}/packs"
    form = await admin.fragment(path)
    assert cast.email("mentor") in form.text
    wish = {"mentor_email": "MENTOR@example.test ", "sessions": "3", "days": "30", "reason": "A gift"}
    wish["key"] = hidden(form, "key")
    first, second = [await admin.post(path, wish, htmx=True) for _ in range(2)]
    assert "The pack is theirs." in first.text
    assert "That pack was given already." in second.text
    pack = await pack_of(database, cast, "new_student")
    assert (pack.total_sessions, pack.mentor_id) == (3, cast["mentor"])
    (count,) = await sql(
        database, "select count(*) from session_packs where student_id = :id", id=cast["new_student"]
    )
    assert count[0] == 1


async def test_a_seat_is_given_and_released(database: Database, admin: Browser, cast: Cast) -> None:
    path = f"/admin/users/{cast['new_student']}/seats"
    wish = {"mentor_email": "mentor@example.test", "reason": "Asked kindly"}
    assert "The seat is theirs." in (await admin.post(path, wish, htmx=True)).text
    twice = await admin.post(path, wish, htmx=True)
    assert (twice.status_code, "They have a seat with this instructor already" in twice.text) == (409, True)
    release = f"/admin/seats/{await seat_id(database, cast, 'new_student')}/release"
    form = await admin.fragment(release)
    assert "No session is left to be used." in form.text
    answer = await admin.post(release, {"reason": "Left", "seen": hidden(form, "seen")})
    assert target(answer) == f"/admin/users/{cast['new_student']}"
    person = (await admin.get(f"/admin/users/{cast['new_student']}")).text
    assert "Seat with" not in person


async def test_the_release_says_what_becomes_of_the_sessions(
    database: Database, admin: Browser, cast: Cast
) -> None:
    release = f"/admin/seats/{await seat_id(database, cast)}/release"
    form = await admin.get(release)
    assert "4 sessions are left." in form.text
    assert "can’t be booked until Student has a seat again" in form.text
    for odd in ("", "released-ish"):
        assert (await admin.post(release, {"reason": "Left", "seen": odd})).status_code == 400
    stale = await admin.post(release, {"reason": "Left", "seen": "grace"}, htmx=True)
    assert (stale.status_code, "The seat is active by now." in stale.text) == (409, True)
    unsaid = await admin.post(release, {"reason": " ", "seen": "active"}, htmx=True)
    assert (unsaid.status_code, errors(unsaid)) == (422, ["reason"])
    await session(database, cast, clock.now() + timedelta(days=3))
    booked = await admin.post(release, {"reason": "Left", "seen": "active"}, htmx=True)
    assert (booked.status_code, "Sessions are booked with this seat" in booked.text) == (409, True)
    assert await seat_id(database, cast)


async def test_without_a_free_seat_nothing_is_given(database: Database, admin: Browser, cast: Cast) -> None:
    await sql(database, "update mentors set max_active_students = 1")
    wish = {"mentor_email": "mentor@example.test", "reason": "x", "sessions": "3", "days": "9"}
    for what in ("packs", "seats"):
        path = f"/admin/users/{cast['new_student']}/{what}"
        answer = await admin.post(path, wish | {"key": str(new_id())}, htmx=True)
        assert (answer.status_code, "All seats of this instructor are taken" in answer.text) == (409, True)


@pytest.mark.parametrize("who", ["mentor", "admin"])
async def test_only_students_are_given_anything(admin: Browser, cast: Cast, who: str) -> None:
    for what in ("packs", "seats"):
        path = f"/admin/users/{cast[who]}/{what}"
        assert (await admin.get(path)).status_code == 422
        wish = {"mentor_email": "mentor@example.test", "reason": "x", "sessions": "3", "days": "9"}
        assert (await admin.post(path, wish | {"key": str(new_id())})).status_code == 422


@pytest.mark.parametrize("email", ["", "nobody@example.test", "student@example.test", "x\0@y.z", "%", "'"])
async def test_only_instructors_give(admin: Browser, cast: Cast, email: str) -> None:
    for what in ("packs", "seats"):
        path = f"/admin/users/{cast['new_student']}/{what}"
        wish = {"mentor_email": email, "reason": "x", "sessions": "3", "days": "9", "key": str(new_id())}
        answer = await admin.post(path, wish)
        assert (answer.status_code, errors(answer)) == (422, ["mentor-email"])
