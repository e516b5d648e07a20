"""Many at once: one last seat, one wish clicked many times, one truth told by many."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.accounts import web_sessions
from app.accounts.web_sessions import Browser as Claim
from app.asgi import create_app
from app.core.rls import ServiceDoor
from app.packs import seats
from app.packs.models import SeatStatus
from app.payments import fulfilment, refunds
from app.payments.gateway import Provider
from app.payments.models import OrderStatus
from tests.accounts.browser import Browser
from tests.payments.shop import Shop


async def most_live_seats(shop: Shop, mentor: str = "mentor") -> int:
    """The most seats that were live at any instant, from the append-only history."""
    rows = await shop.sql(
        "select seat_id, status from seat_entries where mentor_id = :id order by id", id=shop.cast[mentor]
    )
    live: set[UUID] = set()
    most = 0
    for row in rows:
        (live.discard if row.status == SeatStatus.RELEASED else live.add)(row.seat_id)
        most = max(most, len(live))
    return most


async def browser_of(shop: Shop, app: Any, student_id: UUID) -> Browser:
    browser = Browser(app, str(student_id))
    async with shop.database.service(ServiceDoor.SIGN_IN) as uow:
        claim = Claim(browser.http.headers["user-agent"])
        browser.carry(await web_sessions.start(uow, shop.platform.settings, student_id, claim))
        await uow.commit()
    return browser


async def test_a_hundred_buyers_and_the_last_seat(shop: Shop) -> None:
    product = await shop.product()
    await shop.seats(2)  # one is the student's
    buyers = [await shop.student(number) for number in range(100)]
    app = create_app(dataclasses.replace(shop.platform.settings, limits_scale=1000.0))
    browsers = [await browser_of(shop, app, id_) for id_ in buyers]
    form = {"product_id": str(product), "provider": "stripe", "code": ""}
    try:
        answers = await asyncio.gather(*(browser.post("/checkout", form) for browser in browsers))
    finally:
        for browser in browsers:
            await browser.http.aclose()
        await app.state.platform.close()
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: 99}
    refused = [answer.text for answer in answers if answer.status_code == 409]
    assert all('data-code="sold_out"' in text and "Join the waitlist" in text for text in refused)
    assert await shop.sql(
        "select status, count(*) from seat_reservations where mentor_id = :id group by 1 order by 1",
        id=shop.cast["mentor"],
    ) == [
        ("active", 1),
        ("held", 1),
    ]
    assert await most_live_seats(shop) == 2
    assert await shop.sql("select count(*) from orders") == [(1,)]


async def test_buyers_come_and_go_and_capacity_holds(shop: Shop) -> None:
    """Thirty buyers over three free seats: each pays, declines or walks away, and those who find none try again."""
    product = await shop.product()
    await shop.seats(4)
    buyers = [await shop.student(number) for number in range(30)]

    async def live(number: int, id_: UUID) -> None:
        for attempt in range(3):
            (found,) = await gathered([shop.start(id_, product, list(Provider)[(number + attempt) % 2])])
            if isinstance(found, Exception):
                continue
            if (number + attempt) % 3 == 0:
                await shop.settle(found.order_id)
                await shop.look(found.order_id)
            else:
                await shop.walk_away(id_, found.order_id)
                await shop.work()

    await asyncio.gather(*(live(number, id_) for number, id_ in enumerate(buyers)))
    await shop.work()
    assert await most_live_seats(shop) <= 4
    assert await shop.sql("select count(*) from seat_reservations where status = 'held'") == [(0,)]
    paid = await shop.sql("select count(*) from orders where status = 'paid' and pack_id is not null")
    packs = await shop.sql("select count(*) from session_packs where product_id is not null")
    assert paid == packs


async def test_everybody_tells_of_one_payment_at_once(shop: Shop) -> None:
    product = await shop.product()
    for provider in Provider:
        buyer = await shop.student()
        started = await shop.start(buyer, product, provider)
        await shop.settle(started.order_id)
        await asyncio.gather(*(shop.look(started.order_id) for _ in range(12)))
        counted = "select count(*) from {} where order_id = :id"
        assert await shop.sql(counted.format("payments"), id=started.order_id) == [(1,)]
        assert await shop.sql(
            "select count(*), sum(remaining_sessions) from session_packs where student_id = :id", id=buyer
        ) == [(1, 4)]


async def test_one_wish_clicked_ten_times_is_one_order(shop: Shop) -> None:
    product = await shop.product()
    answers = await gathered([shop.start("new_student", product) for _ in range(10)])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert await shop.sql("select count(*) from orders where status = 'pending'") == [(1,)]
    await shop.work()
    assert await shop.seat("new_student") is SeatStatus.HELD
    opened = shop.sandbox.control.call("GET", "/stripe/sessions")["items"]
    assert [one["status"] for one in opened].count("open") == 1


async def test_two_admins_click_refund_at_once(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    answers = await gathered([shop.refund(order_id, quoted=12_000) for _ in range(6)])
    done = [answer for answer in answers if isinstance(answer, UUID)]
    assert len(done) == 1
    await asyncio.gather(*(refunds.pay(shop.cashier, done[0]) for _ in range(6)))
    assert [one["amount"] for one in shop.sandbox.control.call("GET", "/stripe/refunds")["items"]] == [12_000]


async def test_paying_while_the_hold_ends(shop: Shop) -> None:
    """Whoever comes first: the pack is there, or the money is back."""
    product = await shop.product()
    await shop.seats(4)
    buyers = [await shop.student(number) for number in range(3)]
    started = [await shop.start(id_, product, Provider.PAYPAL) for id_ in buyers]
    for one in started:
        await shop.settle(one.order_id)
    shop.advance("PT35M")
    await asyncio.gather(shop.work(), *(shop.look(one.order_id) for one in started))
    shop.advance("PT10M")
    await shop.work()
    for one in started:
        order = await shop.order(one.order_id)
        assert (order.status, order.pack_id is not None) == (OrderStatus.PAID, True)


async def gathered(attempts: Iterable[Any]) -> list[Any]:
    return list(await asyncio.gather(*attempts, return_exceptions=True))


async def test_the_order_is_locked_after_its_mentor(shop: Shop) -> None:
    """Whoever holds the mentor, as a checkout that replaces an order, can have the order: else both wait for ever."""
    started = await shop.start("new_student", await shop.product())
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"

    async def end() -> None:
        async with shop.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            order = await fulfilment.locked(uow, started.order_id)
            await fulfilment.end(uow, order, OrderStatus.CANCELED)

    async with shop.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await seats.lock_mentor(uow, shop.cast["mentor"])
        ending = asyncio.create_task(end())
        while not await shop.sql(waiting):
            assert not ending.done()
        await uow.session.execute(
            sa.text("select 1 from orders where id = :id for update nowait"), {"id": started.order_id}
        )
    await ending
    assert (await shop.order(started.order_id)).status is OrderStatus.CANCELED
