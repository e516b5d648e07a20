"""What booking does for the pages, the JSON interface, jobs and the bot."""

from __future__ import annotations

from app.booking.book import book
from app.booking.cancel import cancel, cancel_of_pack
from app.booking.conflicts import note_conflicts, replay_calendar
from app.booking.facts import Booked, SessionFacts
from app.booking.idempotency import Idempotency
from app.booking.mark import edit, mark
from app.booking.meanwhile import ChangedMeanwhile
from app.booking.move import reschedule
from app.booking.overdue import complete_overdue
from app.booking.refusals import BookingRefused, Refusal
from app.booking.series_book import BookedSeries, book_series
from app.booking.sync import sync_calendar

__all__ = [
    "Booked",
    "BookedSeries",
    "BookingRefused",
    "ChangedMeanwhile",
    "Idempotency",
    "Refusal",
    "SessionFacts",
    "book",
    "book_series",
    "cancel",
    "cancel_of_pack",
    "complete_overdue",
    "edit",
    "mark",
    "note_conflicts",
    "replay_calendar",
    "reschedule",
    "sync_calendar",
]
