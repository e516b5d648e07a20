"""A profile's packs: buy, renew, wait, or take what is kept, whichever the viewer may."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Database
from tests.accounts.browser import Browser
from tests.cast import Cast
from tests.packs.support import SeatDesk
from tests.site.conftest import Visit
from tests.site.selling import on_sale

PROFILE = "/instructors/mentor"
JOIN = 'action="/waitlist"'
KEPT = "A seat is kept for you"


@pytest.fixture
async def product(database: Database, cast: Cast) -> UUID:
    return await on_sale(database, cast)


async def looks(visit: Visit, person: str, query: str = "") -> str:
    browser: Browser = await visit(person)
    answer = await browser.get(PROFILE + query)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("person", ["anonymous", "new_student", "other_student"])
async def test_with_a_seat_free_anybody_may_buy(visit: Visit, product: UUID, person: str) -> None:
    page = await looks(visit, person)
    assert f'href="/checkout?product_id={product}"' in page
    assert "Buy this pack" in page
    assert "waitlist" not in page


@pytest.mark.parametrize("person", ["mentor", "other_mentor", "admin"])
async def test_who_teaches_sees_the_price_alone(
    visit: Visit, desk: SeatDesk, product: UUID, person: str
) -> None:
    for seats in (3, 1):
        await desk.capacity(seats)
        page = await looks(visit, person)
        assert "€480.00" in page
        assert "/checkout" not in page
        assert JOIN not in page


async def test_a_code_in_the_link_goes_on_to_the_checkout(visit: Visit, product: UUID) -> None:
    page = await looks(visit, "new_student", "?code=SPRING%26more")
    assert f'href="/checkout?product_id={product}&amp;code=SPRING%26more"' in page
    assert "code=" not in await looks(visit, "new_student", "?code=" + "x" * 101)


async def test_who_has_a_seat_renews_even_where_all_are_taken(
    visit: Visit, desk: SeatDesk, product: UUID
) -> None:
    await desk.capacity(1)
    page = await looks(visit, "student")
    assert "Renew with this pack" in page
    assert f'href="/checkout?product_id={product}"' in page
    assert JOIN not in page


async def test_with_all_seats_taken_people_may_wait(visit: Visit, desk: SeatDesk, product: UUID) -> None:
    await desk.capacity(1)
    page = await looks(visit, "new_student")
    assert JOIN in page
    assert "/checkout" not in page
    nobody = await looks(visit, "anonymous")
    assert f'href="/sign-in?next={PROFILE}"' in nobody
    assert JOIN not in nobody
    assert "/checkout" not in nobody


async def test_who_waits_sees_their_number(visit: Visit, desk: SeatDesk, product: UUID) -> None:
    await desk.capacity(1)
    await desk.join("other_student")
    await desk.join("new_student")
    assert "You are number 2 on the waitlist" in await looks(visit, "new_student")
    await desk.leave("other_student")
    assert "You are number 1 on the waitlist" in await looks(visit, "new_student")


async def test_a_free_seat_is_not_shown_to_who_comes_later(
    visit: Visit, desk: SeatDesk, product: UUID
) -> None:
    await desk.capacity(1)
    await desk.join("new_student")
    await desk.release("student")
    for person in ("anonymous", "other_student"):
        page = await looks(visit, person)
        assert "All seats are taken" in page
        assert "/checkout" not in page
    listed = (await (await visit("anonymous")).get("/instructors?q=mentor")).text
    assert "All seats taken" in listed
    first = await looks(visit, "new_student")
    assert "1 of 1 seat left" in first
    assert "Buy this pack" in first


async def test_an_offer_names_its_end_in_the_viewers_zone(
    visit: Visit, desk: SeatDesk, product: UUID
) -> None:
    await desk.capacity(1)
    await desk.join("other_student")
    await desk.release("student")
    await desk.offer()
    page = await looks(visit, "other_student")
    assert KEPT in page
    assert "(Europe/Berlin)" in page
    assert "Buy this pack" in page
    assert "Let it go to the next" in page
    assert KEPT not in await looks(visit, "new_student")
    await desk.hold("other_student")
    assert KEPT in await looks(visit, "other_student")


async def test_who_is_at_the_checkout_may_go_back_to_it(visit: Visit, desk: SeatDesk, product: UUID) -> None:
    await desk.hold("new_student")
    page = await looks(visit, "new_student")
    assert KEPT in page
    assert "Buy this pack" in page
    assert "Let it go" not in page


async def test_what_is_not_on_sale_can_still_be_waited_for_by_who_does(visit: Visit, desk: SeatDesk) -> None:
    await desk.capacity(1)
    await desk.join("new_student")
    page = await looks(visit, "new_student")
    assert "no packs on sale" in page
    assert "You are number 1 on the waitlist" in page


async def test_a_seat_in_grace_is_renewed(visit: Visit, desk: SeatDesk, product: UUID) -> None:
    await desk.sql(
        "update seat_reservations set status = 'grace', seat_expires_at = :until where student_id = :id",
        until=clock.now() + timedelta(hours=3),
        id=desk.cast["student"],
    )
    assert "Renew with this pack" in await looks(visit, "student")
