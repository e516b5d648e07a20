"""Students from before the platform: shown first, all or nothing, once however often, never more than there are seats."""

from __future__ import annotations

import asyncio
import html
import re
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from litestar import Litestar

from app.accounts import invitations, links
from app.accounts.models import Purpose
from app.admin import accounts
from app.admin.onboarding import file
from app.admin.onboarding.file import COLUMNS
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.templating import iso
from app.core.unit_of_work import Role
from app.notifications.mailer import Mailer
from app.packs.models import SeatStatus
from app.packs.notices import NOTICES
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.admin.conftest import Visit
from tests.admin.test_onboarding_file import table
from tests.admin.work import sql, traces
from tests.cast import Cast
from tests.packs.by_hand import broken
from tests.packs.support import SeatDesk
from tests.support.queries import counted

DAY = str((clock.now() + timedelta(days=200)).date())
PATH = "/admin/onboarding"
MENTOR, OTHER = "mentor@example.test", "other-mentor@example.test"


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


def row(
    email: str = "ana@example.test",
    name: str = "Ana",
    mentor: str = MENTOR,
    total: str = "4",
    left: str = "3",
    day: str = DAY,
    reference: str = "",
) -> list[str]:
    return [email, name, mentor, total, left, day, reference]


async def upload(admin: Browser, content: str | bytes) -> httpx.Response:
    """Choose a file and have it shown."""
    if "csrftoken" not in admin.http.cookies:
        await admin.get("/privacy")
    data = {"_csrf_token": admin.http.cookies["csrftoken"]}
    raw = content if isinstance(content, bytes) else content.encode()
    return await admin.http.post(f"{PATH}/preview", data=data, files={"file": ("s.csv", raw, "text/csv")})


async def confirm(admin: Browser, text: str) -> httpx.Response:
    """Confirm what was shown, as the page's form does: with the text in a part of a form."""
    if "csrftoken" not in admin.http.cookies:
        await admin.get("/privacy")
    token = (None, admin.http.cookies["csrftoken"].encode())
    parts: Any = {"_csrf_token": token, "text": (None, text.encode())}
    return await admin.http.post(f"{PATH}/import", files=parts)


def said(page: httpx.Response) -> dict[int, str]:
    """By row what happens to it, as the page lists it."""
    found = re.findall(r"<tr><td>(\d+)</td>.*?<td[^>]*>([^<]*)</td></tr>", page.text)
    return {int(number): text for number, text in found}


async def packs_of(database: Database, email: str) -> Any:
    return await sql(
        database,
        "select k.*, u.name, u.time_zone, u.email_verified_at, u.password_hash from session_packs k"
        " join users u on u.id = k.student_id where u.email = :email order by k.expires_at, k.id",
        email=email,
    )


async def test_a_file_is_shown_and_then_imported(database: Database, admin: Browser, cast: Cast) -> None:
    text = table(
        row(), row(total="6", left="1", reference="R 7"), row("new-student@example.test", "Somebody else")
    )
    before = await traces(database)
    shown = await upload(admin, text)
    assert shown.status_code == 200
    assert await traces(database) == before
    assert said(shown) == {
        2: f"Ana: 3 of 4 sessions left with Mentor, until {DAY}. Gets an account and an invitation.",
        3: f"Ana: 1 of 6 sessions left with Mentor, until {DAY}. Gets an account and an invitation.",
        4: f"New Student: 3 of 4 sessions left with Mentor, until {DAY}.",
    }
    assert "3 packs to import, 1 new account" in shown.text
    answer = await confirm(admin, text)
    assert target(answer) == PATH
    assert admin.flashes()[-1].startswith("3 packs imported, 1 account made.")
    first, second = await packs_of(database, "ana@example.test")
    assert {(pack.total_sessions, pack.remaining_sessions) for pack in (first, second)} == {(4, 3), (6, 1)}
    assert (first.name, first.time_zone, first.password_hash) == ("Ana", "Europe/Lisbon", None)
    entries = await sql(
        database, "select * from pack_entries where pack_id = any(:ids)", ids=[first.id, second.id]
    )
    assert {(e.kind, e.delta, e.reason, e.actor_id) for e in entries} == {
        ("grant", 3, "Brought over", cast["admin"]),
        ("grant", 1, "Brought over: R 7", cast["admin"]),
    }
    assert [(pack.name) for pack in await packs_of(database, "new-student@example.test")] == ["New Student"]
    assert await broken(database) == []


