"""What web processes call out to each other about a room, through the database's notifications.

A notification holds less than 8000 bytes: what is longer is compressed, and sent in parts by one transaction, which
arrive together and in order.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from app.booking.recordings import CHANNEL

__all__ = ["CHANNEL", "Consent", "Ear", "Gone", "Here", "Signal", "Word", "payloads"]

LONGEST_BYTES: Final = 7_900


class Here(msgspec.Struct, frozen=True, tag_field="kind", tag="here"):
    """Somebody is in the room, on a page with that id. `asking`: whoever else is there may say so, too."""

    session: UUID
    user: UUID
    visit: UUID
    page: str
    asking: bool


class Gone(msgspec.Struct, frozen=True, tag_field="kind", tag="gone"):
    """A stay is over: they left, or only their connection was lost."""

    session: UUID
    user: UUID
    visit: UUID
    left: bool


class Signal(msgspec.Struct, frozen=True, tag_field="kind", tag="signal"):
    """From one page to the other, whatever browsers tell each other to meet: `data` is JSON, read by nobody between."""

    session: UUID
    sender: UUID
    to: UUID
    data: str


class Consent(msgspec.Struct, frozen=True, tag_field="kind", tag="consent"):
    """Somebody agreed to a recording, or doesn't any more; called out by `app.booking.recordings`."""

    session: UUID


Word = Here | Gone | Signal | Consent


class _Part(msgspec.Struct, frozen=True, tag_field="kind", tag="part"):
    """A part of a word that was too long."""

    word: UUID
    number: int
    of: int
    data: str


_heard: Final[msgspec.json.Decoder[Word | _Part]] = msgspec.json.Decoder(Word | _Part)
_word: Final[msgspec.json.Decoder[Word]] = msgspec.json.Decoder(Word)
_DATA_CHARACTERS: Final = 7_700


def payloads(word: Word, id_: UUID) -> list[str]:
    """The word as notifications carry it, to be sent by one transaction; `id_` is new and names its parts."""
    whole = msgspec.json.encode(word)
    if len(whole) <= LONGEST_BYTES:
        return [whole.decode()]
    packed = base64.b64encode(zlib.compress(whole)).decode()
    cuts = range(0, len(packed), _DATA_CHARACTERS)
    return [
        msgspec.json.encode(_Part(id_, number, len(cuts), packed[cut : cut + _DATA_CHARACTERS])).decode()
        for number, cut in enumerate(cuts)
    ]


class Ear:
    """Puts words together again."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def hear(self, payload: str) -> Word | None:
        """The word that is complete with this notification. Raises msgspec.MsgspecError for what is no word."""
        heard = _heard.decode(payload)
        if not isinstance(heard, _Part):
            return heard
        if heard.number == 0:
            self._parts = []
        elif not self._parts or self._parts[0].word != heard.word or heard.number != len(self._parts):
            return None  # its beginning was missed
        self._parts.append(heard)
        return _whole(self._parts) if len(self._parts) == heard.of else None


def _whole(parts: Sequence[_Part]) -> Word:
    packed = "".join(part.data for part in parts)
    try:
        whole = zlib.decompress(base64.b64decode(packed))
    except (binascii.Error, zlib.error) as error:
        raise msgspec.DecodeError(f"parts that make no whole: {error}") from error
    return _word.decode(whole)
