"""`/instructor/waitlist` and `/admin/waitlist`: seats, who waits for one, and taking somebody off the list."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest

from app.core import clock
from app.packs import waitlist
from tests.accounts.browser import Browser, target
from tests.cast import Cast
from tests.packs.support import SeatDesk
from tests.site.conftest import Visit

OWN, ALL = "/instructor/waitlist", "/admin/waitlist"


@pytest.fixture
async def line(desk: SeatDesk) -> SeatDesk:
    """The student has the mentor's only seat; the other student and then the new one wait for it."""
    await desk.capacity(1)
    await desk.join("other_student")
    await desk.join("new_student")
    return desk


async def place(desk: SeatDesk, who: str) -> UUID:
    found: UUID = (await desk.places(left=False))[desk.cast[who]].id
    return found


def names(html: str) -> list[str]:
    """Who waits, in the order shown."""
    return re.findall(r"<p><b>(.*?)</b></p>", html)


async def test_a_mentor_sees_seats_and_the_line(mentor: Browser, line: SeatDesk, cast: Cast) -> None:
    page = (await mentor.get(OWN)).text
    assert "1 of 1 seat in use" in page
    assert f'href="/packs/{cast.packs["student"]}"' in page
    assert "4 of 4 left" in page
    assert names(page) == ["Other Student", "New Student"]
    assert re.findall(r'class="waiting-number"[^>]*>(.)<', page) == ["1", "2"]


async def test_every_state_of_a_seat_has_a_word_and_an_end(mentor: Browser, line: SeatDesk) -> None:
    await line.capacity(3)
    await line.offer()
    await line.hold("new_student")
    await line.sql(
        "update seat_reservations set status = 'grace', seat_expires_at = :until where student_id = :id",
        until=clock.now() + timedelta(hours=30),
        id=line.cast["student"],
    )
    page = (await mentor.get(OWN)).text
    assert "3 of 3 seats in use" in page
    for word in ("May renew", "Offered", "At the checkout", "in 1 day"):
        assert word in page
    assert page.count("A seat is kept for them until") == 2


async def test_with_nobody_there_both_lists_say_what_will_be(visit: Visit) -> None:
    page = (await (await visit("other_mentor")).get(OWN)).text
    assert "Nobody is waiting." in page
    assert "1 of 3 seats in use" in page


@pytest.mark.parametrize("who", ["mentor", "admin"])
@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
async def test_somebody_is_taken_off_the_list(visit: Visit, line: SeatDesk, who: str, htmx: bool) -> None:
    browser, base = await visit(who), OWN if who == "mentor" else ALL
    path = f"{base}/{await place(line, 'other_student')}/removal"
    asked = await (browser.fragment(path) if htmx else browser.get(path))
    assert asked.status_code == 200
    assert "Take Other Student off the waitlist?" in asked.text
    answer = await browser.post(path, htmx=htmx)
    if htmx:
        root = 'id="seats"' if who == "mentor" else f'id="waiting-{line.mentor_id}"'
        assert root in answer.text.lstrip()[:80]
        assert names(answer.text) == ["New Student"]
        assert "Other Student is off the waitlist." in answer.text
    else:
        assert target(answer) == base
        assert browser.flashes() == ["Other Student is off the waitlist. We have written to them."]
    assert await line.told() == ["waitlist_removed"]
    for again in (await browser.post(path, htmx=htmx), await browser.get(path)):
        assert again.status_code == 404


async def test_an_offer_taken_away_goes_to_the_next(mentor: Browser, line: SeatDesk) -> None:
    await line.release("student")
    await line.offer()
    answer = await mentor.post(f"{OWN}/{await place(line, 'other_student')}/removal", htmx=True)
    assert "0 of 1 seat in use" in answer.text
    assert await line.offer() == 1
    assert await line.status("new_student") == "offered"


async def test_an_admin_sees_only_lists_with_somebody(visit: Visit, line: SeatDesk, cast: Cast) -> None:
    admin = await visit("admin")
    page = (await admin.get(ALL)).text
    assert 'href="/instructors/mentor"' in page
    assert "other-mentor" not in page
    await line.sql("update mentors set max_active_students = 1 where id = :id", id=cast["other_mentor"])
    async with line.database.unit_of_work(cast.principal("student")) as uow, uow.transaction():
        await waitlist.join(uow, cast["other_mentor"], cast["student"])
    both = (await admin.get(ALL)).text
    assert both.index("/instructors/mentor") < both.index("/instructors/other-mentor")
    assert names(both) == ["Other Student", "New Student", "Student"]
    found = await admin.fragment(f"{ALL}?q=OTHER")
    assert found.text.lstrip().startswith('<div id="waitlists"')
    assert names(found.text) == ["Student"]
    assert "called “nobody”" in (await admin.get(f"{ALL}?q=nobody")).text
    assert (await admin.get(f"{ALL}?page=2&q=o%7Bther")).status_code == 200


async def test_lists_come_in_pages(visit: Visit, desk: SeatDesk) -> None:
    await desk.teachers_with_a_line(23)
    admin = await visit("admin")
    first, second = (await admin.get(ALL)).text, (await admin.get(f"{ALL}?page=2")).text
    assert (len(names(first)), len(names(second))) == (20, 3)
    assert f'href="{ALL}?page=2"' in first
    assert "21–23" in second


async def test_who_leaves_for_good_makes_room(visit: Visit, line: SeatDesk) -> None:
    (late,) = await line.newcomers(1)
    await line.join(late)
    await line.release("student")
    await line.capacity(2)
    assert await line.offer() == 2
    await line.sql("delete from outbox")
    browser = await visit("new_student")
    answer = await browser.post("/settings/deletion", {"confirmation": line.cast.email("new_student")})
    assert target(answer) == "/"
    assert await line.status("new_student") is None
    events = await line.sql("select payload->>'mentor_id' as id from outbox where type = 'seats/offer'")
    assert [event.id for event in events] == [str(line.mentor_id)]
    assert await line.offer() == 1
    assert await line.status(late) == "offered"
