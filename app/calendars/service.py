"""What calendars do for the rest of the platform. Everything that asks Google wants no transaction open."""

from __future__ import annotations

from app.calendars.card import Card, card, is_connected
from app.calendars.channels import channels_due, hear, renew_channel
from app.calendars.choice import choose_calendar, leave_calendar, refresh_calendars
from app.calendars.connection import connect, disconnect, reseal_tokens
from app.calendars.events import EventToWrite, Outcome, OwnEvent, Written, event_id
from app.calendars.live import busy_live
from app.calendars.mirror import mirror
from app.calendars.polling import (
    due_mentors,
    nightly_mentors,
    request_channels,
    request_choices,
    request_mirrors,
)
from app.calendars.writing import remove_event, write_event

__all__ = [
    "Card",
    "EventToWrite",
    "Outcome",
    "OwnEvent",
    "Written",
    "busy_live",
    "card",
    "channels_due",
    "choose_calendar",
    "connect",
    "disconnect",
    "due_mentors",
    "event_id",
    "hear",
    "is_connected",
    "leave_calendar",
    "mirror",
    "nightly_mentors",
    "refresh_calendars",
    "remove_event",
    "renew_channel",
    "request_channels",
    "request_choices",
    "request_mirrors",
    "reseal_tokens",
    "write_event",
]
