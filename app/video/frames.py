"""What a page and the signalling socket tell each other: JSON, one object a frame, its `type` first of all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

LONGEST_BYTES: Final = 65_536
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
PageId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Join(msgspec.Struct, frozen=True, tag="join"):
    """The first word: a token, and the id that this page made when it was loaded."""

    token: Text
    page: PageId


class Signal(msgspec.Struct, frozen=True, tag="signal"):
    """For the other page, to be read by it alone."""

    data: dict[str, Any]


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """The last word."""


class NotUnderstood(ValueError):
    """A frame that is none."""


FromPage = Join | Signal | Leave
_from_page: Final[msgspec.json.Decoder[FromPage]] = msgspec.json.Decoder(FromPage)


def read(text: str) -> FromPage:
    """The frame that a page sent. Raises NotUnderstood."""
    try:
        return _from_page.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotUnderstood(str(error)) from error


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """You are in. Of the two only the `initiator` makes offers."""

    visit: UUID
    initiator: bool
    ends_at: datetime
    closes_at: datetime


class Other(msgspec.Struct, frozen=True, tag="other"):
    """The other is here, on that page."""

    page: str


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """The other isn't here any more: `left` by themselves, or their connection was lost."""

    left: bool


class Signaled(msgspec.Struct, frozen=True, tag="signal"):
    """From the other page."""

    data: msgspec.Raw


class Consent(msgspec.Struct, frozen=True, tag="consent"):
    """Who agrees to a recording."""

    mine: bool
    both: bool


class Replaced(msgspec.Struct, frozen=True, tag="replaced"):
    """The room was opened somewhere else by the same person."""


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """The room isn't open for you any more."""

    code: str
    detail: str


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """You don't come in."""

    code: str
    detail: str


Frame = Joined | Other | Gone | Signaled | Consent | Replaced | Closed | Refused


class Ending(msgspec.Struct, frozen=True):
    """How a socket ends: a last frame, if any, and the code it is closed with."""

    code: int
    frame: Replaced | Closed | Refused | None = None
    left: bool = False


LOST: Final = Ending(1001)
LEFT: Final = Ending(1000, left=True)
TOO_LARGE: Final = Ending(1009)
OVERRUN: Final = Ending(1013)
REPLACED: Final = Ending(4409, Replaced())


def refused(code: str, detail: str) -> Ending:
    """Somebody doesn't come in."""
    return Ending(4403, Refused(code, detail))


def closed(code: str, detail: str) -> Ending:
    """Somebody is seen out."""
    return Ending(4410, Closed(code, detail), left=True)
