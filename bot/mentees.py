"""`/students`: a mentor's mentees and how they stand."""

from __future__ import annotations

from typing import Final

from app.core.unit_of_work import Role
from app.mentees import relations
from app.mentees.relations import MENTEE_SEATS, Relation
from bot import replies
from bot.replies import Button, Reply
from bot.router import Action, Ask, Command

PAGE: Final = "/instructor/students"


async def students(ask: Ask) -> Reply:
    """`/students`: everybody with a seat."""
    every = await relations.of_mentor(ask.uow, ask.viewer.id)
    rows = [_row(relation) for relation in every if relation.seat_status in MENTEE_SEATS]
    if not rows:
        return Reply("Nobody has a seat with you at the moment.")
    text = replies.lines("**Your mentees**", rows, lambda left: f"And {left} more on the page.")
    return Reply(text, [[Button("All mentees", url=ask.page(PAGE))]])


def _row(relation: Relation) -> str:
    parts = [f"{replies.name(relation.student_name)}: {replies.sessions(relation.remaining)} left"]
    if relation.next_session is not None:
        parts.append(f"next {replies.time(relation.next_session, 'f')}")
    if relation.seat_expires_at is not None:
        parts.append(f"seat kept until {replies.time(relation.seat_expires_at, 'f')}")
    return ", ".join(parts)


COMMANDS: Final = (Command("students", "Your mentees and what they have left", Role.MENTOR, students),)
ACTIONS: Final[tuple[Action, ...]] = ()
