"""`/instructor/settings`: hours, days that differ, profile and the preview, with scripts and without."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from litestar import Litestar
from sqlalchemy.dialects.postgresql import Range

from app.asgi import create_app
from app.calendars.models import BusyWindow, CalendarConnection, CalendarState
from app.core import clock
from app.core.db import Database
from app.core.models import AuditEntry, OutboxEvent
from app.core.rls import ServiceDoor
from app.mentors.models import DateOverride, Mentor
from app.settings import Settings
from tests import cast as casting
from tests.accounts.browser import Browser, target
from tests.cast import Cast
from tests.support.visits import visiting

PAGE = "/instructor/settings"
TUESDAY = datetime(2027, 3, 9, 8, 0, tzinfo=UTC)
HOURS: dict[str, Any] = {
    "time_zone": "Europe/Lisbon",
    "session_minutes": "60",
    "step_minutes": "30",
    "notice_hours": "24",
    "horizon_days": "60",
    "buffer_before_minutes": "0",
    "buffer_after_minutes": "0",
    "monday_start": ["09:00", "13:30", ""],
    "monday_end": ["12:00", "18:00", ""],
}
SOMEBODY_ELSE = ("anonymous", "student", "admin")


@pytest.fixture(scope="session")
def open_settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, limits_scale=1000.0)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(open_settings: Settings) -> AsyncIterator[Litestar]:
    app = create_app(open_settings)
    yield app
    await app.state.database.dispose()


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
async def mentor(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast
) -> AsyncIterator[Browser]:
    """The mentor's browser."""
    async with visiting(app, database, open_settings, cast, "mentor") as browser:
        yield browser


async def stored(database: Database, cast: Cast) -> Mentor:
    async with database.service(ServiceDoor.JOB) as uow:
        mentor = await uow.session.get(Mentor, cast["mentor"])
        assert mentor is not None
        return mentor


async def connect(database: Database, cast: Cast, **values: Any) -> None:
    """A connection whose mirror knows one busy hour, on Thursday from 9 to 10."""
    row = {
        "mentor_id": cast["mentor"],
        "state": CalendarState.CONNECTED,
        "google_email": "studio@example.test",
        "google_calendar_id": "studio@example.test",
        "google_refresh_token": b"sealed",
        "connected_at": TUESDAY,
        "mirrored_at": TUESDAY,
        **values,
    }
    hour = Range(TUESDAY + timedelta(days=2, hours=1), TUESDAY + timedelta(days=2, hours=2))
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(sa.insert(CalendarConnection).values(row))
        await uow.session.execute(
            sa.insert(BusyWindow).values(mentor_id=cast["mentor"], event_id="x", span=hour)
        )
        await uow.commit()


def offered(html: str) -> dict[str, list[str]]:
    """The preview's days and their wall times."""
    preview = html[html.index('id="preview"') :]
    days = re.findall(r"<h3>(\w+ \d+ \w+).*?</h3>\s*<p[^>]*>(.*?)</p>", preview, re.DOTALL)
    return {day: re.findall(r">(\d\d:\d\d)</time>", starts) for day, starts in days}


async def test_the_page_shows_what_is_saved_and_what_is_offered(mentor: Browser) -> None:
    with clock.standing_at(TUESDAY):
        answer = await mentor.get(PAGE)
    assert answer.status_code == 200
    html = answer.text
    assert html.count('name="monday_start" value="') == 2
    assert "<option selected>Europe/Lisbon" in html
    assert re.search(r'<input [^>]*value="24"[^>]*name="notice_hours"', html)
    days = offered(html)
    assert list(days)[:3] == ["Wed 10 Mar", "Thu 11 Mar", "Fri 12 Mar"]
    assert len(days) == 7
    # A day's notice: nothing before 8 on Wednesday; sessions of an hour end by 12 and by 18.
    assert days["Wed 10 Mar"][:2] == ["09:00", "09:30"]
    assert days["Thu 11 Mar"][-1] == "17:00"


async def test_busy_windows_are_not_offered(mentor: Browser, database: Database, cast: Cast) -> None:
    await connect(database, cast)
    with clock.standing_at(TUESDAY):
        days = offered((await mentor.get(PAGE)).text)
    assert days["Thu 11 Mar"][:2] == ["10:00", "10:30"]
    assert days["Wed 10 Mar"][0] == "09:00"