async def test_twice_the_same_file_is_nothing_new(database: Database, admin: Browser) -> None:
    text = table(row(), row("b@example.test", "B"))
    await confirm(admin, text)
    before = await traces(database)
    shown = await upload(admin, text)
    assert "Every row is there already" in shown.text
    assert set(said(shown).values()) == {"Was imported before: skipped."}
    await confirm(admin, text)
    assert admin.flashes() == ["Every row was imported before: nothing was changed."]
    more = table(row(), row("b@example.test", "B", left="1"), row(reference="R 2"))
    await confirm(admin, more)
    assert admin.flashes()[-1].startswith("1 pack imported, 2 rows skipped that were there already.")
    assert len(await packs_of(database, "ana@example.test")) == 2
    assert await traces(database) != before


async def test_one_wrong_row_and_nothing_is_imported(database: Database, admin: Browser, cast: Cast) -> None:
    await sql(database, "update users set deleted_at = now() where id = :id", id=cast["other_student"])
    text = table(
        row(),
        row("nobody", "", "nobody", "x", "9", "soon"),
        row("b@example.test", mentor="student@example.test"),
        row("mentor@example.test", mentor=OTHER),
        row("other-student@example.test"),
        row("c@example.test", day="2026-01-01"),
        row(),
    )
    before = await traces(database)
    shown = await upload(admin, text)
    assert shown.status_code == 422
    lines = said(shown)
    assert lines[2].startswith("Ana: 3 of 4")
    for name in ("student_email:", "student_name:", "mentor_email:", "total_sessions:", "expires_on:"):
        assert name in lines[3]
    assert lines[4] == "No instructor has this address."
    assert lines[5] == "This is the account of an instructor, not of a student."
    assert lines[6] == "This account was deleted; restore it first."
    assert lines[7].startswith("2026-01-01 is over in Europe/Lisbon")
    assert lines[8].startswith("The same as row 2: skipped.")
    assert 'name="text"' not in shown.text
    forced = await confirm(admin, text)
    assert forced.status_code == 409
    assert said(forced) == lines
    assert await traces(database) == before


async def test_seats_are_given_in_order_and_never_more(database: Database, admin: Browser) -> None:
    text = table(*[row(f"s{number}@example.test", f"S {number}") for number in range(4)])
    lines = said(await upload(admin, text))  # three seats, one of them taken
    assert [lines[number].startswith("Mentor has no seat for") for number in (2, 3, 4, 5)] == [
        False,
        False,
        True,
        True,
    ]
    used_up = table(*[row(f"s{number}@example.test", left="0") for number in range(4)])
    assert "4 packs imported" in (await flashed(admin, used_up))
    seated = await sql(database, "select count(*) from seat_reservations where status <> 'released'")
    assert seated[0][0] == 2  # those of the cast
    assert {pack.status for pack in await packs_of(database, "s1@example.test")} == {"depleted"}
    twice = table(row("a@example.test"), row("a@example.test", reference="2"), row("b@example.test"))
    assert "3 packs imported" in (await flashed(admin, twice))
    assert await broken(database) == []


async def flashed(admin: Browser, text: str) -> str:
    assert (await confirm(admin, text)).status_code == 303
    return admin.flashes()[-1]


async def test_a_grace_an_offer_and_waiting_become_a_seat(
    database: Database, admin: Browser, cast: Cast
) -> None:
    desk = SeatDesk(database, cast)
    await sql(
        database,
        "update seat_reservations set status = 'grace', seat_expires_at = now() where student_id = :id",
        id=cast["student"],
    )
    await desk.capacity(1)
    await desk.join("other_student")
    await desk.join("new_student")
    await desk.capacity(2)
    await desk.offer()
    await desk.capacity(3)
    people = ("student", "other_student", "new_student")
    await flashed(admin, table(*[row(cast.email(name), reference="x") for name in people]))
    assert [await desk.status(name) for name in people] == [SeatStatus.ACTIVE] * 3
    assert await desk.places(left=False) == {}
    assert {place.outcome for place in (await desk.places(left=True)).values()} == {"seated"}


