"""`/packs` and `/renew`: what a student has left, and where another pack is bought."""

from __future__ import annotations

from typing import Final

from app.core import clock
from app.core.unit_of_work import Role
from app.dashboards import student
from app.dashboards.student import Instructor
from app.mentees import relations
from app.mentees.relations import Relation
from app.packs.models import PackStatus, SeatStatus
from bot import replies
from bot.replies import BUTTON_LABEL, BUTTONS, Button, Reply, Row
from bot.router import Action, Ask, Command

NO_PACK: Final = "You have no pack yet. Pick an instructor, and a pack, to begin."


async def packs(ask: Ask) -> Reply:
    """`/packs`: with every instructor what is left, until when, and how the seat stands."""
    found = [one for one in await relations.of_student(ask.uow, ask.viewer.id) if one.pack_id is not None]
    if not found:
        return _begin(ask)
    buttons = [
        Button(
            replies.label(f"Statement with {one.mentor_name}", BUTTON_LABEL),
            url=ask.page(f"/packs/{one.pack_id}"),
        )
        for one in found[:BUTTONS]
    ]
    text = replies.lines("**Your packs**", [_row(one) for one in found], lambda left: f"And {left} more.")
    return Reply(text, [buttons])


def _row(relation: Relation) -> str:
    mentor, expires = replies.name(relation.mentor_name), relation.pack_expires_at
    parts = [f"{mentor}: {replies.sessions(relation.remaining)} left"]
    if relation.scheduled:
        parts.append(f"{relation.scheduled} of them booked")
    if relation.pack_status is PackStatus.ACTIVE and expires is not None:
        parts.append(f"good until {replies.time(expires, 'D')}")
    if relation.seat_status is SeatStatus.GRACE and relation.seat_expires_at is not None:
        parts.append(f"your seat is kept until {replies.time(relation.seat_expires_at, 'f')}")
    return ", ".join(parts)


async def renew(ask: Ask) -> Reply:
    """`/renew`: the way to the next pack, first with whom it is time."""
    dashboard = await student.read(ask.uow, ask.viewer.id, clock.now())
    low = dashboard.low
    found = [*low, *(one for one in dashboard.instructors if one not in low)]
    linked = [one for one in found if one.renew_href is not None]
    if not linked:
        return _begin(ask)
    buttons = [_button(ask, one) for one in linked[: 2 * BUTTONS]]
    rows: list[Row] = [buttons[at : at + BUTTONS] for at in range(0, len(buttons), BUTTONS)]
    sentences = [_when_low(one.relation) for one in low] or ["Nothing renews by itself."]
    text = replies.lines("**Another pack**", sentences, lambda left: f"And {left} more.")
    return Reply(text, rows)


def _button(ask: Ask, instructor: Instructor) -> Button:
    label = replies.label(f"Renew with {instructor.relation.mentor_name}", BUTTON_LABEL)
    return Button(label, url=ask.page(instructor.renew_href or "/instructors"))


def _when_low(relation: Relation) -> str:
    mentor, left = replies.name(relation.mentor_name), replies.sessions(relation.remaining)
    if relation.seat_expires_at is None:
        return f"{mentor}: {left} left. With another pack you keep your seat."
    return f"{mentor}: {left} left. Your seat is kept until {replies.time(relation.seat_expires_at)}."


def _begin(ask: Ask) -> Reply:
    return Reply(NO_PACK, [[Button("See the instructors", url=ask.page("/instructors"))]])


COMMANDS: Final = (
    Command("packs", "What you have left, and until when", Role.STUDENT, packs),
    Command("renew", "Buy another pack", Role.STUDENT, renew),
)
ACTIONS: Final[tuple[Action, ...]] = ()