async def test_hours_are_saved_merged_and_shown_again(
    mentor: Browser, database: Database, cast: Cast
) -> None:
    form = HOURS | {
        "tuesday_start": ["18:00", "20:00"],
        "tuesday_end": ["20:00", "00:00"],
        "notice_hours": "2",
    }
    assert target(await mentor.post(f"{PAGE}/availability", form)) == PAGE
    assert mentor.flashes() == ["Your hours are saved."]
    row = await stored(database, cast)
    assert row.working_hours == {"1": [[540, 720], [810, 1080]], "2": [[1080, 1440]]}
    assert row.notice_minutes == 120
    html = (await mentor.get(PAGE)).text
    assert 'name="tuesday_end" value="00:00"' in html


async def test_no_hours_at_all_means_google_decides(mentor: Browser, database: Database, cast: Cast) -> None:
    form = {name: value for name, value in HOURS.items() if not name.startswith("monday")}
    with clock.standing_at(TUESDAY):
        answer = await mentor.post(f"{PAGE}/availability", form, htmx=True)
        assert (await stored(database, cast)).working_hours is None
        assert "Add hours, or connect Google Calendar" in answer.text
        await connect(database, cast)
        days = offered((await mentor.get(PAGE)).text)
    assert days["Thu 11 Mar"][:3] == ["00:00", "00:30", "01:00"]
    assert "09:00" not in days["Thu 11 Mar"]


@pytest.mark.parametrize(
    ("change", "name", "sentence"),
    [
        ({"monday_end": ["08:00", "18:00"]}, "hours.monday", "09:00–08:00 ends before it starts."),
        ({"monday_end": ["14:00", "18:00"]}, "hours.monday", "13:30–18:00 overlaps 09:00–14:00."),
        ({"monday_end": ["09:00", "18:00"]}, "hours.monday", "09:00–09:00 is empty"),
        ({"monday_end": ["12:00"]}, "hours.monday", "Each row needs two times"),
        ({"monday_end": ["12:00", "25:00"]}, "hours.monday", "Each row needs two times"),
        ({"sunday_start": ["9"], "sunday_end": ["10"]}, "hours.sunday", "Each row needs two times"),
        ({"time_zone": "Mars/North"}, "time_zone", "Choose a time zone from the list."),
        ({"time_zone": ""}, "time_zone", "Choose a time zone from the list."),
        ({"session_minutes": "14"}, "session-minutes", "A whole number of minutes, 15 to 240."),
        ({"session_minutes": "sixty"}, "session-minutes", "A whole number of minutes, 15 to 240."),
        ({"step_minutes": "0"}, "step-minutes", "A whole number of minutes, 5 to 240."),
        ({"notice_hours": "-1"}, "notice-hours", "A whole number of hours, 0 to 336."),
        ({"horizon_days": "366"}, "horizon-days", "A whole number of days, 1 to 365."),
        ({"horizon_days": "9" * 40}, "horizon-days", "A whole number of days, 1 to 365."),
        ({"buffer_before_minutes": "1.5"}, "buffer-before-minutes", "A whole number of minutes, 0 to 240."),
        ({"buffer_after_minutes": ""}, "buffer-after-minutes", "A whole number of minutes, 0 to 240."),
    ],
)
async def test_wrong_hours_are_refused_beside_their_field(
    mentor: Browser, database: Database, cast: Cast, change: dict[str, Any], name: str, sentence: str
) -> None:
    before = (await stored(database, cast)).working_hours
    form = HOURS | change
    for htmx in (True, False):
        answer = await mentor.post(f"{PAGE}/availability", form, htmx=htmx)
        assert answer.status_code == 422
        assert ("<html" in answer.text) is not htmx
        wrong = re.findall(r'<p class="error" id="([\w.-]+)-error">(.*?)</p>', answer.text)
        found = {id_.replace("_", "-") if not id_.startswith("hours.") else id_: text for id_, text in wrong}
        assert found.keys() == {name.replace("time_zone", "time-zone")}
        assert sentence in found[name.replace("time_zone", "time-zone")]
        assert answer.text.count("autofocus") == 1
    assert (await stored(database, cast)).working_hours == before
    # What was typed is still there, right or wrong.
    assert 'name="monday_start" value="13:30"' in answer.text


