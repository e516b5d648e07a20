"""`/book`: offered if and only if bookable, refused in the platform's own words, safe to click twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.booking import dates
from app.booking.models import SessionStatus
from app.core import clock
from bot.custom_ids import write
from bot.replies import Menu, Reply
from tests.booking.support import Desk
from tests.bot.chat import Chat, links, menu_of, values
from tests.cast import ZONES, Cast


def starts(menu: Menu) -> list[datetime]:
    return [datetime.fromtimestamp(int(value), UTC) for value in values(menu)]


def stamp(instant: datetime) -> str:
    return f"<t:{int(instant.timestamp())}:F>"


async def days_of(chat: Chat, reply: Reply, who: str = "student") -> list[str]:
    """Every day that the menu offers, its pages turned."""
    found = [*values(menu_of(reply, "book.day"))]
    while any(row for row in reply.rows if not isinstance(row, Menu) and row[-1].label == "Later days"):
        reply = await chat.press(who, reply, "Later days")
        found += values(menu_of(reply, "book.day"))
    return found


async def test_mentor_day_time_and_it_is_booked(chat: Chat, desk: Desk, cast: Cast) -> None:
    first = await chat.type("student", "book")
    assert "You have 4 sessions to book." in first.text
    assert "Times are in America/New_York." in first.text
    (mentor,) = menu_of(first, "book.mentor").options
    assert (mentor.label, mentor.value, mentor.chosen) == ("Mentor", cast["mentor"].hex, True)
    again = await chat.pick("student", first, "book.mentor")
    assert again == first
    times = await chat.pick("student", first, "book.day")
    start = starts(menu_of(times, "book.time"))[0]
    done = await chat.pick("student", times, "book.time")
    assert done.text.startswith(f"Booked: {stamp(start)} with **Mentor**.")
    (session,) = await desk.scheduled()
    assert (session.scheduled_at, session.student_id) == (start, cast["student"])
    assert links(done) == [f"{chat.answering._platform.settings.public_url}/sessions/{session.id}"]
    assert [event["kind"] for event in await desk.events("notification/send")] == ["session_booked"]


async def test_offered_are_the_times_of_the_pages_and_no_others(chat: Chat, desk: Desk) -> None:
    offered = await desk.offers("student", days=62)
    zone = ZONES["student"]
    first = await chat.type("student", "book")
    days = await days_of(chat, first)
    assert days == list(dict.fromkeys(dates.iso(dates.date_of(int(o.timestamp()), zone)) for o in offered))
    found: list[datetime] = []
    place = menu_of(first, "book.day").custom_id
    for day in days:
        reply = await chat.use("student", place, day)
        found += starts(menu_of(reply, "book.time"))
        assert [o.value for o in menu_of(reply, "book.day").options if o.chosen] == [day]
    assert found == offered


async def test_a_day_with_many_times_has_pages(chat: Chat, desk: Desk, cast: Cast) -> None:
    await desk.sql(
        "update mentors set working_hours = cast(:hours as jsonb), step_minutes = 15 where id = :id",
        id=cast["mentor"],
        hours='{"1": [[0, 1440]], "2": [[0, 1440]], "3": [[0, 1440]], "4": [[0, 1440]], "5": [[0, 1440]]}',
    )
    offered = await desk.offers("student", days=30)
    place = menu_of(await chat.type("student", "book"), "book.day")
    day = values(place)[1]
    reply = await chat.use("student", place.custom_id, day)
    found = starts(menu_of(reply, "book.time"))
    assert len(found) == 25
    while any(row[-1].label == "Later times" for row in reply.rows if not isinstance(row, Menu)):
        reply = await chat.press("student", reply, "Later times")
        found += starts(menu_of(reply, "book.time"))
    zone = ZONES["student"]
    assert found == [o for o in offered if dates.iso(dates.date_of(int(o.timestamp()), zone)) == day]
    back = await chat.press("student", reply, "Earlier times")
    assert len(menu_of(back, "book.time").options) == 25


async def test_several_mentors_are_asked_for_first(chat: Chat, desk: Desk, cast: Cast) -> None:
    await desk.grant("student", mentor="other_mentor")
    first = await chat.type("student", "book")
    assert first.text == "**Book a session.** Whom would you like to meet?"
    assert {o.label for o in menu_of(first, "book.mentor").options} == {"Mentor", "Other Mentor"}
    days = await chat.pick("student", first, "book.mentor", cast["other_mentor"].hex)
    assert "with Other Mentor" in days.text
    times = await chat.pick("student", days, "book.day")
    assert (await chat.pick("student", times, "book.time")).text.startswith("Booked: ")
    assert (await desk.scheduled())[0].mentor_id == cast["other_mentor"]


async def test_two_clicks_are_one_session(chat: Chat, desk: Desk) -> None:
    times = await chat.pick("student", await chat.type("student", "book"), "book.day")
    both = await asyncio.gather(*(chat.pick("student", times, "book.time") for _ in range(4)))
    assert {reply.text for reply in both} == {both[0].text}
    assert both[0].text.startswith("Booked: ")
    assert len(await desk.scheduled()) == 1


async def test_of_two_people_one_wins_and_the_other_gets_fresh_times(chat: Chat, desk: Desk) -> None:
    await desk.grant("other_student", sessions=2)
    people = ("student", "other_student")
    offered = await desk.offers("student")
    start = next(slot for slot in offered if slot.date() > offered[0].date())  # a day with other times
    custom_id = write("book.time", desk.cast["mentor"])
    replies = await asyncio.gather(*(chat.use(who, custom_id, str(int(start.timestamp()))) for who in people))
    won, lost = sorted(replies, key=lambda reply: not reply.text.startswith("Booked"))
    assert won.text.startswith(f"Booked: {stamp(start)}")
    assert lost.text.startswith("**That time was just taken.** Nothing was booked and no session was used.")
    assert "Pick another time below." in lost.text
    assert len(await desk.scheduled()) == 1
    loser = people[replies.index(lost)]
    fresh = starts(menu_of(lost, "book.time"))
    assert start not in fresh
    assert fresh == [slot for slot in await desk.offers(loser) if slot.date() == start.date()][:25]
    assert (await chat.pick(loser, lost, "book.time")).text.startswith("Booked: ")


async def test_a_menu_that_is_out_of_date_offers_fresh_times(chat: Chat, desk: Desk) -> None:
    """Somebody else has taken the whole day since it was shown."""
    await desk.grant("other_student", sessions=9)
    first = await chat.type("student", "book")
    times = await chat.pick("student", first, "book.day")
    day = values(menu_of(first, "book.day"))[0]
    for start in starts(menu_of(times, "book.time")):
        if start in await desk.offers("other_student"):
            await desk.book("other_student", start)
    late = await chat.pick("student", times, "book.time")
    assert late.text.startswith("**That time was just taken.**")
    assert "No times are left on that day." in late.text
    assert day not in values(menu_of(late, "book.day"))
    gone = await chat.use("student", menu_of(first, "book.day").custom_id, day)
    assert "No times are left on that day." in gone.text
    assert len([row for row in gone.rows if isinstance(row, Menu)]) == 2


@pytest.mark.parametrize(
    ("arrange", "says"),
    [
        ("update session_packs set frozen = true", "Your pack is on hold."),
        ("update session_packs set expires_at = now() - interval '1 hour'", "Your pack has ended."),
        ("update seat_reservations set status = 'released'", "Your seat isn’t active."),
    ],
)
async def test_who_can_book_nothing_is_told_why(chat: Chat, desk: Desk, arrange: str, says: str) -> None:
    start = (await desk.offers("student"))[0]
    await desk.sql(arrange)
    reply = await chat.type("student", "book")
    assert says in reply.text
    assert [row.custom_id for row in reply.rows if isinstance(row, Menu)] == ["book.mentor"]
    custom_id = write("book.time", desk.cast["mentor"])
    forged = await chat.use("student", custom_id, str(int(start.timestamp())))
    assert says in forged.text
    assert await desk.scheduled() == []


async def test_all_booked_is_said(chat: Chat, desk: Desk) -> None:
    for start in (await desk.offers("student"))[:8:2]:
        await desk.book("student", start)
    assert "No session left to book." in (await chat.type("student", "book")).text


async def test_without_a_pack_there_is_a_way_to_one(chat: Chat) -> None:
    reply = await chat.type("new_student", "book")
    assert reply.text.startswith("You have no pack to book from yet.")
    assert links(reply)[0].endswith("/instructors")


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=70), timedelta(minutes=7)])
async def test_a_time_that_was_never_offered_is_refused(chat: Chat, desk: Desk, ahead: timedelta) -> None:
    forged = str(int((clock.now() + ahead).timestamp()))
    reply = await chat.use("student", write("book.time", desk.cast["mentor"]), forged)
    assert reply.text.startswith(("**That time isn’t offered.**", "**Your pack doesn’t reach that far.**"))
    assert await desk.scheduled() == []


async def test_a_mentor_of_nobodys_is_not_booked(chat: Chat, desk: Desk) -> None:
    """A forged menu: the other mentor has given this student nothing."""
    start = (await desk.offers("other_student", "other_mentor"))[0]
    custom_id = write("book.time", desk.cast["other_mentor"])
    reply = await chat.use("student", custom_id, str(int(start.timestamp())))
    assert reply.text.startswith("**You have no pack to book from.**")
    assert await desk.scheduled() == []


async def test_canceled_and_picked_again_it_is_booked_again(chat: Chat, desk: Desk) -> None:
    times = await chat.pick("student", await chat.type("student", "book"), "book.day")
    await chat.pick("student", times, "book.time")
    (session,) = await desk.scheduled()
    await desk.cancel("student", session.id)
    assert (await chat.pick("student", times, "book.time")).text.startswith("Booked: ")
    (again,) = await desk.scheduled()
    assert (again.id != session.id, again.status) == (True, SessionStatus.SCHEDULED)


async def test_names_mark_up_nothing_and_mention_nobody(chat: Chat, desk: Desk, cast: Cast) -> None:
    name = "**Bob** <@1> @everyone [x](http://x.test)"
    await desk.sql("update users set name = :name where id = :id", id=cast["mentor"], name=name)
    reply = await chat.type("student", "book")
    assert menu_of(reply, "book.mentor").options[0].label == name
    for harm in ("**Bob**", "<@1>", "@everyone", "[x](", "http://x"):
        assert harm not in reply.text
