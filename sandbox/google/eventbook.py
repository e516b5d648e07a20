"""What the calendars hold, and in which order it changed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import msgspec

from sandbox.state import Collection, Store

Body = dict[str, Any]


class StoredEvent(msgspec.Struct, frozen=True):
    """One event, series or exception to a series.

    `start` and `end` are epoch seconds, `seq` is the number of its last change. An exception names its `master` and
    the `original` start of the instance it stands for. `gone` marks an instance that a change to its series
    abolished: it is told to those who synchronise, and else does not exist.
    """

    calendar: str
    id: str
    seq: int
    start: int
    end: int
    body: Body
    master: str = ""
    original: int = 0
    gone: bool = False

    @property
    def cancelled(self) -> bool:
        """True if it was deleted."""
        return bool(self.body["status"] == "cancelled")

    @property
    def recurring(self) -> bool:
        """True for a series."""
        return "recurrence" in self.body


class EventBook:
    """All events of all calendars. `epoch` changes when what was told before is no longer comparable."""

    def __init__(self, store: Store) -> None:
        self._stored: Collection[StoredEvent] = store.collection("google.events", StoredEvent)
        self._marks: Collection[str] = store.collection("google.epochs", str)
        self._calendars: dict[str, dict[str, StoredEvent]] = {}
        self._exceptions: dict[tuple[str, str], dict[int, StoredEvent]] = {}
        self.last = 0
        for event in self._stored.values():
            self._index(event)

    def epoch(self, calendar: str) -> str:
        """The mark that sync tokens of the calendar carry."""
        return self._marks.get(calendar) or self.make_stale(calendar)

    def make_stale(self, calendar: str) -> str:
        """Make every sync token handed out for the calendar so far useless; gives the new mark."""
        return self._marks.put(calendar, secrets.token_hex(4))

    def get(self, calendar: str, event_id: str) -> StoredEvent | None:
        """The event with this id, deleted ones included."""
        return self._calendars.get(calendar, {}).get(event_id)

    def all(self, calendar: str) -> list[StoredEvent]:
        """Everything the calendar holds, deleted ones included."""
        return list(self._calendars.get(calendar, {}).values())

    def exceptions(self, calendar: str, master: str) -> dict[int, StoredEvent]:
        """The exceptions to a series by the original start of the instance they stand for."""
        return self._exceptions.get((calendar, master), {})

    def put(self, event: StoredEvent) -> StoredEvent:
        """Keep an event as the newest change; gives it back with its number."""
        numbered = msgspec.structs.replace(event, seq=self.last + 1)
        self._stored.put(f"{event.calendar}/{event.id}", numbered)
        self._index(numbered)
        return numbered

    def empty(self, calendar: str) -> None:
        """Forget all that one calendar held; its sync tokens become useless."""
        for event_id in self._calendars.pop(calendar, {}):
            self._stored.drop(f"{calendar}/{event_id}")
        self._exceptions = {key: known for key, known in self._exceptions.items() if key[0] != calendar}
        self.make_stale(calendar)

    def clear(self) -> None:
        """Forget everything; numbers go on rising."""
        self._stored.clear()
        self._marks.clear()
        self._calendars.clear()
        self._exceptions.clear()

    def changed_since(self, calendar: str, seq: int) -> Iterator[StoredEvent]:
        """Events whose last change is newer than `seq`."""
        return (event for event in self.all(calendar) if event.seq > seq)

    def _index(self, event: StoredEvent) -> None:
        self.last = max(self.last, event.seq)
        self._calendars.setdefault(event.calendar, {})[event.id] = event
        if event.master:
            self._exceptions.setdefault((event.calendar, event.master), {})[event.original] = event