async def test_two_admins_at_once_import_it_once(database: Database, visit: Visit, cast: Cast) -> None:
    browsers = [await visit("admin") for _ in range(4)]
    await sql(database, "update mentors set max_active_students = 100")
    rows = [
        row(f"s{number}@example.test", f"S {number}", (MENTOR, OTHER)[number % 2]) for number in range(40)
    ]
    answers = await asyncio.gather(
        *(confirm(browser, table(*rows[:: 1 if n % 2 else -1])) for n, browser in enumerate(browsers))
    )
    assert [answer.status_code for answer in answers] == [303] * 4
    told = sorted(browser.flashes()[-1] for browser in browsers)
    assert [text.startswith("40 packs imported, 40 accounts made") for text in told].count(True) == 1
    (count,) = await sql(database, "select count(*), count(distinct student_id) from session_packs")
    assert tuple(count) == (42, 42)
    assert await broken(database) == []


async def test_different_files_about_the_same_newcomer_make_one_account(
    database: Database, visit: Visit, cast: Cast
) -> None:
    browsers = [await visit("admin") for _ in range(2)]
    texts = [
        table(*[row(f"n{n}@example.test", mentor=mentor, left="0") for n in range(20)])
        for mentor in (MENTOR, OTHER)
    ]
    answers = await asyncio.gather(*map(confirm, browsers, texts))
    assert [answer.status_code for answer in answers] == [303, 303]
    (count,) = await sql(
        database,
        "select count(*), count(distinct student_id) from session_packs where import_key is not null",
    )
    assert tuple(count) == (40, 20)


async def test_the_last_seat_is_imported_or_sold_never_both(
    database: Database, visit: Visit, cast: Cast
) -> None:
    desk = SeatDesk(database, cast)
    await desk.capacity(2)
    admin = await visit("admin")
    await admin.get("/privacy")
    answer, _ = await asyncio.gather(
        confirm(admin, table(row())), desk.hold("new_student"), return_exceptions=True
    )
    assert not isinstance(answer, BaseException)
    assert answer.status_code in (303, 409)
    assert len(await desk.seats()) == 2


async def test_everybody_is_told_once(
    database: Database, admin: Browser, cast: Cast, settings: Settings
) -> None:
    text = table(
        row(), row(reference="2", left="1"), row("b@example.test", "B"), row("c@example.test", left="0")
    )
    await flashed(admin, text)
    rows = await sql(
        database,
        "select payload, key from outbox where payload->>'kind' <> 'pack_granted' and not payload ? 'anchor_at'",
    )
    kinds = sorted(found.payload["kind"] for found in rows)
    assert kinds == ["invitation"] * 3 + ["mentees_onboarded"] + ["packs_onboarded"] * 2
    mailer = Mailer.of(settings)
    mails = {}
    for found in rows:
        kind = found.payload["kind"]
        if kind == "invitation":
            continue
        async with database.service(ServiceDoor.JOB) as uow:
            for message in await NOTICES[kind](uow, settings, found.payload):
                mails[message.address] = mailer.compose(kind, message.address, message.context)
    assert {address: mail["subject"] for address, mail in mails.items()} == {
        "ana@example.test": "Your sessions with Mentor are here",
        "b@example.test": "Your sessions with Mentor are here",
        MENTOR: "2 mentees of yours are here now",
    }
    assert mails["ana@example.test"]["text"].count("with Mentor, to be used by") == 2
    (line,) = await sql(database, "select * from audit_log where action = 'onboard'")
    assert line.after == {"packs": 4, "students": 3, "new_accounts": 3, "mentors": 1}
    assert line.actor_id == cast["admin"]


