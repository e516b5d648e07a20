"""`/today`, `/session-completed` and `/no-show`: a mentor's own sessions."""

from __future__ import annotations

from typing import Final

from app.booking import dates, lists, mentor_lists, service
from app.booking.lists import Listed
from app.booking.models import SessionStatus
from app.booking.offers import instant
from app.booking.refusals import BookingRefused
from app.core import clock
from app.core.errors import NotFound
from app.core.templating import day_in, time_in
from app.core.unit_of_work import Role
from bot import custom_ids, replies
from bot.booking.menus import said
from bot.replies import OPTIONS, Button, Menu, Option, Reply
from bot.router import Action, Ask, Command

COMPLETED, NO_SHOW = SessionStatus.COMPLETED, SessionStatus.NO_SHOW
PAGE: Final = "/instructor/sessions"
WORDS: Final = {
    SessionStatus.SCHEDULED: "",
    COMPLETED: ", held",
    NO_SHOW: ", nobody came",
    SessionStatus.CANCELED: ", canceled",
}
DONE: Final = {COMPLETED: "Marked as held", NO_SHOW: "Marked as no-show"}
ASKS: Final = {COMPLETED: "Which session was held?", NO_SHOW: "To which session did nobody come?"}


async def today(ask: Ask) -> Reply:
    """`/today`: the sessions of the day where the mentor is, and how many wait to be marked."""
    now, zone = clock.now(), ask.viewer.time_zone
    since, until = dates.bounds(dates.date_of(int(now.timestamp()), zone), zone)
    found = await mentor_lists.between(ask.uow, ask.viewer.id, instant(since), instant(until))
    waiting = await mentor_lists.to_mark(ask.uow, ask.viewer.id, now)
    rows = [
        f"{replies.time(one.start, 't')} {replies.name(one.student_name)}{WORDS[one.status]}" for one in found
    ]
    text = replies.lines("**Today**", rows, lambda left: f"And {left} more on the page.")
    if not rows:
        text = "You have no sessions today."
    if waiting:
        many = "1 session waits" if len(waiting) == 1 else f"{len(waiting)} sessions wait"
        text += f"\n{many} to be marked: /session-completed or /no-show."
    return Reply(text, [[Button("My sessions", url=ask.page(PAGE))]])


async def session_completed(ask: Ask) -> Reply:
    """`/session-completed`: which one was held?"""
    return await _which(ask, COMPLETED)


async def no_show(ask: Ask) -> Reply:
    """`/no-show`: to which one did nobody come?"""
    return await _which(ask, NO_SHOW)


async def _which(ask: Ask, status: SessionStatus) -> Reply:
    found = await mentor_lists.to_mark(ask.uow, ask.viewer.id, clock.now())
    if not found:
        return Reply("No session of yours waits to be marked.")
    zone = ask.viewer.time_zone
    options = [
        Option(
            replies.label(f"{day_in(session.start, zone)}, {time_in(session.start, zone)}"),
            session.id.hex,
            replies.label(f"with {session.student_name}"),
        )
        for session in found[:OPTIONS]
    ]
    more = "" if len(found) <= OPTIONS else f" These are the latest {OPTIONS} of {len(found)}."
    menu = Menu(custom_ids.write("mark", status.value), "Session", options)
    return Reply(
        f"**{ASKS[status]}** It is marked as soon as you pick it. Times are in {zone}.{more}", [menu]
    )


async def mark(ask: Ask) -> Reply:
    """One was picked: mark it, unless it is no longer as the menu showed it."""
    status = next((one for one in DONE if one.value == ask.word(0)), None)
    session = await _own(ask)
    if status is None:
        raise NotFound
    seen = {"status": [SessionStatus.SCHEDULED.value]}
    try:
        await service.mark(ask.uow, session.id, status, seen=seen)
    except BookingRefused as error:
        return Reply(said(error.refusal))
    when = replies.time(session.start)
    text = f"{DONE[status]}: {when} with **{replies.name(session.student_name)}**."
    text += " If that was a slip, you can undo it on the page."
    return Reply(text, [[Button("My sessions", url=ask.page(PAGE))]])


async def _own(ask: Ask) -> Listed:
    """The picked session, if the asker is its mentor. Raises NotFound."""
    session = await lists.one(ask.uow, custom_ids.id_of(ask.picked))
    if session.mentor_id != ask.viewer.id:
        raise NotFound
    return session


COMMANDS: Final = (
    Command("today", "Your sessions today", Role.MENTOR, today),
    Command("session-completed", "Mark a session as held", Role.MENTOR, session_completed),
    Command("no-show", "Mark a session to which nobody came", Role.MENTOR, no_show),
)
ACTIONS: Final = (Action("mark", Role.MENTOR, mark),)
