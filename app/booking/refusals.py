"""Why a booking, a move, a cancellation or a mark is refused: one code and one sentence each. Pure.

A refusal says what happened (`title`), why and what was not changed (`detail`), and what to do next (`next`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.core.errors import AppError, Refused

NOT_BOOKED: Final = "Nothing was booked and no session was used."
NOT_MOVED: Final = "Nothing was moved; the session keeps its time."
NOT_CANCELED: Final = "The session was not canceled."
NOT_PROPOSED: Final = "Nothing was proposed; the session keeps its time."
NOT_MARKED: Final = "Nothing was changed."
NOT_KEPT: Final = "The link was not saved."


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A rule's no. `reason`: the slot engine's reason, where the time itself is refused."""

    code: str
    title: str
    detail: str
    next: str = ""
    status: int = 409
    reason: str | None = None

    @property
    def sentence(self) -> str:
        """Title and detail in one line, for programs and flash messages."""
        return f"{self.title}. {self.detail}"


class BookingRefused(Refused):
    """Raised by the services of this slice: a Refused that keeps its parts for the page.

    `extra` joins the problem document of the JSON interface.
    """

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code, refusal.sentence, status=refusal.status)
        self.refusal = refusal
        self.extra: dict[str, Any] = {"reason": refusal.reason} if refusal.reason else {}


@dataclass(frozen=True)
class _Text:
    title: str
    why: str = ""
    next: str = ""
    status: int = 409


_PICK = "Pick another time below."
_TEXTS: Final = {
    "slot_taken": _Text("That time was just taken", next=_PICK),
    "slot_not_offered": _Text("That time isn’t offered", next="Pick one of the times below.", status=422),
    "own_session": _Text("You have a session then", "It overlaps a session of yours.", _PICK),
    "pack_not_active": _Text(
        "You have no pack to book from", "Booking needs an active pack with this instructor.", status=422
    ),
    "pack_expired": _Text(
        "Your pack doesn’t reach that far", "It ends before that session starts.", status=422
    ),
    "no_credit": _Text(
        "No session left to book", "Every session of your pack with this instructor is used or booked."
    ),
    "seat_not_active": _Text(
        "Your seat isn’t active", "Booking needs an active seat with this instructor.", status=422
    ),
    "calendar_unavailable": _Text(
        "We couldn’t check the instructor’s calendar",
        "Google Calendar didn’t answer in time.",
        "Please try again in a few minutes.",
        503,
    ),
    "calendar_revoked": _Text(
        "Not bookable for the moment",
        "The instructor’s calendar is disconnected, so free times can’t be checked.",
        "We have asked them to reconnect it; please look again later.",
    ),
    "too_late": _Text("Too late to move", "Sessions can be moved until 24 hours before they start."),
    "proposal_closed": _Text("That proposal is no longer open", "It was answered, replaced or taken back."),
    "already_started": _Text("This session has started", "It can’t be moved or canceled any more."),
    "not_started": _Text("This session hasn’t started", "It can be marked once it has begun."),
    "not_scheduled": _Text("This session is no longer scheduled", "Somebody changed it in the meantime."),
    "not_marked": _Text(
        "This session isn’t marked as held or missed", "Somebody changed it in the meantime."
    ),
    "pack_refunded": _Text(
        "Its pack was refunded",
        "There is no pack left that the session could go back to.",
        "Settle it with the order, and say so in your answer.",
    ),
    "cannot_undo": _Text("This can’t be undone"),
    "no_recording_consent": _Text("A link needs the consent of both people"),
    "idempotency_mismatch": _Text(
        "That key was used before", "The same Idempotency-Key came with another request.", status=422
    ),
}


def refusal(
    code: str, unchanged: str, *, title: str = "", why: str = "", reason: str | None = None
) -> Refusal:
    """The refusal of that code; `title` and `why` replace its own. `unchanged` says what stayed as it was."""
    text = _TEXTS[code]
    parts = (why or text.why, unchanged)
    return Refusal(
        code=code,
        title=title or text.title,
        detail=" ".join(part for part in parts if part),
        next=text.next,
        status=text.status,
        reason=reason,
    )


def demand(found: Refusal | None) -> None:
    """Raise BookingRefused if there is a refusal."""
    if found is not None:
        raise BookingRefused(found)


def shown(error: AppError, unchanged: str) -> Refusal:
    """What a page shows of any refusal, also of one that another slice raised."""
    if isinstance(error, BookingRefused):
        return error.refusal
    if error.code in _TEXTS:
        return refusal(error.code, unchanged)
    return Refusal(code=error.code, title="That didn’t work", detail=error.detail, status=error.status)
