"""`/sessions`, `/next` and `/cancel`: a student's own sessions."""

from __future__ import annotations

from typing import Final

from app.booking import lists, rules, service, views
from app.booking.lists import Listed
from app.booking.models import SessionStatus
from app.booking.refusals import BookingRefused
from app.core import clock
from app.core.templating import day_in, time_in
from app.core.unit_of_work import Role
from app.limits import BOOKING
from bot import custom_ids, replies
from bot.booking.menus import said
from bot.replies import OPTIONS, Button, Menu, Option, Reply
from bot.router import Action, Ask, Command

NOTHING: Final = "You have nothing booked."
CANCELED: Final = "That session is canceled."


async def sessions(ask: Ask) -> Reply:
    """`/sessions`: everything that is booked, the next one first."""
    found = await lists.upcoming(ask.uow, ask.viewer.id, clock.now())
    if not found:
        return await _nothing(ask)
    every = Button("All sessions", url=ask.page("/sessions"))
    rows = [f"{replies.time(session.start)} with {replies.name(session.mentor_name)}" for session in found]
    text = replies.lines("**Your sessions**", rows, lambda left: f"And {left} more on the page.")
    return Reply(text, [[every]])


async def next_session(ask: Ask) -> Reply:
    """`/next`: the session that comes first."""
    found = await lists.upcoming(ask.uow, ask.viewer.id, clock.now())
    if not found:
        return await _nothing(ask)
    session = found[0]
    when = f"{replies.time(session.start)}, {replies.time(session.start, 'R')}"
    text = f"Your next session is with **{replies.name(session.mentor_name)}**: {when}."
    return Reply(text, [[Button("See the session", url=ask.page(f"/sessions/{session.id}"))]])


async def _nothing(ask: Ask) -> Reply:
    if await lists.has_credit(ask.uow, ask.viewer.id, clock.now()):
        return Reply(f"{NOTHING} Type /book to pick a time.")
    return Reply(f"{NOTHING} Type /renew for a pack with sessions.")


async def cancel(ask: Ask) -> Reply:
    """`/cancel`: which one?"""
    now = clock.now()
    found = [one for one in await lists.upcoming(ask.uow, ask.viewer.id, now) if one.start > now]
    if not found:
        return Reply("You have nothing booked that could be canceled.")
    zone = ask.viewer.time_zone
    options = [
        Option(
            f"{day_in(session.start, zone)}, {time_in(session.start, zone)}",
            session.id.hex,
            replies.label(f"with {session.mentor_name}"),
        )
        for session in found[:OPTIONS]
    ]
    more = "" if len(found) <= OPTIONS else f" These are the next {OPTIONS}; the others are on the page."
    menu = Menu(custom_ids.write("cancel.pick"), "Session", options)
    return Reply(f"**Cancel a session.** Which one? Times are in {zone}.{more}", [menu])


async def ask_to_cancel(ask: Ask) -> Reply:
    """One was picked: what canceling it means, and the button that does it."""
    return await _question(ask, await lists.one(ask.uow, custom_ids.id_of(ask.picked)))


async def _question(ask: Ask, session: Listed, note: str = "") -> Reply:
    now = clock.now()
    refusal = rules.refusal_to_cancel(session.status, int(session.start.timestamp()), int(now.timestamp()))
    if session.status is SessionStatus.CANCELED:
        return Reply(CANCELED)
    if refusal is not None:
        return Reply(said(refusal))
    means = views.cancellation(session, ask.viewer, now)
    loses = bool(means["loses"])
    question = f"Cancel {replies.time(session.start)} with **{replies.name(session.mentor_name)}**?"
    buttons = [
        Button(
            "Cancel it and lose the session" if loses else "Cancel the session",
            custom_ids.write("cancel.do", session.id, int(loses)),
            danger=True,
        ),
        Button("Keep it", custom_ids.write("cancel.keep")),
    ]
    return Reply(" ".join(part for part in (note, question, means["consequence"]) if part), [buttons])


async def do_cancel(ask: Ask) -> Reply:
    """Cancel it, unless it would cost more by now than was said."""
    session = await lists.one(ask.uow, custom_ids.id_of(ask.word(0)))
    expected = custom_ids.number_of(ask.word(1)) == 1
    means = views.cancellation(session, ask.viewer, clock.now())
    if means["loses"] and not expected:
        return await _question(ask, session, "It is later than when you were asked.")
    try:
        await service.cancel(ask.uow, session.id)
    except BookingRefused as error:
        now = await lists.one(ask.uow, session.id)
        return Reply(CANCELED if now.status is SessionStatus.CANCELED else said(error.refusal))
    after = "The session is used up." if means["loses"] else means["consequence"]
    return Reply(
        f"Canceled: {replies.time(session.start)} with **{replies.name(session.mentor_name)}**. {after}"
    )


async def keep(ask: Ask) -> Reply:
    """They thought better of it."""
    return Reply("Nothing was canceled.")


COMMANDS: Final = (
    Command("sessions", "What you have booked", Role.STUDENT, sessions),
    Command("next", "Your next session", Role.STUDENT, next_session),
    Command("cancel", "Cancel a session", Role.STUDENT, cancel),
)
ACTIONS: Final = (
    Action("cancel.pick", Role.STUDENT, ask_to_cancel),
    Action("cancel.do", Role.STUDENT, do_cancel, BOOKING),
    Action("cancel.keep", Role.STUDENT, keep),
)