async def test_saving_by_htmx_answers_with_the_form_and_a_fresh_preview(mentor: Browser) -> None:
    with clock.standing_at(TUESDAY):
        answer = await mentor.post(f"{PAGE}/availability", HOURS, htmx=True)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert answer.text.lstrip().startswith('<form id="availability"')
    assert "Saved" in answer.text
    assert 'hx-swap-oob="true"' in answer.text
    assert list(offered(answer.text)) == [
        f"Mon {day}" for day in ("15 Mar", "22 Mar", "29 Mar", "5 Apr", "12 Apr", "19 Apr", "26 Apr")
    ]


async def test_the_preview_takes_unsaved_fields_and_saves_nothing(
    mentor: Browser, database: Database, cast: Cast
) -> None:
    before = (await stored(database, cast)).working_hours
    form = HOURS | {"monday_end": ["12:00", "18:00"], "time_zone": "Asia/Tokyo", "step_minutes": "60"}
    with clock.standing_at(TUESDAY):
        answer = await mentor.post(f"{PAGE}/preview", form, htmx=True)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<section id="preview"')
    assert offered(answer.text)["Mon 15 Mar"] == [
        "09:00",
        "10:00",
        "11:00",
        "14:00",
        "15:00",
        "16:00",
        "17:00",
    ]
    assert "Asia/Tokyo" in answer.text
    assert "not saved yet" in answer.text
    assert (await stored(database, cast)).working_hours == before


async def test_a_preview_of_wrong_fields_says_what_is_wrong(mentor: Browser) -> None:
    answer = await mentor.post(f"{PAGE}/preview", HOURS | {"monday_end": ["08:00", "18:00"]}, htmx=True)
    assert answer.status_code == 200
    assert "Monday: 09:00–08:00 ends before it starts." in answer.text
    whole = await mentor.post(f"{PAGE}/preview", HOURS)
    assert whole.status_code == 200
    assert "<html" in whole.text


async def test_a_preview_beyond_the_saved_horizon(mentor: Browser, database: Database, cast: Cast) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        day = (TUESDAY + timedelta(days=104)).date()
        await uow.session.execute(
            sa.insert(DateOverride).values(mentor_id=cast["mentor"], date=day, intervals=[[540, 600]])
        )
        await uow.commit()
    form = {name: value for name, value in HOURS.items() if not name.startswith("monday")}
    # One hour on Sundays in a zone where that override's Monday is the only other day with hours.
    form |= {"sunday_start": ["09:00"], "sunday_end": ["09:30"], "horizon_days": "120"}
    with clock.standing_at(TUESDAY):
        answer = await mentor.post(f"{PAGE}/preview", form, htmx=True)
    assert offered(answer.text) == {"Mon 21 Jun": ["09:00"]}


async def test_a_longer_horizon_has_the_calendar_read(
    mentor: Browser, database: Database, cast: Cast
) -> None:
    await connect(database, cast)
    await mentor.post(f"{PAGE}/availability", HOURS | {"horizon_days": "90"})
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(OutboxEvent.payload).where(OutboxEvent.type == "calendar/mirror")
        (payload,) = (await uow.session.execute(query)).scalars()
    assert payload == {"mentor_id": str(cast["mentor"]), "full": False}


async def test_a_closed_day_and_other_hours(mentor: Browser, database: Database, cast: Cast) -> None:
    with clock.standing_at(TUESDAY):
        closed = await mentor.post(f"{PAGE}/overrides", {"date": "2027-03-11", "closed": "1"}, htmx=True)
        assert closed.status_code == 200
        assert closed.text.lstrip().startswith('<section id="overrides"')
        assert "Thu 11 Mar" not in offered(closed.text)
        other = {"date": "2027-03-13", "start": ["10:00", "", "12:00"], "end": ["11:00", "", "13:00"]}
        assert target(await mentor.post(f"{PAGE}/overrides", other)) == PAGE
        html = (await mentor.get(PAGE)).text
        assert offered(html)["Sat 13 Mar"] == ["10:00", "12:00"]
        assert "10:00 – 11:00, 12:00 – 13:00" in html
        replaced = await mentor.post(
            f"{PAGE}/overrides", {"date": "2027-03-13", "start": "10:00", "end": "12:00"}, htmx=True
        )
        assert offered(replaced.text)["Sat 13 Mar"] == ["10:00", "10:30", "11:00"]
        gone = await mentor.post(f"{PAGE}/overrides/2027-03-11/removal", htmx=True)
        assert "Thu 11 Mar" in offered(gone.text)
        again = await mentor.post(f"{PAGE}/overrides/2027-03-11/removal")
        assert again.status_code == 404


