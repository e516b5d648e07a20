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


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody can be reached: the id of their Discord account, and whether their address takes mail."""

    discord_id: str | None = None
    mail_paused: bool = False


UNKNOWN = Contact()
