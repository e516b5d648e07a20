"""One person's seat in a room, held by one socket: what it makes of what it hears. No I/O.

The larger of two ids of stays is the later one: ids are ordered by time.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import msgspec

from app.video import frames, words
from app.video.frames import Ending, Frame
from app.video.words import Word


@dataclass(frozen=True)
class Tell:
    """Tell the page."""

    frame: Frame


@dataclass(frozen=True)
class Say:
    """Call it out to all processes."""

    word: Word


@dataclass(frozen=True)
class LookUpConsent:
    """Who agrees to a recording has changed."""


Step = Tell | Say | LookUpConsent | Ending


@dataclass(frozen=True)
class Neighbour:
    """The other's stay, and the page they are on."""

    visit: UUID
    page: str


class Seat:
    """Knows who has it, and the latest stay of the other that it heard of."""

    def __init__(self, session_id: UUID, user_id: UUID, visit: UUID, page: str) -> None:
        self.session_id = session_id
        self.user_id = user_id
        self.visit = visit
        self.page = page
        self.other: Neighbour | None = None

    def here(self, *, asking: bool) -> words.Here:
        """That this seat is taken."""
        return words.Here(self.session_id, self.user_id, self.visit, self.page, asking)

    def gone(self, *, left: bool) -> words.Gone:
        """That it isn't any more."""
        return words.Gone(self.session_id, self.user_id, self.visit, left)

    def signal(self, data: bytes) -> words.Signal | None:
        """`data` for the other, None where nobody is there."""
        if self.other is None:
            return None
        return words.Signal(self.session_id, self.visit, self.other.visit, data.decode())

    def hear(self, word: Word) -> list[Step]:
        """What follows from a word about this room."""
        match word:
            case words.Here() if word.user == self.user_id:
                return self._hear_of_myself(word)
            case words.Here():
                return self._hear_of_the_other(word)
            case words.Gone():
                return self._hear_gone(word)
            case words.Signal():
                mine = word.to == self.visit and self.other is not None and word.sender == self.other.visit
                return [Tell(frames.Signaled(msgspec.Raw(word.data.encode())))] if mine else []
            case words.Consent():
                return [LookUpConsent()]

    def compare(self, before: Neighbour | None, present: UUID | None) -> list[Step]:
        """What follows from the database, where `present` is the other's stay, None without one.

        It makes good for words that were never said, by a process that was killed, or not heard. `before`: the other
        as known when the database was asked; what was heard meanwhile is newer than its answer.
        """
        if self.other is not before:
            return []
        if self.other is not None and (present is None or present < self.other.visit):
            self.other = None
            return [Tell(frames.Gone(left=False))]
        if present is not None and (self.other is None or present > self.other.visit):
            return [Say(self.here(asking=True))]
        return []

    def _hear_of_myself(self, word: words.Here) -> list[Step]:
        if word.visit > self.visit:
            return [frames.REPLACED]
        return [Say(self.here(asking=False))] if word.visit < self.visit and word.asking else []

    def _hear_of_the_other(self, word: words.Here) -> list[Step]:
        if self.other is not None and word.visit < self.other.visit:
            return []
        self.other = Neighbour(word.visit, word.page)
        told: list[Step] = [Tell(frames.Other(word.page))]
        # The answer first: what this page signals from now on is for somebody who knows whom it comes from.
        return [Say(self.here(asking=False)), *told] if word.asking else told

    def _hear_gone(self, word: words.Gone) -> list[Step]:
        if word.user == self.user_id or self.other is None or word.visit < self.other.visit:
            return []
        self.other = None
        return [Tell(frames.Gone(word.left))]
