"""Asking to renew: who may be asked, once a local day whatever the clocks do, and what the mail says."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from whenever import Instant, ZonedDateTime

from app.core import clock
from app.core.errors import NotFound, Refused
from app.core.rls import ServiceDoor
from app.core.templating import environment
from app.mentees import notices
from app.notifications.rendering import render
from app.notifications.service import Message
from app.settings import Settings
from app.site import traces
from tests.accounts.browser import target
from tests.booking.conftest import Visit
from tests.mentees.support import MenteeDesk

PATH = "/instructor/students/{}/renewal-request"


async def test_asking_is_written_down_once(mentees: MenteeDesk) -> None:
    await mentees.left(1)
    assert [await mentees.ask() for _ in range(3)] == [True, False, False]
    rows = await mentees.sql("select mentor_id, student_id from renewal_requests")
    assert [tuple(row) for row in rows] == [(mentees.cast["mentor"], mentees.student_id)]
    (event,) = await mentees.asked_events()
    (request,) = await mentees.sql("select day from renewal_requests")
    assert event == {
        "kind": "renewal_asked",
        "mentor_id": str(mentees.cast["mentor"]),
        "student_id": str(mentees.student_id),
        "day": str(request.day),
    }


async def test_of_many_at_once_one_asks(mentees: MenteeDesk) -> None:
    await mentees.left(1)
    answers = await asyncio.gather(*(mentees.ask() for _ in range(8)))
    assert sorted(answers) == [False] * 7 + [True]
    assert len(await mentees.asked_events()) == 1


async def test_a_kept_seat_without_sessions_may_be_asked_too(mentees: MenteeDesk) -> None:
    await mentees.left(0)
    assert await mentees.ask()


@pytest.mark.parametrize("left", [2, 3, 4])
async def test_who_has_sessions_is_not_asked(mentees: MenteeDesk, left: int) -> None:
    if left < 4:
        await mentees.left(left)
    with pytest.raises(Refused, match=f"Student has {left} sessions left") as caught:
        await mentees.ask()
    assert caught.value.code == "not_low"


async def test_who_renewed_meanwhile_is_not_asked(mentees: MenteeDesk) -> None:
    await mentees.left(1)
    await mentees.renew()
    with pytest.raises(Refused, match="5 sessions left"):
        await mentees.ask()
    assert await mentees.sql("select 1 from renewal_requests") == []


async def test_who_has_no_seat_is_not_asked(mentees: MenteeDesk) -> None:
    await mentees.left(1)
    await mentees.lose_seat()
    with pytest.raises(Refused, match="no longer has a seat") as caught:
        await mentees.ask()
    assert caught.value.code == "seat_not_active"


@pytest.mark.parametrize("student", ["other_student", "new_student", "mentor"])
async def test_others_mentees_are_nobody(mentees: MenteeDesk, student: str) -> None:
    with pytest.raises(NotFound):
        await mentees.ask(student)
    assert await mentees.asked_events() == []


@pytest.mark.parametrize(
    ("hour", "before", "after"),
    [(23, "Europe/Lisbon", "Pacific/Auckland"), (1, "Europe/Lisbon", "America/Los_Angeles")],
)
async def test_another_zone_is_no_other_day(mentees: MenteeDesk, hour: int, before: str, after: str) -> None:
    """A mentor who moves to where it is another date already, or still, has asked today all the same."""
    await mentees.left(1)
    move = "update mentors set time_zone = :zone"
    asked = Instant(clock.now()).to_tz(before).add(days=1).replace(hour=hour, minute=0)
    with clock.standing_at(asked.to_instant().to_stdlib().astimezone(UTC)):
        await mentees.sql(move, zone=before)
        assert await mentees.ask()
        await mentees.sql(move, zone=after)
        assert not await mentees.ask()
    with clock.standing_at(asked.add(hours=48).to_instant().to_stdlib().astimezone(UTC)):
        assert await mentees.ask()


def nights(zone: str) -> list[ZonedDateTime]:
    """Local noons of the days on which the zone's clocks change next, and of a plain day."""
    found, at = [], Instant(clock.now()).to_tz(zone)
    for _ in range(2):
        change = at.next_transition()
        assert change is not None
        found.append(ZonedDateTime(change.year, change.month, change.day, 12, tz=zone))
        at = change.add(hours=48)
    return [*found, found[0].add(days=3)]


