"""`/instructor/settings`: days that differ, seats and profile."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import clock
from app.core.db import Database
from app.core.models import AuditEntry
from app.core.rls import ServiceDoor
from app.mentors.models import DateOverride, Mentor
from tests.accounts.browser import Browser, target
from tests.cast import Cast
from tests.site.settings_page import PAGE, TUESDAY, offered, stored


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
