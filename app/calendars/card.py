"""What mentors see of their Google Calendar on the settings page.

Read from our own tables: pages never wait for Google.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from app.calendars import repository
from app.calendars.models import CalendarState
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.settings import Settings

GONE: Final = (
    "Google no longer has the calendar you chose, or it isn't shared with you any more. Nobody can book you until"
    " you choose another one."
)
_MEANWHILE = (
    "Times shown to students may be out of date. Nothing is booked before Google has been asked about that very"
    " time."
)
UNANSWERED: Final = f"Google didn't answer when we last asked; we keep asking. {_MEANWHILE}"
STALE: Final = f"Your calendar hasn't been read for a while. {_MEANWHILE}"
_STALE_AFTER_POLLS = 4
_STALE_AFTER_PUSHED = timedelta(hours=2)


@dataclass(frozen=True)
class Card:
    """As templates/mentors/_google.html takes it; `checked_at` is business time, None before the first reading."""

    enabled: bool
    state: Literal["none", "active", "revoked"] = "none"
    email: str = ""
    calendar_id: str = ""
    calendars: tuple[tuple[str, str], ...] = ()
    checked_at: datetime | None = None
    push: bool = False
    problem: str | None = None


async def card(uow: UnitOfWork, settings: Settings, mentor_id: UUID) -> Card:
    """The card of the mentor that `uow` is bound to."""
    row = await repository.connection_facts(uow, mentor_id)
    if row is None:
        return Card(settings.google_enabled)
    push = row.channel_expires_at is not None and row.channel_expires_at > datetime.now(UTC)
    return Card(
        enabled=settings.google_enabled,
        state="revoked" if row.state is CalendarState.REVOKED else "active",
        email=row.google_email,
        calendar_id=row.google_calendar_id,
        calendars=tuple((id_, name) for id_, name in row.calendars),
        checked_at=row.mirrored_at,
        push=push,
        problem=_problem(settings, row, push),
    )


async def is_connected(uow: UnitOfWork, mentor_id: UUID) -> bool:
    """True if the mentor that `uow` is bound to has a usable connection."""
    row = await repository.connection_facts(uow, mentor_id)
    return row is not None and row.state is CalendarState.CONNECTED


def _problem(settings: Settings, row: repository.ConnectionFacts, push: bool) -> str | None:
    if row.last_error == "calendar_gone":
        return GONE
    patience = (
        _STALE_AFTER_PUSHED
        if push
        else timedelta(minutes=_STALE_AFTER_POLLS * settings.calendar_poll_minutes)
    )
    if row.last_error == "unavailable":
        return UNANSWERED
    return STALE if row.mirrored_at is not None and row.mirrored_at < clock.now() - patience else None
