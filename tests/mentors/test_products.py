"""Products in the database, as each role: traced, published, and without a grip on what was sold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from app.core import clock
from app.core.db import Database
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.mentors import products
from app.mentors.product_rules import Offer
from app.packs import service as packs
from app.packs.models import EntryKind
from tests import cast as casting
from tests.cast import Cast

FOUR = Offer(title="Four sessions", price_minor=48_000, currency="EUR")
NOBODY_ELSE = ("other_mentor", "student", "anonymous")


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


async def rows(database: Database, query: str, **values: Any) -> list[Any]:
    async with database.service(ServiceDoor.SEED) as uow:
        result = await uow.session.execute(sa.text(query), values)
        found = list(result.all()) if result.returns_rows else []
        await uow.commit()
        return found


async def create(database: Database, cast: Cast, who: str = "mentor", offer: Offer = FOUR) -> UUID:
    async with database.unit_of_work(cast.principal(who)) as uow, uow.transaction():
        return await products.create(uow, cast["mentor"], offer)


async def edit(database: Database, cast: Cast, id_: UUID, offer: Offer, who: str = "mentor") -> None:
    async with database.unit_of_work(cast.principal(who)) as uow, uow.transaction():
        await products.edit(uow, id_, offer)


async def set_active(database: Database, cast: Cast, id_: UUID, active: bool, who: str = "mentor") -> None:
    async with database.unit_of_work(cast.principal(who)) as uow, uow.transaction():
        await products.set_active(uow, id_, active)


async def trail(database: Database) -> list[tuple[str, Any, Any]]:
    query = (
        "select action, before, after from audit_log where subject_type = 'mentorship_products' order by id"
    )
    return [tuple(row) for row in await rows(database, query)]


async def published(database: Database) -> int:
    return len(await rows(database, "select 1 from outbox where type = 'product/publish'"))


@pytest.mark.parametrize("who", ["mentor", "admin"])
async def test_a_product_is_made_changed_and_taken_from_sale(
    database: Database, cast: Cast, who: str
) -> None:
    id_ = await create(database, cast, who)
    await edit(database, cast, id_, replace(FOUR, price_minor=50_000, validity_days=30), who)
    await edit(database, cast, id_, replace(FOUR, price_minor=50_000, validity_days=30), who)
    for active in (False, False, True):
        await set_active(database, cast, id_, active, who)
    created, *changes = await trail(database)
    assert (created[0], created[2]["price_minor"]) == ("create_product", 48_000)
    assert changes == [
        (
            "edit_product",
            {"price_minor": 48_000, "validity_days": 45},
            {"price_minor": 50_000, "validity_days": 30},
        ),
        ("deactivate_product", {"active": True}, {"active": False}),
        ("activate_product", {"active": False}, {"active": True}),
    ]
    payloads = await rows(database, "select payload from outbox where type = 'product/publish'")
    assert [row.payload for row in payloads] == [{"product_id": str(id_)}] * 2
    actors = await rows(database, "select distinct actor_id from audit_log where action = 'edit_product'")
    assert actors == [(cast[who],)]


@pytest.mark.parametrize(
    ("change", "events", "keeps_the_price"),
    [
        ({"price_minor": 1_000}, 1, False),
        ({"currency": "USD"}, 1, False),
        ({"title": "Other"}, 1, True),
        ({"description": "Other"}, 0, True),
        ({"sessions_per_pack": 9}, 0, True),
    ],
)
async def test_providers_hear_of_what_they_know(
    database: Database, cast: Cast, change: dict[str, Any], events: int, keeps_the_price: bool
) -> None:
    id_ = await create(database, cast)
    await rows(
        database, "update mentorship_products set stripe_price_id = 'price_1', paypal_product_id = 'P-1'"
    )
    before = await published(database)
    await edit(database, cast, id_, replace(FOUR, **change))
    assert await published(database) - before == events
    ((price, paypal),) = await rows(
        database, "select stripe_price_id, paypal_product_id from mentorship_products"
    )
    assert (price, paypal) == ("price_1" if keeps_the_price else None, "P-1")


async def test_what_was_sold_stays_as_it_was(database: Database, cast: Cast) -> None:
    id_ = await create(database, cast)
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await packs.add(
            uow,
            mentor_id=cast["mentor"],
            student_id=cast["new_student"],
            product_id=id_,
            sessions=4,
            validity_days=45,
            kind=EntryKind.PURCHASE,
        )
    await rows(
        database,
        "insert into orders (id, mentor_id, student_id, product_id, provider, status, title, sessions, validity_days,"
        " currency, original_amount, discount_amount, tax_amount, total_amount, created_at, hold_until)"
        " values (:id, :mentor, :student, :product, 'stripe', 'pending', 'Four sessions', 4, 45, 'EUR', 48000, 0, 0,"
        " 48000, :now, :now)",
        id=new_id(),
        mentor=cast["mentor"],
        student=cast["new_student"],
        product=id_,
        now=clock.now(),
    )
    sold = "select to_jsonb(o) from orders o union all select to_jsonb(p) from session_packs p"
    before = sorted(map(str, await rows(database, sold)))
    other = Offer(title="X", price_minor=99, currency="USD", sessions_per_pack=1, validity_days=1)
    await edit(database, cast, id_, other)
    await set_active(database, cast, id_, False)
    assert sorted(map(str, await rows(database, sold))) == before


@pytest.mark.parametrize("person", NOBODY_ELSE)
async def test_nobody_else_changes_anything(database: Database, cast: Cast, person: str) -> None:
    id_ = await create(database, cast)
    before = await rows(database, "select to_jsonb(p) from mentorship_products p")
    with pytest.raises(NotFound):
        await edit(database, cast, id_, replace(FOUR, title="Mine"), person)
    with pytest.raises(NotFound):
        await set_active(database, cast, id_, False, person)
    with pytest.raises(ProgrammingError, match=r"row-level security|permission denied"):
        await create(database, cast, person)
    assert await rows(database, "select to_jsonb(p) from mentorship_products p") == before


async def test_a_list_begins_with_what_is_on_sale(database: Database, cast: Cast) -> None:
    first = await create(database, cast)
    second = await create(database, cast, offer=replace(FOUR, title="Second"))
    await set_active(database, cast, first, False)
    for who, expected in (("mentor", [second, first]), ("admin", [second, first]), ("student", [second])):
        async with database.unit_of_work(cast.principal(who)) as uow:
            assert [one.id for one in await products.of_mentor(uow, cast["mentor"])] == expected


async def test_nothing_is_sold_for_somebody_who_does_not_teach(database: Database, cast: Cast) -> None:
    async with database.unit_of_work(cast.principal("admin")) as uow:
        for id_ in (cast["student"], new_id()):
            with pytest.raises(NotFound):
                await products.create(uow, id_, FOUR)
