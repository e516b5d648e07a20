"""The pages of testimonials: what was typed is never lost, and what was decided is seen."""

from __future__ import annotations

import html
import re

import pytest

from app.core.seen import digest
from app.testimonials.models import TestimonialStatus as Status
from tests.accounts.browser import target
from tests.booking.conftest import Visit
from tests.testimonials.support import OTHERS, WORDS, Studio


def shown(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def errors(page: str) -> dict[str, str]:
    return dict(re.findall(r'<p class="error" id="([\w.-]+)-error">(.*?)</p>', page))


def typed(page: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    return html.unescape(found[1]) if found else ""


async def test_writing_without_scripts(studio: Studio, visit: Visit) -> None:
    await studio.hold(3)
    pack = str(studio.cast.packs["student"])
    browser = await visit("student")
    page = await browser.get(f"/testimonials/new?pack_id={pack}")
    assert page.status_code == 200
    assert "A few words about Mentor" in page.text
    short = await browser.post("/testimonials", {"pack_id": pack, "body": "Too <short>"})
    assert short.status_code == 422
    assert errors(short.text) == {"body": "A little more, please: at least 50 characters; these are 11."}
    assert typed(short.text) == "Too <short>"
    done = await browser.post("/testimonials", {"pack_id": pack, "body": WORDS})
    assert target(done) == "/dashboard"
    (row,) = await studio.rows()
    again = await browser.get(f"/testimonials/new?pack_id={pack}")
    assert target(again) == f"/testimonials/{row.id}"
    assert typed((await browser.get(target(again))).text) == WORDS


async def test_two_windows(studio: Studio, visit: Visit) -> None:
    await studio.hold(3)
    pack = str(studio.cast.packs["student"])
    browser = await visit("student")
    await browser.post("/testimonials", {"pack_id": pack, "body": WORDS})
    for htmx in (False, True):
        second = await browser.post("/testimonials", {"pack_id": pack, "body": OTHERS}, htmx=htmx)
        assert second.status_code == 409
        assert WORDS in second.text
        assert typed(second.text) == OTHERS
        assert ("<html" in second.text) is not htmx
        (row,) = await studio.rows()
        assert row.body == WORDS
        assert f'action="/testimonials/{row.id}"' in second.text
    await browser.post(f"/testimonials/{row.id}", {"body": OTHERS})
    assert [row.body for row in await studio.rows()] == [OTHERS]


async def test_changing_what_was_decided_meanwhile(studio: Studio, visit: Visit) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    browser = await visit("student")
    await studio.approve(id_)
    late = await browser.post(f"/testimonials/{id_}", {"body": OTHERS})
    assert late.status_code == 409
    assert WORDS in late.text
    assert OTHERS in late.text
    assert "<textarea" not in late.text
    assert "Everybody can read it" in (await browser.get(f"/testimonials/{id_}")).text


async def test_too_early_says_when(studio: Studio, visit: Visit) -> None:
    browser = await visit("student")
    pack = str(studio.cast.packs["student"])
    assert target(await browser.get(f"/testimonials/new?pack_id={pack}")) == "/dashboard"
    assert browser.flashes() == [
        "A testimonial can be written after the third session of a pack, or after its last."
    ]
    assert target(await browser.post("/testimonials", {"pack_id": pack, "body": WORDS})) == "/dashboard"
    assert (await browser.post("/testimonials", {"pack_id": "nonsense"})).status_code == 400


async def test_approved_words_are_on_profile_and_landing_page(studio: Studio, visit: Visit) -> None:
    await studio.hold(3)
    markup = "<b>Bold</b> & brave: she has shown me what to leave out.\n\nAnd I did. 🎨"
    id_ = await studio.write(markup)
    visitor, admin = await visit("anonymous"), await visit("admin")
    for path in ("/", "/instructors/mentor"):
        assert "brave" not in (await visitor.get(path)).text
    assert markup in html.unescape((await admin.get("/admin/testimonials")).text)
    await admin.post(f"/admin/testimonials/{id_}/decision", {"status": "approved", "seen": digest(markup)})
    for path in ("/", "/instructors/mentor"):
        page = (await visitor.get(path)).text
        assert markup in html.unescape(page)
        assert "<b>Bold" not in page
        assert str(studio.cast["student"]) not in page
    assert "brave" not in (await visitor.get("/instructors/other-mentor")).text
    student = await visit("student")
    assert target(await student.post(f"/testimonials/{id_}/withdrawal")) == "/dashboard"
    for path in ("/", "/instructors/mentor"):
        assert "brave" not in (await visitor.get(path)).text


async def test_the_landing_page_shows_three_the_newest_first(studio: Studio, visit: Visit) -> None:
    await studio.sql("update mentors set max_active_students = 50")
    for number in range(4):
        id_ = await studio.student(number, sessions=1)
        pack = (await studio.sql("select id from session_packs where student_id = :id", id=id_))[0].id
        words = f"{WORDS} Number {number}."
        await studio.sql(
            "insert into testimonials (id, pack_id, mentor_id, student_id, body, status, written_at, decided_at)"
            " select :id, id, mentor_id, student_id, :words, 'approved', now() + :number * interval '1 second', now()"
            " from session_packs where id = :pack",
            id=pack,
            words=words,
            number=number,
            pack=pack,
        )
    page = (await (await visit("anonymous")).get("/")).text
    assert re.findall(r"Number (\d)", page) == ["3", "2", "1"]
    assert re.findall(r"Number (\d)", (await (await visit("anonymous")).get("/instructors/mentor")).text) == [
        "3", "2", "1", "0",
    ]  # fmt: skip


@pytest.mark.parametrize("status", ["", "pending", "approved", "declined"])
async def test_the_admins_list(studio: Studio, visit: Visit, status: str) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    admin = await visit("admin")
    there = {"": True, "pending": True}
    page = await admin.get(f"/admin/testimonials?status={status}")
    assert (WORDS in page.text) is there.get(status, False)
    stale = await admin.post(
        f"/admin/testimonials/{id_}/decision", {"status": "approved", "seen": digest(OTHERS)}, htmx=True
    )
    assert stale.status_code == 409
    assert "please read them again" in shown(stale.text)
    done = await admin.post(
        f"/admin/testimonials/{id_}/decision", {"status": "declined", "seen": digest(WORDS)}, htmx=True
    )
    assert done.status_code == 200
    assert f'id="testimonial-{id_}"' in done.text
    assert "<html" not in done.text
    assert (await admin.post(f"/admin/testimonials/{id_}/decision", {"status": "pending"})).status_code == 400


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("page=7", ""),
        ("page=seven", ""),
        ("page=0", ""),
        ("page=9999999999", ""),
        ("status=nonsense", ""),
        ("status=pending&page=x", "?status=pending"),
    ],
)
async def test_what_is_no_page_is_the_first_and_a_note(
    studio: Studio, visit: Visit, query: str, first: str
) -> None:
    admin = await visit("admin")
    assert target(await admin.get(f"/admin/testimonials?{query}")) == f"/admin/testimonials{first}"
    assert "this is the first" in admin.flashes()[0]
    assert "What students write" in (await admin.get("/admin/testimonials")).text


async def test_words_about_who_teaches_no_more_are_not_shown(studio: Studio, visit: Visit) -> None:
    """They would lead to a page that isn't there."""
    await studio.hold(3)
    await studio.decide(await studio.write(), Status.APPROVED)
    anybody = await visit("anonymous")
    assert WORDS in (await anybody.get("/")).text
    await studio.sql("update users set role = 'student' where id = :id", id=studio.cast["mentor"])
    assert WORDS not in (await anybody.get("/")).text
