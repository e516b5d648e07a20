"""`/instructor/settings`: hours, rules and the preview, with scripts and without."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import clock
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.rls import ServiceDoor
from app.mentors.models import DateOverride
from tests.accounts.browser import Browser, target
from tests.cast import Cast
from tests.site.settings_page import HOURS, PAGE, TUESDAY, connect, offered, stored


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
