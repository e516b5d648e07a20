"""Consent to a recording by plain forms and by fragments; the link's field says beforehand whose consent is missing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar

from app.booking.recordings import LIFE
from app.booking.service import SessionFacts
from app.core import clock
from app.core.templating import day_in, stamp
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import Desk

LIST = "/instructor/sessions"
LINK = "https://example.com/recording"


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


@pytest.fixture
async def student(visit: Visit) -> Browser:
    return await visit("student")


@pytest.fixture
async def mentor(visit: Visit) -> Browser:
    return await visit("mentor")


def where(booked: SessionFacts) -> str:
    return f"/sessions/{booked.id}/recording-consent"


def form_of(html: str) -> dict[str, str]:
    """The hidden fields of the form that asks for consent."""
    section = re.search(r'<section id="recording-consent".*?</section>', html, re.S)
    assert section is not None
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', section.group()))


async def test_the_form_on_the_page_agrees_and_takes_it_back(
    desk: Desk, student: Browser, booked: SessionFacts
) -> None:
    page = f"/sessions/{booked.id}"
    for agree, said in (("1", "You agree"), ("", "taken back")):
        form = form_of((await student.get(page)).text)
        assert (form["agree"], form["back"]) == (agree, page)
        assert target(await student.post(where(booked), form)) == page
        assert any(said in text for text in student.flashes())
        agreed = await desk.sql("select user_id from recording_consents")
        assert [row.user_id for row in agreed] == ([desk.cast["student"]] if agree else [])


async def test_htmx_gets_what_both_say_now(student: Browser, mentor: Browser, booked: SessionFacts) -> None:
    first = await student.post(where(booked), {"agree": "1"}, htmx=True)
    assert (first.status_code, first.text.lstrip()[:31]) == (200, '<section id="recording-consent"')
    assert "<html" not in first.text
    assert "You have agreed; Mentor hasn’t yet." in first.text
    assert "Student has agreed; you haven’t yet." in (await mentor.fragment(where(booked))).text
    both = await mentor.post(where(booked), {"agree": "1"}, htmx=True)
    assert "You and Student have both agreed." in both.text
    alone = await student.post(where(booked), {"agree": ""}, htmx=True)
    assert "Mentor has agreed; you haven’t yet." in alone.text


@pytest.mark.parametrize(
    ("back", "leads"),
    [
        ("/sessions/{id}/call", "/sessions/{id}/call"),
        ("", "/sessions/{id}"),
        ("https://evil.test/", "/sessions/{id}"),
        ("//evil.test/", "/sessions/{id}"),
        ("/\\evil.test", "/sessions/{id}"),
    ],
)
async def test_the_form_leads_back_to_a_page_of_ours(
    student: Browser, booked: SessionFacts, back: str, leads: str
) -> None:
    form = {"agree": "1", "back": back.format(id=booked.id)}
    assert target(await student.post(where(booked), form)) == leads.format(id=booked.id)
    part = await student.fragment(f"{where(booked)}?back={back.format(id=booked.id)}")
    assert form_of(part.text)["back"] == leads.format(id=booked.id)


@pytest.mark.parametrize("agree", ["yes", "0", "11"])
async def test_what_says_neither_is_not_understood(
    desk: Desk, student: Browser, booked: SessionFacts, agree: str
) -> None:
    assert (await student.post(where(booked), {"agree": agree})).status_code == 400
    assert await desk.sql("select 1 from recording_consents") == []


async def test_taking_it_back_removes_the_link_from_the_page(
    desk: Desk, student: Browser, mentor: Browser, booked: SessionFacts
) -> None:
    await desk.agree(booked.id)
    await desk.keep(booked.id, LINK)
    page = f"/sessions/{booked.id}"
    until = stamp((await desk.session(booked.id)).recording_expires_at, "America/New_York")
    shown = (await student.get(page)).text
    assert f'href="{LINK}"' in shown
    assert f"Kept until {until}" in shown
    assert "remove the link" in shown
    gone = await mentor.post(where(booked), {"agree": ""}, htmx=True)
    assert gone.headers["hx-redirect"] == page, "the page shows the link elsewhere, too"
    assert any("link to the recording is gone" in text for text in mentor.flashes())
    shown = (await student.get(page)).text
    assert LINK not in shown
    assert "Consent to a recording taken back by Mentor" in shown


async def test_taking_it_back_in_the_room_throws_nobody_out(
    desk: Desk, mentor: Browser, booked: SessionFacts
) -> None:
    await desk.agree(booked.id)
    await desk.keep(booked.id, LINK)
    form = {"agree": "", "back": f"/sessions/{booked.id}/call"}
    gone = await mentor.post(where(booked), form, htmx=True)
    assert (gone.status_code, "hx-redirect" in gone.headers) == (200, False)
    assert form_of(gone.text)["agree"] == "1"


async def test_an_admin_who_is_signed_in_as_them_does_not_agree(
    desk: Desk, visit: Visit, booked: SessionFacts
) -> None:
    admin = await visit("admin")
    wearing = await admin.post(f"/admin/users/{desk.cast['student']}/impersonation", {"reason": "they asked"})
    assert wearing.status_code == 303
    assert form_of((await admin.get(f"/sessions/{booked.id}")).text)["agree"] == "1"
    for htmx in (True, False):
        assert (await admin.post(where(booked), {"agree": "1"}, htmx=htmx)).status_code == 403
    assert await desk.sql("select 1 from recording_consents") == []


async def test_a_canceled_session_has_nothing_to_agree_to(
    desk: Desk, student: Browser, booked: SessionFacts
) -> None:
    await desk.cancel("mentor", booked.id)
    assert 'id="recording-consent"' not in (await student.get(f"/sessions/{booked.id}")).text
    for htmx in (True, False):
        refused = await student.post(where(booked), {"agree": "1"}, htmx=htmx)
        assert (refused.status_code, "It was canceled" in refused.text) == (409, True)
        assert ("<html" in refused.text) is not htmx


@pytest.mark.parametrize("who", ["mentor", "admin"])
@pytest.mark.parametrize(
    ("agreeing", "of_mentor", "of_admin"),
    [
        ([], "Neither of you has agreed", "Neither of the two has agreed"),
        (["student"], "You haven’t agreed", "Mentor hasn’t agreed"),
        (["mentor"], "Student hasn’t agreed", "Student hasn’t agreed"),
        (["student", "mentor"], "You have both agreed", "Both have agreed"),
    ],
)
async def test_the_field_says_beforehand_whose_consent_is_missing(
    desk: Desk,
    visit: Visit,
    booked: SessionFacts,
    who: str,
    agreeing: list[str],
    of_mentor: str,
    of_admin: str,
) -> None:
    for name in agreeing:
        await desk.agree(booked.id, name)
    browser = await visit(who)
    page = LIST if who == "mentor" else f"/admin/sessions/{booked.id}"
    shown = (await browser.get(page)).text
    assert (of_mentor if who == "mentor" else of_admin) in shown
    asks = f'href="/sessions/{booked.id}#recording-consent"' in shown
    assert asks is (who == "mentor" and len(agreeing) < 2)


@pytest.mark.parametrize("who", ["mentor", "admin"])
async def test_a_link_without_consent_is_refused_beside_its_field(
    desk: Desk, visit: Visit, booked: SessionFacts, who: str
) -> None:
    base = f"{LIST if who == 'mentor' else '/admin/sessions'}/{booked.id}/recording"
    browser = await visit(who)
    part = await browser.post(base, {"recording_url": LINK}, htmx=True)
    assert part.status_code == 409
    assert part.text.lstrip().startswith(f'<div id="session-{booked.id}-recording_url-state"')
    assert f'id="session-{booked.id}-recording_url-error"' in part.text
    assert "The link was not saved." in part.text
    plain = await browser.post(base, {"recording_url": LINK})
    assert (plain.status_code, 'aria-invalid="true"' in plain.text, LINK in plain.text) == (409, True, True)
    assert (await desk.session(booked.id)).recording_url is None


async def test_both_see_until_when_the_link_is_kept(
    desk: Desk, student: Browser, mentor: Browser, booked: SessionFacts
) -> None:
    await desk.agree(booked.id)
    saved = await mentor.post(f"{LIST}/{booked.id}/recording", {"recording_url": LINK}, htmx=True)
    until = (await desk.session(booked.id)).recording_expires_at
    assert f"Kept until {stamp(until, 'Europe/Lisbon')}" in saved.text
    assert f"Kept until {stamp(until, 'Europe/Lisbon')}" in (await mentor.get(f"/sessions/{booked.id}")).text
    with clock.standing_at(booked.end):
        listed = (await student.get("/sessions")).text
    assert f"until {day_in(until, 'America/New_York')}" in listed[listed.index(LINK) :]


async def test_after_its_time_it_is_not_shown_even_if_nobody_has_removed_it(
    desk: Desk, student: Browser, booked: SessionFacts
) -> None:
    await desk.agree(booked.id)
    await desk.keep(booked.id, LINK)
    for late, is_shown in ((timedelta(minutes=-1), True), (timedelta(minutes=1), False)):
        with clock.standing_at(clock.now() + LIFE + late):
            for path in (f"/sessions/{booked.id}", "/sessions"):
                assert (LINK in (await student.get(path)).text) is is_shown


async def test_others_see_neither_link_nor_consent(desk: Desk, visit: Visit, booked: SessionFacts) -> None:
    await desk.agree(booked.id)
    await desk.keep(booked.id, LINK)
    assert LINK in (await (await visit("admin")).get(f"/sessions/{booked.id}")).text
    for who in ("other_student", "other_mentor", "anonymous"):
        browser = await visit(who)
        for path in (f"/sessions/{booked.id}", where(booked)):
            assert LINK not in (await browser.get(path)).text


def test_the_refusal_is_described(app: Litestar) -> None:
    described: Any = app.openapi_schema.to_schema()
    operation = described["paths"]["/api/instructor/sessions/{session_id}"]["patch"]
    assert "no_recording_consent" in operation["responses"]["409"]["description"]
