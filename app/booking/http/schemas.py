"""What the JSON interface takes and gives, as described at /schema."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from app.booking.models import SessionStatus


class Offer(msgspec.Struct, frozen=True):
    """A time on offer."""

    start: datetime
    end: datetime


class ClosedTime(msgspec.Struct, frozen=True):
    """A time not on offer, and the first reason that applies."""

    start: datetime
    end: datetime
    reason: str


class WhyNot(msgspec.Struct, frozen=True):
    """Why the asker can't book at any time."""

    code: str
    detail: str


class Availability(msgspec.Struct, frozen=True, omit_defaults=True):
    """`slots`: for a student who can book, exactly the starts that can be booked now; for others the mentor's free times.

    `bookable` is true for the former, `refusal` says why not. `mirror_age_s`: seconds since the mentor's calendar was
    read, null without one. `closed` only with `explain=1`.
    """

    mentor_id: UUID
    time_zone: str
    session_minutes: int
    mirror_age_s: int | None
    bookable: bool
    refusal: WhyNot | None
    slots: list[Offer]
    closed: list[ClosedTime] | msgspec.UnsetType = msgspec.UNSET


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session wanted: with whom, and from when on (RFC 3339)."""

    mentor_id: str
    start: str


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either another start (RFC 3339), or `canceled`."""

    start: str | None = None
    status: Literal["canceled"] | None = None


class MentorSaw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the session held when it was last read; where it holds something else by now, nothing is changed (409)."""

    status: SessionStatus | msgspec.UnsetType = msgspec.UNSET
    notes: str | msgspec.UnsetType = msgspec.UNSET
    recording_url: str | msgspec.UnsetType | None = msgspec.UNSET


class MentorChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a mentor sets; what isn't named stays. `recording_url` null removes the link.

    A new link is refused (409, `no_recording_consent`) unless the mentor and the student both agree to a recording on
    the session's page. It is removed after 30 days; another one lives for 30 days of its own.

    With `seen` the change is refused (409, `changed_meanwhile`, with the values of now in `present`) if somebody
    changed one of the fields named there in the meantime.
    """

    status: SessionStatus | msgspec.UnsetType = msgspec.UNSET
    notes: str | msgspec.UnsetType = msgspec.UNSET
    recording_url: str | msgspec.UnsetType | None = msgspec.UNSET
    seen: MentorSaw | msgspec.UnsetType = msgspec.UNSET


class MentorSession(msgspec.Struct, frozen=True):
    """A session as its mentor sees it.

    `recording_consent`: both people agree to a recording; `recording_expires_at`: when its link is removed.
    """

    id: UUID
    mentor_id: UUID
    student_id: UUID
    pack_id: UUID
    start: datetime
    end: datetime
    status: SessionStatus
    notes: str
    recording_url: str | None
    recording_consent: bool
    recording_expires_at: datetime | None


class Problem(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457): `code` for programs, `detail` for people. `slots` as they are now, where one is taken.

    `fields` and `present`: which values somebody changed in the meantime, and all of them as they are now.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    slots: list[Offer] | msgspec.UnsetType = msgspec.UNSET
    fields: list[str] | msgspec.UnsetType = msgspec.UNSET
    present: MentorSaw | msgspec.UnsetType = msgspec.UNSET


PROBLEMS: Final = {
    status: ResponseSpec(Problem, description=text, media_type="application/problem+json")
    for status, text in {
        400: "malformed",
        404: "unknown, or not yours",
        409: "refused by the state of things",
        422: "refused by a rule",
        503: "the mentor's calendar can't be reached",
    }.items()
}
MARK_PROBLEMS: Final = PROBLEMS | {
    409: ResponseSpec(
        Problem,
        description="refused by the state of things: `changed_meanwhile`, `no_recording_consent` (a link needs the consent"
        " of both people), `not_started`, `not_scheduled`, `already_started`, `cannot_undo`",
        media_type="application/problem+json",
    )
}