async def test_what_is_brought_over_expires_like_the_rest(database: Database, admin: Browser) -> None:
    await flashed(admin, table(row(), row("c@example.test", left="0")))
    waits = await sql(
        database,
        "select o.type, o.payload, o.key, o.available_at, k.expires_at, k.remaining_sessions from outbox o"
        " join session_packs k on k.id = cast(o.payload ->> 'pack_id' as uuid)"
        " where k.import_key like 'import:%' and o.available_at > o.created_at order by o.available_at",
    )
    assert [
        (found.payload.get("kind", found.type), found.available_at - found.expires_at) for found in waits
    ] == [
        ("pack_expiring_week", timedelta(days=-7)),
        ("pack_expiring_day", timedelta(days=-1)),
        ("packs/expire", timedelta()),
    ]
    assert all(found.remaining_sessions for found in waits)
    week = waits[0]
    assert week.payload["anchor_at"] == iso(week.expires_at)
    assert week.key == f"pack_expiring_week:{week.payload['pack_id']}:{week.payload['anchor_at']}"
    students = await sql(database, "select payload from outbox where type = 'discord/role'")
    (ana,) = await sql(database, "select id from users where email = 'ana@example.test'")
    assert {"user_id": str(ana.id)} in [found.payload for found in students]


async def test_the_invitation_lets_them_in(database: Database, admin: Browser, settings: Settings) -> None:
    await flashed(admin, table(row()))
    (token,) = await sql(database, "select id from email_tokens where purpose = 'invitation'")
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        found = await invitations.invitation(uow, links.secret(settings, Purpose.INVITATION, token.id))
    assert found is not None
    assert (found.name, found.email, found.time_zone) == ("Ana", "ana@example.test", "Europe/Lisbon")


FORM = dict(zip(COLUMNS, row(), strict=True))


async def test_one_student_by_the_form(database: Database, admin: Browser) -> None:
    answer = await admin.post(PATH, FORM)
    assert target(answer) == PATH
    assert admin.flashes()[-1].startswith("Ana: 3 of 4 sessions left with Mentor")
    again = await admin.post(PATH, FORM)
    assert (again.status_code, "was imported before" in again.text) == (409, True)
    assert len(await packs_of(database, "ana@example.test")) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"student_email": "x"}, "student-email"),
        ({"student_email": MENTOR}, "student-email"),
        ({"student_name": ""}, "student-name"),
        ({"mentor_email": "nobody@example.test"}, "mentor-email"),
        ({"remaining_sessions": "5"}, "remaining-sessions"),
        ({"expires_on": "2020-01-01"}, "expires-on"),
        ({"reference": "x" * 101}, "reference"),
        ({"student_name": "A\0na"}, None),
    ],
)
async def test_the_form_says_what_is_wrong(
    database: Database, admin: Browser, change: dict[str, str], field: str | None
) -> None:
    answer = await admin.post(PATH, FORM | change)
    if field is None:  # control characters are dropped, as everywhere in names
        assert answer.status_code == 303
        return
    assert (answer.status_code, re.findall(r'class="error" id="([\w-]+)-error"', answer.text)) == (
        422,
        [field],
    )
    assert 'value="4"' in answer.text
    assert await packs_of(database, "ana@example.test") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose a file"),
        (b"PK\x03\x04", "workbook"),
        (b"a,b\n1,2\n", "missing: student_email"),
        (b"\xff\xfe\x00", "encoded"),
    ],
)
async def test_files_that_can_not_be_read(admin: Browser, content: bytes, said: str) -> None:
    answer = await upload(admin, content)
    assert (answer.status_code, said in answer.text) == (422, True)


async def test_odd_requests(admin: Browser, database: Database) -> None:
    before = await traces(database)
    assert (await admin.post(f"{PATH}/preview", {"file": "no file"})).status_code == 422
    assert (await admin.post(f"{PATH}/import", {})).status_code == 422
    assert (await confirm(admin, table(row("a b@c.d")))).status_code == 409
    assert (await upload(admin, b"x" * 1_500_000)).status_code == 422
    assert (await upload(admin, b"x" * 5_000_000)).status_code == 413
    assert await traces(database) == before