@pytest.mark.parametrize(
    ("form", "name", "sentence"),
    [
        ({"date": "", "closed": "1"}, "override-date", "Choose a date."),
        ({"date": "2027-02-30", "closed": "1"}, "override-date", "Choose a date."),
        ({"date": "2027-03-08", "closed": "1"}, "override-date", "That day is over."),
        ({"date": "2029-03-10", "closed": "1"}, "override-date", "more than two years away"),
        ({"date": "2027-03-11"}, "override-intervals", "Say when"),
        (
            {"date": "2027-03-11", "closed": "1", "start": "09:00", "end": "10:00"},
            "override-intervals",
            "either closed or has hours",
        ),
        (
            {"date": "2027-03-11", "start": ["09:00", "09:30"], "end": ["10:00", "11:00"]},
            "override-intervals",
            "overlaps",
        ),
        ({"date": "2027-03-11", "start": "10:00", "end": "09:00"}, "override-intervals", "ends before"),
    ],
)
async def test_wrong_overrides_are_refused_beside_their_field(
    mentor: Browser, database: Database, form: dict[str, Any], name: str, sentence: str
) -> None:
    with clock.standing_at(TUESDAY):
        for htmx in (True, False):
            answer = await mentor.post(f"{PAGE}/overrides", form, htmx=htmx)
            assert answer.status_code == 422
            errors = dict(re.findall(r'<p class="error" id="([\w.-]+)-error">(.*?)</p>', answer.text))
            assert sentence in errors[name]
            assert len(errors) == 1
            if form["date"]:
                assert f'value="{form["date"]}"' in answer.text
    async with database.service(ServiceDoor.JOB) as uow:
        assert (await uow.session.execute(sa.select(DateOverride))).first() is None


@pytest.mark.parametrize("day", ["2027-13-01", "tomorrow", "2027-03-11T00:00", "%00"])
async def test_removing_nonsense_is_not_found(mentor: Browser, day: str) -> None:
    assert (await mentor.post(f"{PAGE}/overrides/{day}/removal")).status_code == 404


async def test_today_is_the_mentors_today(mentor: Browser, database: Database, cast: Cast) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.session.execute(
            sa.update(Mentor).where(Mentor.id == cast["mentor"]).values(time_zone="Pacific/Kiritimati")
        )
        await uow.commit()
    with clock.standing_at(datetime(2027, 3, 9, 20, 0, tzinfo=UTC)):  # the 10th on Kiritimati
        over = await mentor.post(f"{PAGE}/overrides", {"date": "2027-03-09", "closed": "1"}, htmx=True)
        assert over.status_code == 422
        today = await mentor.post(f"{PAGE}/overrides", {"date": "2027-03-10", "closed": "1"}, htmx=True)
        assert today.status_code == 200


async def test_profile_and_seats(mentor: Browser, database: Database, cast: Cast) -> None:
    form = {"headline": "  Draws   birds ", "bio": "One.\r\n\r\nTwo.", "max_active_students": "1"}
    answer = await mentor.post(f"{PAGE}/profile", form, htmx=True)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<form id="teaching-profile"')
    assert "1 taken now" in answer.text
    row = await stored(database, cast)
    assert (row.headline, row.bio, row.max_active_students) == ("Draws birds", "One.\n\nTwo.", 1)
    # Fewer than are taken is fine: it only stops new ones.
    assert target(await mentor.post(f"{PAGE}/profile", form | {"max_active_students": "0"})) == PAGE
    assert (await stored(database, cast)).max_active_students == 0
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(AuditEntry).where(AuditEntry.action == "change_seats").order_by(AuditEntry.id)
        entries = (await uow.session.execute(query)).scalars().all()
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"max_active_students": 3}, {"max_active_students": 1}),
        ({"max_active_students": 1}, {"max_active_students": 0}),
    ]
    assert {entry.actor_id for entry in entries} == {cast["mentor"]}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"headline": "x" * 121}, "headline"),
        ({"bio": "x" * 5001}, "bio"),
        ({"bio": "a\0b"}, "bio"),
        ({"max_active_students": "501"}, "max-active-students"),
        ({"max_active_students": "-1"}, "max-active-students"),
        ({"max_active_students": ""}, "max-active-students"),
    ],
)
async def test_a_wrong_profile_is_refused_beside_its_field(
    mentor: Browser, change: dict[str, str], name: str
) -> None:
    form = {"headline": "Draws", "bio": "", "max_active_students": "3"} | change
    for htmx in (True, False):
        answer = await mentor.post(f"{PAGE}/profile", form, htmx=htmx)
        assert answer.status_code == 422
        errors = dict(re.findall(r'<p class="error" id="([\w.-]+)-error">(.*?)</p>', answer.text))
        assert errors.keys() == {name}


