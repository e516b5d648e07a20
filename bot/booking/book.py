"""`/book`: three menus in one message, mentor, day and time. What they offer is what the calendar page offers.

Nothing is remembered between two clicks: each reads the offers anew, and booking decides by itself, as everywhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from app.booking import dates, lists, service
from app.booking.facts import Booked
from app.booking.refusals import NOT_BOOKED, Refusal, shown
from app.booking.views import FREE_CHANGE
from app.core import clock
from app.core.errors import Unavailable
from app.core.unit_of_work import Role
from app.limits import BOOKING
from bot import custom_ids, replies
from bot.booking.menus import Choice, menus, said
from bot.replies import Button, Reply
from bot.router import Action, Ask, Command

ABOUT_A_TIME: Final = frozenset({"slot_taken", "slot_not_offered", "own_session", "pack_expired"})


async def book(ask: Ask) -> Reply:
    """`/book`: whom to meet; with one mentor only, their days at once."""
    return await menus(ask, Choice())


async def pick_mentor(ask: Ask) -> Reply:
    """A mentor was picked: their days."""
    return await menus(ask, Choice(custom_ids.id_of(ask.picked)))


async def pick_day(ask: Ask) -> Reply:
    """A day was picked: its times."""
    mentor_id, days_from = custom_ids.id_of(ask.word(0)), custom_ids.number_of(ask.word(1))
    return await menus(ask, Choice(mentor_id, custom_ids.date_of(ask.picked), days_from))


async def turn_days(ask: Ask) -> Reply:
    """Other days of the mentor."""
    mentor_id, days_from = custom_ids.id_of(ask.word(0)), custom_ids.number_of(ask.word(1))
    return await menus(ask, Choice(mentor_id, days_from=days_from))


async def turn_times(ask: Ask) -> Reply:
    """Other times of a day."""
    mentor_id, day = custom_ids.id_of(ask.word(0)), custom_ids.date_of(ask.word(1))
    days_from, times_from = custom_ids.number_of(ask.word(2)), custom_ids.number_of(ask.word(3))
    return await menus(ask, Choice(mentor_id, day, days_from, times_from))


async def pick_time(ask: Ask) -> Reply:
    """A time was picked: book it. The same time again answers with the session that is there."""
    mentor_id, start = custom_ids.id_of(ask.word(0)), custom_ids.instant_of(ask.picked)
    platform = ask.platform
    try:
        booked = await service.book(
            ask.uow, platform.database, platform.google, mentor_id=mentor_id, start=start
        )
    except (service.BookingRefused, Unavailable) as error:
        return await _refused(ask, mentor_id, start, shown(error, NOT_BOOKED))
    return await _done(ask, booked)


async def _done(ask: Ask, booked: Booked) -> Reply:
    session = await lists.one(ask.uow, booked.session.id)
    text = f"Booked: {replies.time(session.start)} with **{replies.name(session.mentor_name)}**."
    free_until = session.start - FREE_CHANGE
    if free_until > clock.now():
        text += f" You can move or cancel it until {replies.time(free_until)}."
    text += "\nThe invitation is on its way to you by mail."
    return Reply(text, [[Button("See the session", url=ask.page(f"/sessions/{session.id}"))]])


async def _refused(ask: Ask, mentor_id: UUID, start: datetime, refusal: Refusal) -> Reply:
    """Why not, and the times as they are now."""
    day = dates.date_of(int(start.timestamp()), ask.viewer.time_zone)
    choice = Choice(mentor_id, day if refusal.code in ABOUT_A_TIME else None)
    return await menus(ask, choice, said(refusal))


COMMANDS: Final = (Command("book", "Book a session: pick a day and a time", Role.STUDENT, book),)
ACTIONS: Final = (
    Action("book.mentor", Role.STUDENT, pick_mentor),
    Action("book.day", Role.STUDENT, pick_day),
    Action("book.days", Role.STUDENT, turn_days),
    Action("book.time", Role.STUDENT, pick_time, BOOKING),
    Action("book.times", Role.STUDENT, turn_times),
)
