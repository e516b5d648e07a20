"""The overview's figures against plain SQL on random data, in constant queries; what needs a hand is counted and linked."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from app.admin import overview
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.packs import service as packs
from tests import cast as casting
from tests.accounts.browser import Browser
from tests.admin.conftest import Visit
from tests.admin.work import dead, delivery, session, sql
from tests.cast import Cast
from tests.support.queries import counted

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
AUCKLAND = "Pacific/Auckland"
# November 2026 as people in Auckland have it (NZDT, UTC+13).
SINCE, UNTIL = datetime(2026, 10, 31, 11, tzinfo=UTC), datetime(2026, 11, 30, 11, tzinfo=UTC)


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


async def crowd(database: Database, cast: Cast, chance: random.Random) -> None:
    """Mentors, students, seats, sessions, waiting people and money, as chance has it."""
    async with database.service(ServiceDoor.SEED) as uow:
        mentors = [cast["mentor"], cast["other_mentor"], *[new_id() for _ in range(3)]]
        for number, id_ in enumerate(mentors[2:]):
            await casting.add_user(uow, id_, f"m{number}@example.test", f"M {number}", Role.MENTOR)
            await casting.add_mentor(uow, id_, f"m-{number}", "UTC", None, seats=chance.randint(0, 9))
        students = [new_id() for _ in range(14)]
        for number, id_ in enumerate(students):
            await casting.add_user(uow, id_, f"s{number}@example.test", f"S {number}", Role.STUDENT)
        await uow.commit()
    pairs = [(mentor, student) for mentor in mentors for student in students]
    await sql(database, "update mentors set max_active_students = max_active_students + 30")
    for mentor, student in chance.sample(pairs, 25):
        async with database.service(ServiceDoor.SEED) as uow:
            pack = await packs.grant(uow, mentor_id=mentor, student_id=student, sessions=8, validity_days=90)
            await uow.commit()
        await life(database, cast, chance, (mentor, student, pack))
    for mentor in mentors:
        await sql(
            database,
            "update mentors set max_active_students = :n where id = :id",
            n=chance.randint(0, 12),
            id=mentor,
        )
    for mentor, student in chance.sample(pairs, 6):
        offered = chance.choice([None, NOON])
        left = chance.choice([None, NOON])
        await sql(
            database,
            "insert into waitlist (id, mentor_id, student_id, joined_at, offered_at, left_at, outcome)"
            " values (:id, :m, :s, :at, :offered, :left, :outcome)",
            id=new_id(),
            m=mentor,
            s=student,
            at=NOON,
            offered=offered,
            left=left,
            outcome="left" if left else None,
        )
    gone = [students[0], mentors[-1]]
    await sql(database, "update users set deleted_at = now() where id = any(:ids)", ids=gone)
    await sql(database, "update users set role = 'admin' where id = :id", id=mentors[-2])  # teaches no more


async def life(database: Database, cast: Cast, chance: random.Random, pair: tuple[UUID, UUID, UUID]) -> None:
    """Some sessions, some money, some state of the seat."""
    mentor, student, pack = pair
    for _ in range(chance.randint(1, 4)):
        status = chance.choice(["completed", "no_show", "canceled", "scheduled"])
        start = SINCE + timedelta(minutes=15 * chance.randint(-900, 3600))
        try:
            await session(
                database,
                cast,
                start,
                mentor_id=mentor,
                student_id=student,
                pack_id=pack,
                status=status,
                completed_at=NOON if status in ("completed", "no_show") else None,
                canceled_at=NOON if status == "canceled" else None,
                conflict=chance.choice([None, "moved"]),
            )
        except sa.exc.IntegrityError:
            continue  # somebody is busy then
    status = chance.choice(["active", "grace", "held", "offered", "released"])
    ends = NOON if status in ("grace", "held", "offered") else None
    await sql(
        database,
        "update seat_reservations set status = :status, seat_expires_at = :ends"
        " where mentor_id = :m and student_id = :s and status <> 'released'",
        status=status,
        ends=ends,
        m=mentor,
        s=student,
    )
    await money(database, chance, pair)


async def money(database: Database, chance: random.Random, pair: tuple[UUID, UUID, UUID]) -> None:
    mentor, student, _ = pair
    currency, amount = chance.choice(["EUR", "USD", "JPY"]), chance.randint(1, 90_000)
    product, order, payment = new_id(), new_id(), new_id()
    at = SINCE + timedelta(hours=chance.randint(-300, 1000))
    await sql(
        database,
        "insert into mentorship_products (id, mentor_id, title, description, price_minor, currency, sessions_per_pack,"
        " validity_days, active, created_at) values (:id, :m, 'x', '', :amount, :currency, 4, 45, true, :at)",
        id=product,
        m=mentor,
        amount=amount,
        currency=currency,
        at=at,
    )
    await sql(
        database,
        "insert into orders (id, mentor_id, student_id, product_id, provider, status, flag, title, sessions,"
        " validity_days, currency, original_amount, discount_amount, tax_amount, total_amount, created_at, hold_until)"
        " values (:id, :m, :s, :product, 'stripe', 'paid', :flag, 'x', 4, 45, :currency, :amount, 0, 0, :amount, :at, :at)",
        id=order,
        m=mentor,
        s=student,
        product=product,
        flag=chance.choice([None, None, "no_seat", "disputed"]),
        currency=currency,
        amount=amount,
        at=at,
    )
    await sql(
        database,
        "insert into payments (id, order_id, provider, provider_payment_id, status, amount, currency, refunded_amount,"
        " created_at) values (:id, :order, 'stripe', :key, :status, :amount, :currency, 0, :at)",
        id=payment,
        order=order,
        key=str(payment),
        status=chance.choice(["completed", "refunded", "pending", "failed"]),
        amount=amount,
        currency=currency,
        at=at,
    )
    await sql(
        database,
        "insert into refunds (id, order_id, payment_id, amount, currency, sessions, status, origin, reason, requested_at)"
        " values (:id, :order, :payment, :amount, :currency, 0, :status, 'admin', 'x', :at)",
        id=new_id(),
        order=order,
        payment=payment,
        amount=amount // 3,
        currency=currency,
        status=chance.choice(["requested", "completed", "failed"]),
        at=at + timedelta(days=9),
    )


# One question a figure, written without a look at the function.
PLAIN = {
    "students": "select count(*) from users where role = 'student' and deleted_at is null",
    "active_mentees": "select count(*) from seat_reservations where status in ('active', 'grace')",
    "seats": "select sum(max_active_students) from mentors m, users u where u.id = m.id and u.deleted_at is null"
    " and u.role = 'mentor'",
    "waiting": "select count(*) from users u where exists (select 1 from waitlist w where w.student_id = u.id"
    " and w.left_at is null and w.offered_at is null)",
    "completed": "select count(*) from sessions where status = 'completed'"
    " and to_char(scheduled_at at time zone 'Pacific/Auckland', 'YYYY-MM') = '2026-11'",
    "scheduled": "select count(*) from sessions where status = 'scheduled'"
    " and to_char(scheduled_at at time zone 'Pacific/Auckland', 'YYYY-MM') = '2026-11'",
    "flagged_orders": "select count(flag) from orders",
    "dead_jobs": "select count(*) from outbox where state = 'dead'",
    "undelivered": "select count(*) from deliveries where state = 'failed' or state = 'uncertain'",
    "conflicts": "select count(conflict) from sessions where status = 'scheduled'",
}


async def plainly(database: Database) -> dict[str, Any]:
    found = {name: (await sql(database, query))[0][0] for name, query in PLAIN.items()}
    rows = await sql(
        database,
        "select m.id, m.max_active_students as n, r.status from mentors m join users u on u.id = m.id"
        " left join seat_reservations r on r.mentor_id = m.id where u.deleted_at is null and u.role = 'mentor'",
    )
    capacity = {row.id: row.n for row in rows}
    taken = {id_: sum(r.id == id_ and r.status not in (None, "released") for r in rows) for id_ in capacity}
    found["seats_open"] = sum(max(0, capacity[id_] - taken[id_]) for id_ in capacity)
    income: dict[str, int] = {}
    for row in await sql(database, "select currency, amount, status, created_at from payments"):
        if row.status in ("completed", "refunded") and SINCE <= row.created_at < UNTIL:
            income[row.currency] = income.get(row.currency, 0) + row.amount
    for row in await sql(database, "select currency, amount, status, requested_at from refunds"):
        if row.status != "failed" and SINCE <= row.requested_at < UNTIL:
            income[row.currency] = income.get(row.currency, 0) - row.amount
    return found | {"income": income}


@pytest.mark.parametrize("seed", range(3))
async def test_every_figure_is_what_plain_sql_says(database: Database, cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    await crowd(database, cast, chance)
    for _ in range(chance.randint(1, 5)):
        await dead(database)
        await delivery(database, cast["student"], chance.choice(["failed", "uncertain", "sent"]))
    month = overview.this_month(NOON, AUCKLAND)
    assert (month.start, month.end) == (SINCE, UNTIL)
    async with database.unit_of_work(cast.principal("admin")) as uow:
        found = await overview.figures(uow, month)
    expected = await plainly(database)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.completed > 0
    assert found.scheduled > 0
    assert len(found.income) > 1


@pytest.mark.parametrize("who", ["student", "mentor", "anonymous"])
async def test_the_database_answers_nobody_else(database: Database, cast: Cast, who: str) -> None:
    async with database.unit_of_work(cast.principal(who)) as uow:
        with pytest.raises(ProgrammingError, match="for admins"):
            await overview.figures(uow, overview.this_month(NOON, "UTC"))


async def test_a_quiet_house_says_so(database: Database, admin: Browser) -> None:
    await sql(database, "update outbox set state = 'done', done_at = now()")
    page = await admin.get("/admin")
    assert "Nothing waits for you" in page.text
    assert "nothing was paid yet" in page.text
    assert (await admin.get("/admin/calendars")).status_code == 200


async def test_what_needs_a_hand_is_counted_and_linked(
    database: Database, admin: Browser, cast: Cast
) -> None:
    await dead(database)
    for _ in range(2):
        await delivery(database, cast["student"])
    session_id = await session(database, cast, clock.now() + timedelta(days=3), conflict="moved")
    await sql(
        database,
        "insert into calendar_connections (mentor_id, state, google_email, google_calendar_id, calendars,"
        " google_refresh_token, mirror_version, connected_at)"
        " values (:id, 'revoked', 'x@example.test', 'primary', '[]', '', 0, now())",
        id=cast["other_mentor"],
    )
    page = (await admin.get("/admin")).text
    chores = re.findall(r'<li><a href="([^"]+)"><b>(\d+)</b> ([^<]+)</a></li>', page)
    assert chores == [
        ("/admin/jobs", "1", "job gave up"),
        ("/admin/jobs#undelivered", "2", "messages didn’t arrive"),
        ("/admin/calendars#revoked", "1", "instructor’s calendar is disconnected"),
        ("/admin/calendars#conflicts", "1", "session was changed in Google Calendar"),
    ]
    calendars = (await admin.get("/admin/calendars")).text
    assert f"/admin/sessions/{session_id}" in calendars
    assert f"/admin/users/{cast['other_mentor']}" in calendars
    assert "Other Mentor" in calendars


async def test_every_link_of_the_overview_leads_somewhere(admin: Browser) -> None:
    page = (await admin.get("/admin")).text
    links = set(re.findall(r'href="(/(?:admin|api/admin)[^"#]*)', page)) | {
        chore[-1].partition("#")[0] for chore in overview._CHORES
    }
    assert len(links) > 12
    for link in sorted(links):
        assert (link, (await admin.get(link)).status_code) == (link, 200)


async def test_a_constant_number_of_queries(database: Database, admin: Browser, cast: Cast) -> None:
    await admin.get("/admin")
    numbers = []
    for seed in (1, 2):
        for path in ("/admin", "/admin/calendars"):
            with counted() as statements:
                assert (await admin.get(path)).status_code == 200
            numbers.append(len(statements))
        if seed == 1:
            await crowd(database, cast, random.Random(seed))
    assert numbers == [4, 3, 4, 3], statements