async def test_a_file_in_another_alphabet_comes_back_whole(database: Database, admin: Browser) -> None:
    name = "Ønæ “Ż” <b>&amp; 😀"
    shown = await upload(admin, table(row(name=name), delimiter=";").encode("utf-16"))
    assert shown.status_code == 200
    area = re.search(r"<textarea name=\"text\"[^>]*>\n(.*?)</textarea>", shown.text, re.DOTALL)
    assert area
    await flashed(admin, html.unescape(area[1]))
    assert [pack.name for pack in await packs_of(database, "ana@example.test")] == [name]


async def test_the_sample_is_a_file_to_fill_in(admin: Browser) -> None:
    answer = await admin.get(f"{PATH}/sample")
    assert answer.headers["content-disposition"] == 'attachment; filename="students.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
    assert file.read(answer.content).rows


async def test_five_thousand_rows_in_seconds(database: Database, admin: Browser, cast: Cast) -> None:
    await sql(database, "update mentors set max_active_students = 5000")
    rows = [
        row(f"s{number // 2}@example.test", f"Student {number // 2}", (MENTOR, OTHER)[number % 2])
        for number in range(5000)
    ]
    text = table(*rows)
    assert len(text) < file.MOST_BYTES
    shown = await upload(admin, text)
    assert "5000 packs to import, 2500 new accounts" in shown.text
    assert len(said(shown)) == 5000
    begun = time.perf_counter()
    with counted() as statements:
        assert (await confirm(admin, text)).status_code == 303
    assert time.perf_counter() - begun < 30, "seconds, where a row at a time takes minutes"
    assert len(statements) < 30, statements
    (count,) = await sql(
        database,
        "select count(*), count(distinct student_id), sum(remaining_sessions) from session_packs"
        " where import_key is not null",
    )
    assert tuple(count) == (5000, 2500, 15000)
    assert await broken(database) == []
    again = await upload(admin, text)
    assert "Every row is there already" in again.text


@pytest.mark.parametrize("who", ["anonymous", "student", "mentor", "other_mentor"])
async def test_nobody_else_onboards(app: Litestar, database: Database, visit: Visit, who: str) -> None:
    browser = await visit(who)
    before = await traces(database)
    refusal = 401 if who == "anonymous" else 403
    for path in (PATH, f"{PATH}/sample"):
        assert (await browser.get(path)).status_code == (303 if who == "anonymous" else 403)
    assert (await browser.post(PATH, FORM)).status_code == refusal
    assert (await upload(browser, table(row()))).status_code == refusal
    assert (await confirm(browser, table(row()))).status_code == refusal
    assert await traces(database) == before
    served = {route.path for route in app.routes if route.path.startswith(PATH)}
    assert served == {PATH, f"{PATH}/sample", f"{PATH}/preview", f"{PATH}/import"}


async def test_a_form_without_its_token_changes_nothing(admin: Browser, database: Database) -> None:
    before = await traces(database)
    for path in (PATH, f"{PATH}/import", f"{PATH}/preview"):
        assert (await admin.http.post(path, data=FORM | {"text": table(row())})).status_code == 403
    assert await traces(database) == before


@pytest.mark.parametrize("who", ["new_student", "mentor"])
@pytest.mark.parametrize("change", ["deletion", "another role"])
async def test_who_leaves_at_the_same_moment_is_seen_to_be_gone(
    database: Database, admin: Browser, cast: Cast, who: str, change: str
) -> None:
    await sql(database, "update session_packs set status = 'expired'")
    await sql(database, "update seat_reservations set status = 'released', seat_expires_at = null")
    blocked = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    by = cast.principal("admin")
    async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
        if change == "deletion":
            await accounts.delete(uow, cast[who], by=by)
        else:
            await accounts.change_role(uow, cast[who], Role.ADMIN, by=by)
        waiting = asyncio.create_task(confirm(admin, table(row(cast.email("new_student")))))
        while not (waiting.done() or await sql(database, blocked)):
            await asyncio.wait([waiting], timeout=0.02)
    answer = await waiting
    assert answer.status_code == 409
    assert await sql(database, "select 1 from session_packs where import_key is not null") == []