@pytest.mark.parametrize(
    "zone", ["Europe/Lisbon", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut", "Asia/Kolkata"]
)
async def test_a_day_is_the_mentors_own(mentees: MenteeDesk, zone: str) -> None:
    await mentees.left(1)
    await mentees.sql("update session_packs set expires_at = now() + interval '900 days'")
    await mentees.sql("update mentors set time_zone = :zone", zone=zone)
    days = nights(zone) if zone != "Asia/Kolkata" else [Instant(clock.now()).to_tz(zone).add(days=2)]
    for noon in days:
        first = noon.start_of("day").to_instant().to_stdlib()
        last = noon.add(days=1).start_of("day").to_instant().to_stdlib() - timedelta(microseconds=1)
        assert timedelta(hours=23) <= last + timedelta(microseconds=1) - first <= timedelta(hours=25)
        for instant, fresh in (
            (first - timedelta(microseconds=1), True),
            (first, True),
            (first + timedelta(hours=1), False),
            (noon.to_instant().to_stdlib(), False),
            (last - timedelta(hours=1), False),
            (last, False),
            (last + timedelta(microseconds=1), True),
        ):
            with clock.standing_at(instant.astimezone(UTC)):
                assert (await mentees.ask()) is fresh, (zone, instant)
        await mentees.sql("delete from renewal_requests")


async def messages(mentees: MenteeDesk) -> list[Message]:
    ids = {"mentor_id": str(mentees.cast["mentor"]), "student_id": str(mentees.student_id)}
    async with mentees.database.service(ServiceDoor.JOB) as uow:
        found = await notices.renewal_asked(uow, Settings(), ids)
    return [message for message in found if message.skip is None]


async def test_the_mail_goes_to_the_student_with_a_link_to_the_packs(mentees: MenteeDesk) -> None:
    await mentees.left(1)
    (message,) = await messages(mentees)
    assert (message.recipient_id, message.address) == (mentees.student_id, "student@example.test")
    words = render(environment(Settings()), "renewal_asked", message.context)
    assert words.subject == "Mentor asks whether you would like to go on"
    assert "You have 1 session left with Mentor. Use it by " in words.text
    assert "/instructors/mentor#packs" in words.text


async def test_the_mail_says_how_long_the_seat_is_kept(mentees: MenteeDesk) -> None:
    await mentees.left(0)
    (message,) = await messages(mentees)
    words = render(environment(Settings()), "renewal_asked", message.context)
    assert "You have no sessions left" in words.text
    assert "Your seat is kept until " in words.text
    assert "(America/New_York)" in words.text


async def test_nobody_is_written_to_who_renewed_or_left_meanwhile(mentees: MenteeDesk) -> None:
    await mentees.left(1)
    await mentees.sql("update users set deleted_at = now() where email = 'student@example.test'")
    assert await messages(mentees) == []
    await mentees.sql("update users set deleted_at = null")
    assert len(await messages(mentees)) == 1
    await mentees.renew()
    assert await messages(mentees) == []
    await mentees.sql("delete from renewal_requests")
    async with mentees.database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await traces.erase(uow.session, mentees.student_id, datetime.now(UTC))
    assert await messages(mentees) == []


async def test_one_click_on_the_page(mentees: MenteeDesk, visit: Visit) -> None:
    await mentees.left(1)
    path, browser = PATH.format(mentees.student_id), await visit("mentor")
    dashboard = (await browser.get("/instructor/dashboard")).text
    assert f'action="{path}"' in dashboard
    asked = await browser.post(path, htmx=True)
    assert asked.status_code == 200
    assert "<html" not in asked.text
    assert "Asked today" in asked.text
    assert "<form" not in asked.text
    for page in ("/instructor/dashboard", f"/instructor/students/{mentees.student_id}"):
        text = (await browser.get(page)).text
        assert "Asked today" in text
        assert f'action="{path}"' not in text
    assert "Asked today" in (await browser.post(path, htmx=True)).text
    assert len(await mentees.asked_events()) == 1


async def test_without_scripts_the_page_goes_on_where_it_was(mentees: MenteeDesk, visit: Visit) -> None:
    await mentees.left(1)
    path, browser = PATH.format(mentees.student_id), await visit("mentor")
    assert target(await browser.post(path, {"back": "/instructor/dashboard"})) == "/instructor/dashboard"
    assert browser.flashes() == ["We have written to Student."]
    elsewhere = await browser.post(path, {"back": "//elsewhere.example/"})
    assert target(elsewhere) == f"/instructor/students/{mentees.student_id}"
    assert browser.flashes() == ["You have asked today already."]


async def test_a_refusal_in_words(mentees: MenteeDesk, visit: Visit) -> None:
    path, browser = PATH.format(mentees.student_id), await visit("mentor")
    refused = await browser.post(path, htmx=True)
    assert refused.status_code == 409
    assert "Student has 4 sessions left: there is nothing to ask for yet." in refused.text
    assert f'id="ask-{mentees.student_id}"' in refused.text
    await browser.post(path, {"back": "/instructor/dashboard"})
    assert browser.flashes() == ["Student has 4 sessions left: there is nothing to ask for yet."]
    assert await mentees.asked_events() == []
