"""The pages of absences: for whom they are, by plain forms and by fragments, and what comes back when they changed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from litestar import Litestar

from app.absences.rules import Days
from app.core.templating import iso
from tests.absences.support import AwayDesk
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit

HOME = "/instructor/absences"
PEOPLE = ("anonymous", "student", "other_student", "mentor", "other_mentor", "admin")
# What each of PEOPLE gets; 303 of a GET leads to /sign-in. The absence is the mentor's.
GET = {
    HOME: (303, 403, 403, 200, 200, 403),
    HOME + "/preview?first_day={first}&last_day={last}": (303, 403, 403, 200, 200, 403),
    HOME + "/{absence}/return": (303, 403, 403, 200, 404, 403),
    HOME + "/nonsense/return": (303, 403, 403, 404, 404, 403),
}
POST = {
    HOME: (401, 403, 403, 303, 303, 403),
    HOME + "/{absence}/return": (401, 403, 403, 303, 404, 403),
}


@pytest.fixture
async def mentor(visit: Visit) -> Browser:
    return await visit("mentor")


async def absent(away: AwayDesk, days: Days) -> dict[str, str]:
    """What the placeholders stand for: an absence that is there, and days after it."""
    await away.confirm(days)
    absence = (await away.absences())[-1]
    first = days.last + timedelta(days=3)
    return {"absence": str(absence.id), "first": f"{first}", "last": f"{first}"}


@pytest.mark.parametrize("path", GET)
async def test_seeing(away: AwayDesk, visit: Visit, path: str) -> None:
    where = path.format(**await absent(away, away.days()))
    for who, status in zip(PEOPLE, GET[path], strict=True):
        browser = await visit(who)
        page, part = await browser.get(where), await browser.fragment(where)
        assert (who, page.status_code) == (who, status)
        assert (who, part.status_code) == (who, 401 if status == 303 else status)


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("path", POST)
async def test_changing(away: AwayDesk, visit: Visit, path: str, htmx: bool) -> None:
    for number, (who, status) in enumerate(zip(PEOPLE, POST[path], strict=True)):
        names = await absent(away, away.days(7 + 10 * number, 3))
        before = [(one.id, one.ended_at) for one in await away.absences()]
        form = {"first_day": names["first"], "last_day": names["last"]}
        answer = await (await visit(who)).post(path.format(**names), form, htmx=htmx)
        assert (who, answer.status_code) == (who, 200 if status == 303 and htmx else status)
        after = [(one.id, one.ended_at) for one in await away.absences()]
        assert (who, before == after) == (who, status > 400)


async def test_the_tables_name_every_page_of_the_slice(app: Litestar) -> None:
    served = {
        (method, route.path.replace("{absence_id:str}", "{absence}"))
        for route in app.routes
        if route.path.startswith(HOME)
        for method in getattr(route, "methods", ())
        if method in ("GET", "POST")
    }
    named = {("GET", path.partition("?")[0]) for path in GET if "nonsense" not in path}
    assert served == named | {("POST", path) for path in POST}


def fields(html: str) -> dict[str, str]:
    """What the form of the preview would post, as it is filled in."""
    form = re.search(r'<form class="form" action="/instructor/absences" method="post".*?</form>', html, re.S)
    assert form is not None
    found = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form.group()))
    for name, options in re.findall(r'<select[^>]* name="([\w-]+)"[^>]*>(.*?)</select>', form.group(), re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        assert chosen is not None
        found[name] = chosen[1]
    return found


async def look(mentor: Browser, days: Days, **more: str) -> str:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    answer = await mentor.get(f"{HOME}/preview?first_day={days.first}&last_day={days.last}{extra}")
    assert answer.status_code == 200
    return answer.text


async def test_the_form_as_it_is_shown_confirms(away: AwayDesk, mentor: Browser) -> None:
    days = away.days()
    booked = await away.booked_on(days)
    html = await look(mentor, days, extend="1")
    assert "1 session with 1 mentee" in html
    assert "1 pack of 1 mentee lasts 7 days longer" in html
    form = fields(html)
    assert form["seen"] == f"{booked.id}={iso(booked.start)}"
    assert target(await mentor.post(HOME, form)) == HOME
    assert mentor.flashes() == [f"You are away {days.said}. 1 mentee is told by mail."]
    page = (await mentor.get(HOME)).text
    assert days.title in page
    assert "Waiting for an answer" in page
    (proposal,) = await away.proposals()
    assert iso(proposal[1]) == form[f"choice-{booked.id}"]


@pytest.mark.parametrize("htmx", [False, True])
async def test_the_look_comes_back_with_what_changed(away: AwayDesk, mentor: Browser, htmx: bool) -> None:
    days = away.days()
    form = fields(await look(mentor, days))
    booked = await away.booked_on(days)
    answer = await mentor.post(HOME, form, htmx=htmx)
    assert (answer.status_code, "<html" in answer.text) == (409, not htmx)
    assert "Something changed since you looked" in answer.text
    assert "New or moved" in answer.text
    assert await away.absences() == []
    again = fields(answer.text)
    assert str(booked.id) in again["seen"]
    assert target(await mentor.post(HOME, again)) == HOME


async def test_a_taken_time_is_named_beside_its_session(away: AwayDesk, mentor: Browser) -> None:
    days = away.days()
    booked = await away.booked_on(days)
    form = fields(await look(mentor, days))
    wanted = (await away.preview(days)).planned[0].suggestion
    assert wanted is not None
    start = next(one for one in await away.desk.offers("student", days=40) if one.timestamp() == wanted)
    await away.desk.book(await away.desk.student(), start)
    answer = await mentor.post(HOME, form)
    assert (answer.status_code, "is no longer free" in answer.text) == (409, True)
    assert fields(answer.text)[f"choice-{booked.id}"] != form[f"choice-{booked.id}"]


@pytest.mark.parametrize("htmx", [False, True])
async def test_wrong_days_are_refused_beside_the_field(away: AwayDesk, mentor: Browser, htmx: bool) -> None:
    days = away.days()
    where = f"{HOME}/preview?first_day={days.last}&last_day={days.first}"
    answer = await (mentor.fragment(where) if htmx else mentor.get(where))
    assert (answer.status_code, "<html" in answer.text) == (422, not htmx)
    assert "The last day comes before the first." in answer.text
    posted = await mentor.post(HOME, {"first_day": "x", "last_day": str(days.last)}, htmx=htmx)
    assert posted.status_code == 422
    await away.confirm(days)
    again = await mentor.get(f"{HOME}/preview?first_day={days.first}&last_day={days.last}")
    assert (again.status_code, "already" in again.text) == (422, True)


@pytest.mark.parametrize(
    "odd",
    [
        {"seen": "x"},
        {"seen": "00000000-0000-0000-0000-000000000000"},
        {"seen": "00000000-0000-0000-0000-000000000000=yesterday"},
        {
            "seen": "00000000-0000-0000-0000-000000000000=2026-11-24T10:00:00Z",
            "choice-00000000-0000-0000-0000-000000000000": "whenever",
        },
    ],
)
async def test_forms_that_no_page_makes_are_refused(
    away: AwayDesk, mentor: Browser, odd: dict[str, str]
) -> None:
    days = away.days()
    form = {"first_day": str(days.first), "last_day": str(days.last)}
    assert (await mentor.post(HOME, form | odd)).status_code == 400
    assert await away.absences() == []


async def test_others_sessions_can_not_be_named(away: AwayDesk, visit: Visit) -> None:
    """A mentor who posts another mentor's session proposes nothing for it."""
    days = away.days()
    booked = await away.booked_on(days)
    form = {
        "first_day": str(days.first),
        "last_day": str(days.last),
        "seen": f"{booked.id}={iso(booked.start)}",
        f"choice-{booked.id}": "cancel",
    }
    answer = await (await visit("other_mentor")).post(HOME, form)
    assert answer.status_code == 409
    assert (await away.desk.session(booked.id)).status == "scheduled"
    assert await away.absences() == []


async def test_taking_it_back_says_what_is_withdrawn(away: AwayDesk, mentor: Browser) -> None:
    days = away.days()
    await away.booked_on(days)
    names = await absent(away, days)
    ask = await mentor.get(f"{HOME}/{names['absence']}/return")
    assert "1 proposed time that nobody answered is withdrawn" in ask.text
    assert target(await mentor.post(f"{HOME}/{names['absence']}/return")) == HOME
    assert mentor.flashes() == ["Taken back. Those days are free to book again."]
    assert "taken back" in (await mentor.get(HOME)).text