async def test_a_revoked_calendar_offers_nothing_and_asks_to_reconnect(
    mentor: Browser, database: Database, cast: Cast
) -> None:
    await connect(database, cast, state=CalendarState.REVOKED)
    html = (await mentor.get(PAGE)).text
    assert "Access was withdrawn" in html
    assert 'href="/auth/google?purpose=calendar">Reconnect' in html
    assert "has to be connected again" in html


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"mirrored_at": TUESDAY - timedelta(minutes=10)}, "10 minutes ago"),
        ({"mirrored_at": TUESDAY - timedelta(minutes=30)}, "Google hasn&#39;t answered us for a while"),
        ({"last_error": "calendar_gone"}, "choose another one"),
        ({"last_error": "unavailable"}, "Google hasn&#39;t answered us for a while"),
        ({"channel_expires_at": datetime.now(UTC) + timedelta(days=3)}, "changes arrive at once"),
        ({"channel_expires_at": datetime.now(UTC) - timedelta(days=3)}, "every 5 minutes"),
        (
            {"calendars": [["studio@example.test", "Mine"], ["b", "Shows"]]},
            '<option value="b">Shows</option>',
        ),
    ],
)
async def test_the_calendar_card_tells_its_state(
    mentor: Browser, database: Database, cast: Cast, values: dict[str, Any], expected: str
) -> None:
    await connect(database, cast, **values)
    with clock.standing_at(TUESDAY):
        html = (await mentor.get(PAGE)).text
    assert expected in html
    assert "Connected" in html


async def test_without_google_there_is_no_card(
    database: Database, open_settings: Settings, cast: Cast
) -> None:
    app = create_app(dataclasses.replace(open_settings, google_client_id=""))
    async with visiting(app, database, open_settings, cast, "mentor") as browser:
        html = (await browser.get(PAGE)).text
    assert "Google Calendar</h2>" not in html
    assert 'id="availability"' in html
    await app.state.database.dispose()


POSTS = (
    "/availability",
    "/preview",
    "/overrides",
    "/overrides/2027-03-11/removal",
    "/profile",
    "/google/calendar",
    "/google/disconnection",
)


@pytest.mark.parametrize("person", SOMEBODY_ELSE)
async def test_only_mentors_get_in(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast, person: str
) -> None:
    before = await stored(database, cast)
    async with visiting(app, database, open_settings, cast, person) as browser:
        page = await browser.get(PAGE)
        if person == "anonymous":
            assert target(page) == f"/sign-in?next={PAGE}"
        else:
            assert page.status_code == 403
        for path in POSTS:
            for htmx in (True, False):
                answer = await browser.post(PAGE + path, HOURS, htmx=htmx)
                assert answer.status_code == (401 if person == "anonymous" else 403), path
    after = await stored(database, cast)
    assert after.working_hours == before.working_hours


async def test_another_mentor_changes_and_sees_only_their_own(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast
) -> None:
    await connect(database, cast)
    async with visiting(app, database, open_settings, cast, "other_mentor") as browser:
        html = (await browser.get(PAGE)).text
        assert "studio@example.test" not in html
        assert "Not connected" in html
        await browser.post(f"{PAGE}/availability", HOURS)
        await browser.post(f"{PAGE}/google/disconnection")
    assert (await stored(database, cast)).working_hours == casting.WEEKDAYS
    async with database.service(ServiceDoor.JOB) as uow:
        assert await uow.session.get(CalendarConnection, cast["mentor"]) is not None


async def test_every_post_needs_the_csrf_token(mentor: Browser) -> None:
    for path in POSTS:
        assert (await mentor.post(PAGE + path, HOURS, csrf=False)).status_code == 403
