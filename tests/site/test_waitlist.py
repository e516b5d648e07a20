"""`/waitlist`: what it is, own places, joining and leaving, by fragments and by plain forms."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.core.ids import new_id
from tests.accounts.browser import target
from tests.packs.support import SeatDesk
from tests.site.conftest import Visit
from tests.site.selling import on_sale

PAGE = "/waitlist"


@pytest.fixture
async def full(desk: SeatDesk) -> SeatDesk:
    """The student has the mentor's only seat."""
    await desk.capacity(1)
    await on_sale(desk.database, desk.cast)
    return desk


def joining(desk: SeatDesk) -> dict[str, str]:
    return {"mentor_id": str(desk.mentor_id)}


async def place(desk: SeatDesk, who: str) -> UUID:
    found: UUID = (await desk.places(left=False))[desk.cast[who]].id
    return found


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ("anonymous", "/sign-in?next=/waitlist"),
        ("student", "with your place in line"),
        ("mentor", 'href="/instructor/waitlist"'),
        ("admin", 'href="/admin/waitlist"'),
    ],
)
async def test_everybody_learns_what_it_is(visit: Visit, person: str, says: str) -> None:
    page = (await (await visit(person)).get(PAGE)).text
    assert "How it works" in page
    assert says in page


@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
async def test_joining_shows_the_place(visit: Visit, full: SeatDesk, htmx: bool) -> None:
    await full.join("other_student")
    browser = await visit("new_student")
    for _ in range(2):
        answer = await browser.post(PAGE, joining(full), htmx=htmx)
        if htmx:
            assert answer.status_code == 200
            assert answer.text.lstrip().startswith('<section id="packs"')
            assert "You are number 2 on the waitlist" in answer.text
        else:
            assert target(answer) == PAGE
            assert browser.flashes() == [
                "You are on the waitlist of Mentor. We write to you when a seat is free."
            ]
    assert len(await full.places(left=False)) == 2
    page = (await browser.get(PAGE)).text
    assert "You are number 2." in page
    assert 'href="/instructors/mentor"' in page


@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "plain"])
async def test_nobody_waits_for_what_is_free(visit: Visit, desk: SeatDesk, htmx: bool) -> None:
    await on_sale(desk.database, desk.cast)
    for person, says in (("new_student", "A seat is free right now"), ("student", "You have a seat")):
        browser = await visit(person)
        answer = await browser.post(PAGE, joining(desk), htmx=htmx)
        if htmx:
            assert answer.status_code == 409
            assert says in answer.text
            assert "/checkout?product_id=" in answer.text
        else:
            assert target(answer) == "/instructors/mentor"
            assert browser.flashes()[0].startswith(says)
    assert await desk.places(left=False) == {}


async def test_there_is_no_line_in_front_of_nobody(visit: Visit, desk: SeatDesk) -> None:
    browser = await visit("new_student")
    for nobody in (str(desk.cast["student"]), str(new_id()), "nonsense", ""):
        for htmx in (True, False):
            assert (await browser.post(PAGE, {"mentor_id": nobody}, htmx=htmx)).status_code == 404


@pytest.mark.parametrize("view", ["profile", ""])
async def test_leaving_swaps_what_the_reader_looks_at(visit: Visit, full: SeatDesk, view: str) -> None:
    await full.join("new_student")
    browser = await visit("new_student")
    path = f"{PAGE}/{await place(full, 'new_student')}/departure"
    answer = await browser.post(path, {"view": view}, htmx=True)
    assert answer.status_code == 200
    if view:
        assert answer.text.lstrip().startswith('<section id="packs"')
        assert "Join the waitlist" in answer.text
    else:
        assert answer.text.lstrip().startswith('<section id="places"')
        assert "You are no longer on the waitlist." in answer.text
    assert (await browser.post(path, htmx=True)).status_code == 404


async def test_leaving_without_scripts(visit: Visit, full: SeatDesk) -> None:
    await full.join("new_student")
    browser = await visit("new_student")
    answer = await browser.post(f"{PAGE}/{await place(full, 'new_student')}/departure")
    assert target(answer) == PAGE
    assert browser.flashes() == ["You are no longer on the waitlist."]
    assert await full.places(left=False) == {}


async def test_an_offer_stands_first_with_its_end(visit: Visit, full: SeatDesk) -> None:
    await full.join("new_student")
    await full.release("student")
    await full.offer()
    page = (await (await visit("new_student")).get(PAGE)).text
    assert "A seat is kept for you until" in page
    assert "(UTC)" in page
    assert "in 1 day" in page or "in 24 hours" in page
    assert 'href="/instructors/mentor#packs"' in page


async def test_others_places_are_nobodys_business(visit: Visit, full: SeatDesk) -> None:
    await full.join("new_student")
    id_ = await place(full, "new_student")
    page = (await (await visit("other_student")).get(PAGE)).text
    assert str(id_) not in page
    assert "Mentor</a>" not in page
