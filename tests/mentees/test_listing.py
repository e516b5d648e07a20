"""The list of mentees: understood addresses, searches, orders and pages, by properties; the pages that show it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.mentees.listing import PER_PAGE, SHOWN, SORTS, Wish, listed, understood
from app.mentees.relations import MENTEE_SEATS, Relation
from app.packs.models import SeatStatus
from tests.booking.conftest import Visit
from tests.mentees.support import MenteeDesk

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
instants = st.none() | st.integers(-(10**7), 10**7).map(lambda seconds: NOW + timedelta(seconds=seconds))
seats = st.none() | st.sampled_from(SeatStatus)


@st.composite
def relations(draw: st.DrawFn) -> Relation:
    return Relation(
        mentor_id=UUID(int=1),
        student_id=draw(st.uuids()),
        mentor_name="Mentor",
        mentor_slug="mentor",
        student_name=draw(st.text("abÄß 🫐", min_size=1, max_size=6)),
        student_email=None,
        completed=0,
        total=4,
        remaining=draw(st.integers(0, 9)),
        used=0,
        scheduled=0,
        pack_id=None,
        pack_status=None,
        pack_expires_at=draw(instants),
        last_session=draw(instants),
        next_session=draw(instants),
        seat_status=draw(seats),
        seat_expires_at=None,
    )


everybody = st.lists(relations(), max_size=70, unique_by=lambda one: one.student_id)
shows, sorts = st.sampled_from(list(SHOWN)), st.sampled_from(list(SORTS))


@given(everybody, shows, sorts, st.text("abß ", max_size=2))
def test_pages_hold_everybody_once_in_order(every: list[Relation], show: str, sort: str, words: str) -> None:
    first = listed(every, Wish(words=words, show=show, sort=sort))
    found = list(first.relations)
    for page in range(2, -(-first.total // PER_PAGE) + 1):
        later = listed(every, Wish(words=words, show=show, sort=sort, page=page))
        assert later.wish.note is None
        found += later.relations
    wanted = [one for one in every if words.casefold() in one.student_name.casefold()]
    if show != "all":
        wanted = [one for one in wanted if (one.seat_status in MENTEE_SEATS) is (show == "")]
    assert {one.student_id for one in found} == {one.student_id for one in wanted}
    assert len(found) == first.total == len(wanted)
    seated = [one.seat_status in MENTEE_SEATS for one in found]
    assert seated == sorted(seated, reverse=True)
    for half in (True, False):
        assert_in_order([one for one in found if (one.seat_status in MENTEE_SEATS) is half], sort)
    assert first.counts["all"] == first.counts[""] + first.counts["former"] == len(every)


def assert_in_order(found: list[Relation], sort: str) -> None:
    if sort == "name":
        names = [one.student_name.casefold() for one in found]
        assert names == sorted(names)
    elif sort == "left":
        assert [one.remaining for one in found] == sorted(one.remaining for one in found)
    else:
        name = {"last": "last_session", "next": "next_session", "ends": "pack_expires_at"}[sort]
        instants = [getattr(one, name) for one in found]
        there = [instant for instant in instants if instant is not None]
        assert instants == [*sorted(there, reverse=sort == "last"), *[None] * (len(found) - len(there))]


@given(st.text(max_size=20), shows, sorts, st.integers(1, 99_999))
def test_an_address_says_what_was_wished_for(words: str, show: str, sort: str, page: int) -> None:
    wish = understood(words, show, sort, str(page))
    query = parse_qs(urlsplit(wish.href(page=wish.page)).query)
    asked = {
        name: query.get(name, [usual])[0]
        for name, usual in (("q", ""), ("show", ""), ("sort", "name"), ("page", "1"))
    }
    assert understood(asked["q"], asked["show"], asked["sort"], asked["page"]) == wish
    assert wish.href(sort="left").count("page=") == 0
    assert wish.note is None


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_whatever_an_address_spells_is_the_first_page_and_a_note(show: str, sort: str, page: str) -> None:
    wish = understood("", show, sort, page)
    wrong = (
        show not in SHOWN or sort not in SORTS or not re.fullmatch(r"(?a:0*[1-9]\d*)", page) or len(page) > 5
    )
    assert (wish.note is not None) is wrong
    assert not wrong or wish.page == 1
    assert wish.show in SHOWN
    assert wish.sort in SORTS


def test_a_page_beyond_the_last_is_the_first_and_a_note() -> None:
    found = listed([], Wish(page=7))
    assert (found.wish.page, found.wish.note) == (1, understood("", "", "name", "0").note)


async def test_odd_addresses_are_shown_with_a_note(visit: Visit) -> None:
    browser = await visit("mentor")
    for query, words in (
        ("sort=nonsense", "an order"),
        ("page=0", "a page"),
        ("page=99", "a page"),
        ("page=x&show=y&sort=z", "a filter and an order and a page"),
        ("page=" + "9" * 90, "a page"),
    ):
        answer = await browser.get(f"/instructor/students?{query}")
        assert answer.status_code == 200
        assert "this is the first page" in answer.text
        assert f"names {words} that" in answer.text
        assert ">Student<" in answer.text
    plain = await browser.get("/instructor/students?q=stu&sort=last")
    assert "this is the first page" not in plain.text


async def test_the_search_is_a_fragment_that_keeps_filter_and_order(visit: Visit) -> None:
    browser = await visit("mentor")
    part = await browser.fragment("/instructor/students?q=STUD&show=all&sort=left")
    assert part.text.lstrip().startswith('<section id="students"')
    assert "<html" not in part.text
    assert ">Student<" in part.text
    assert 'href="/instructor/students?q=STUD&amp;show=former&amp;sort=left"' in part.text
    nobody = await browser.fragment("/instructor/students?q=nobody")
    assert "No mentee here has such a name." in nobody.text
    page = (await browser.get("/instructor/students?q=STUD&show=all&sort=left")).text
    assert 'name="show" value="all"' in page
    assert 'name="sort" value="left"' in page


async def test_former_mentees_are_found_by_the_filter(mentees: MenteeDesk, visit: Visit) -> None:
    browser = await visit("mentor")
    await mentees.lose_seat()
    active = (await browser.get("/instructor/students")).text
    assert "Nobody has a seat with you at the moment." in active
    former = (await browser.get("/instructor/students?show=former")).text
    assert f'href="/instructor/students/{mentees.student_id}"' in former
    assert "Given up" in former


async def test_low_ones_are_marked_in_words_too(mentees: MenteeDesk, visit: Visit) -> None:
    await mentees.left(1)
    page = (await (await visit("mentor")).get("/instructor/students")).text
    assert '<tr class="is-low">' in page
    assert ", time to renew" in page


async def test_a_list_in_pages(mentees: MenteeDesk, visit: Visit) -> None:
    await mentees.sql("update mentors set max_active_students = 200")
    await mentees.sql(
        "with people as (insert into users (id, email, name, role, time_zone, theme, created_at)"
        " select gen_random_uuid(), 'p' || n || '@example.test', 'Pupil ' || lpad(n::text, 3, '0'), 'student', 'UTC',"
        " 'auto', now() from generate_series(1, 60) n returning id)"
        " insert into seat_reservations (id, mentor_id, student_id, status, created_at, changed_at)"
        " select gen_random_uuid(), :mentor, id, 'active', now(), now() from people",
        mentor=mentees.cast["mentor"],
    )
    browser, path = await visit("mentor"), "/instructor/students?q=pupil"
    seen: list[str] = []
    for _ in range(3):
        page = (await browser.get(path)).text
        seen += re.findall(r"Pupil \d{3}", page.partition("<tbody>")[2])
        onward = re.search(r'href="([^"]+)" rel="next"', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert path == ""
    assert seen == [f"Pupil {number:03}" for number in range(1, 61)]
