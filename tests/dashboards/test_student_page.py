"""What a student finds on the dashboard: cards, amber banners, what comes up, and the way on from there."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta

import pytest

from app.booking import proposals
from app.core import clock
from app.core.rls import ServiceDoor
from app.mentors import products
from app.packs import waitlist
from tests.booking.conftest import Visit
from tests.dashboards.student_worlds import fill
from tests.site.selling import FOUR
from tests.support.queries import counted
from tests.testimonials.support import Studio

QUERIES = 9  # one of them says who asks


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


async def dashboard(visit: Visit, who: str = "student") -> str:
    answer = await (await visit(who)).get("/dashboard")
    assert answer.status_code == 200
    return answer.text.partition("<main")[2].partition("</main>")[0]


async def test_somebody_new_has_one_step(visit: Visit) -> None:
    page = await dashboard(visit, "new_student")
    assert "The artists you learn from will be here" in page
    assert re.findall(r'class="button" href="([^"]+)"', page) == ["/instructors"]
    assert 'class="figures"' not in page


async def test_a_card_says_how_things_stand(studio: Studio, visit: Visit) -> None:
    start = (await studio.offers("student"))[0]
    await studio.book("student", start)
    page = await dashboard(visit)
    pack = studio.cast.packs["student"]
    text = words(page)
    assert "4 of 4 sessions left" in text
    assert "Yours while the pack lasts" in text
    assert "(America/New_York)" in text
    for href in (
        f"/calendar?mentor_id={studio.cast['mentor']}",
        f"/packs/{pack}",
        "/instructors/mentor#packs",
    ):
        assert f'href="{href}"' in page
    assert page.count('class="session-row"') == 1
    assert "banner-renew" not in page


async def test_at_most_three_come_up(studio: Studio, visit: Visit) -> None:
    for _ in range(4):
        await studio.book("student", (await studio.offers("student"))[0])
    page = await dashboard(visit)
    assert page.count('class="session-row"') == 3
    assert "Book a session" not in page


async def test_one_session_left_is_amber_and_leads_to_the_same_pack(studio: Studio, visit: Visit) -> None:
    async with studio.database.unit_of_work(studio.principal("mentor")) as uow, uow.transaction():
        product = await products.create(uow, studio.cast["mentor"], FOUR)
    await studio.sql(
        "update session_packs set product_id = :p where id = :id", p=product, id=studio.cast.packs["student"]
    )
    await studio.hold(2)
    assert "banner-renew" not in await dashboard(visit)
    await studio.hold(1)
    page = await dashboard(visit)
    banner = page.partition("banner-renew")[2].partition("</section>")[0]
    assert "One session left with Mentor" in words(banner)
    assert f'href="/checkout?product_id={product}"' in banner
    await studio.sql("update mentorship_products set active = false")
    assert 'href="/instructors/mentor#packs">Renew' in await dashboard(visit)


async def test_grace_says_until_when(studio: Studio, visit: Visit) -> None:
    await studio.hold(4)
    page = await dashboard(visit)
    banner = words(page.partition("banner-renew")[2].partition("</section>")[0])
    assert "All sessions with Mentor are used" in banner
    assert re.search(r"renew by \w{3} \d+ \w{3} \d{4}, \d\d:\d\d \(America/New_York\) , in \d+ ", banner)
    assert "Used up" in words(page)


async def test_a_proposal_comes_first(studio: Studio, visit: Visit) -> None:
    start, other = (await studio.offers("student"))[0:4:3]
    session = (await studio.book("student", start)).session
    assert 'id="proposals"' not in await dashboard(visit)
    async with studio.database.unit_of_work(studio.principal("mentor")) as uow:
        await proposals.propose(uow, session.id, other)
    page = await dashboard(visit)
    assert f'href="/sessions/{session.id}/proposal"' in page
    assert page.index('id="proposals"') < page.index('class="figures"')
    assert 'id="proposals"' not in await dashboard(visit, "other_student")


async def test_places_on_waitlists(studio: Studio, visit: Visit) -> None:
    await studio.sql("update mentors set max_active_students = 1")
    async with studio.database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await waitlist.join(uow, studio.cast["mentor"], studio.cast["new_student"])
    assert "You are number 1" in words(await dashboard(visit, "new_student"))


async def test_asked_for_a_few_words_until_they_are_written(studio: Studio, visit: Visit) -> None:
    await studio.hold(3)
    link = f"/testimonials/new?pack_id={studio.cast.packs['student']}"
    with clock.standing_at(await latest(studio)):
        assert link in await dashboard(visit)
    id_ = await studio.write()
    page = await dashboard(visit)
    assert link not in page
    assert f"/testimonials/{id_}" in page
    assert "wait to be read" in words(page)


async def latest(studio: Studio) -> datetime:
    at: datetime = (await studio.sql("select max(ends_at) as at from sessions"))[0].at
    return at


async def test_an_instructor_who_left_has_no_links(studio: Studio, visit: Visit) -> None:
    await studio.sql("update users set deleted_at = now() where id = :id", id=studio.cast["mentor"])
    page = await dashboard(visit)
    assert "Somebody who left" in page
    assert "/instructors/mentor" not in page
    assert "/calendar?" not in page


@pytest.mark.parametrize("mentors", [0, 12])
async def test_a_constant_number_of_questions(studio: Studio, visit: Visit, mentors: int) -> None:
    await fill(studio.database, studio.cast["student"], clock.now() + timedelta(hours=1), 3, mentors)
    browser = await visit("student")
    await browser.get("/instructors")  # a new connection has questions of its own
    with counted() as statements:
        answer = await browser.get("/dashboard")
    assert answer.status_code == 200
    assert len(statements) == QUERIES, statements
