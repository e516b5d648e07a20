"""Which function performs which outbox event, who composes which notification, and what happens periodically."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.absences import notices as absence_notices
from app.accounts import notices as accounts
from app.admin import alerts
from app.booking import notices as booking_notices
from app.calendars import notices as calendar_notices
from app.core.outbox import Event
from app.core.timetable import Every
from app.dashboards import notices as dashboard_notices
from app.disputes import notices as dispute_notices
from app.mentees import notices as mentee_notices
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import Anchor, Kind
from app.packs import notices as pack_notices
from app.packs import reminders as pack_reminders
from app.payments import notices as payment_notices
from app.settings import Settings
from app.testimonials import notices as testimonial_notices
from app.wiring import Platform
from jobs import booking, calendars, discord, mail, packs, payments, testimonials, upkeep, watchdog
from jobs.notifications import Notice, notify

MINUTE, HOUR, DAY = 60, 3600, 86_400

Handler = Callable[[Platform, Event], Awaitable[None]]


async def send_notification(platform: Platform, event: Event) -> None:
    """Tell people what the event's kind is about."""
    await notify(platform, event, notice_of(CATALOGUE[event.payload["kind"]]))


def notice_of(kind: Kind) -> Notice:
    """Who composes a kind: for what comes by time alone, whoever knows its anchor."""
    return ANCHORED[kind.timed.anchor] if kind.timed else NOTICES[kind.name]


# Each may run twice, or again after half of it was done.
EVENTS: dict[str, Handler] = {
    "notification/send": send_notification,
    "calendar/write": booking.write_calendar,
    "calendar/reconnected": booking.replay_calendar,
    "booking/overdue": booking.complete_overdue,
    "recording/expire": booking.expire_recording,
    "session/reversed": booking.seat_again,
    **calendars.EVENTS,
    **discord.EVENTS,
    **packs.EVENTS,
    **mail.EVENTS,
    **payments.EVENTS,
    **testimonials.EVENTS,
    **watchdog.EVENTS,
    "upkeep/purge": upkeep.purge,
}

NOTICES: dict[str, Notice] = {
    **accounts.NOTICES,
    **alerts.NOTICES,
    **absence_notices.NOTICES,
    **booking_notices.NOTICES,
    **calendar_notices.NOTICES,
    **dispute_notices.NOTICES,
    **mentee_notices.NOTICES,
    **pack_notices.NOTICES,
    **pack_reminders.NOTICES,
    **payment_notices.NOTICES,
    **testimonial_notices.NOTICES,
}


# What comes by time alone, by what it is counted from: a new kind needs nothing here.
ANCHORED: dict[Anchor, Notice] = {
    **pack_reminders.ANCHORED,
    Anchor.SESSION: booking_notices.session_reminder,
    Anchor.RECORDING: booking_notices.recording_expiring,
    Anchor.ACCOUNT: dashboard_notices.getting_started,
}


def periodic(settings: Settings) -> tuple[Every, ...]:
    """Events that come by time alone (business time), written by whichever worker notices first."""
    return (
        Every("upkeep/purge", HOUR),
        Every("booking/overdue", MINUTE),
        Every("watchdog/look", MINUTE),
        Every("calendar/poll", settings.calendar_poll_minutes * MINUTE),
        Every("calendar/channels", HOUR),
        Every("calendar/nightly", DAY, offset_seconds=3 * HOUR),
        Every("payment/daily", DAY, offset_seconds=4 * HOUR),
    )
