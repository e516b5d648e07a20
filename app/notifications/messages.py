"""Who is told what, before it takes the form of a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.notifications.models import SkipReason


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; `content_type` with its parameters (`text/calendar; method=REQUEST`)."""

    filename: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Message:
    """Who is told, at which address, with which words: `context` is what the kind's templates take.

    `skip`: why they aren't told after all; that is recorded, too.
    """

    recipient_id: UUID
    address: str
    context: Mapping[str, Any] = field(repr=False)
    attachments: Sequence[Attachment] = ()
    skip: SkipReason | None = None


def outdated(recipient_id: UUID) -> Message:
    """For somebody who would have been told of what is no longer so; that is recorded, and needs no words."""
    return Message(recipient_id, "", {}, skip=SkipReason.OUTDATED)


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody can be reached: the id of their Discord account, and whether their address takes mail.

    `closed`: they have left, but may come back.
    """

    discord_id: str | None = None
    mail_paused: bool = False
    closed: bool = False


UNKNOWN = Contact()
