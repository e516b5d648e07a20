"""Business time: machine time plus an offset that all of the platform's processes read from one file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path


class BackwardsError(Exception):
    """Business time was asked to go back; the message says from where to where."""


class BusinessClock:
    """The only writer of the offset file `{"offset_seconds": number}`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def offset(self) -> timedelta:
        """How far business time is ahead of machine time; none while the file does not exist."""
        try:
            return timedelta(seconds=float(json.loads(self._file.read_text())["offset_seconds"]))
        except FileNotFoundError:
            return timedelta()

    def now(self) -> datetime:
        """Business time as an aware UTC datetime."""
        return datetime.now(UTC) + self.offset

    def move_to(self, instant: datetime) -> None:
        """Let business time be `instant` (aware) from now on. Raises BackwardsError if that lies in its past."""
        now = self.now()
        if instant < now:
            raise BackwardsError(
                f"business time is {now.isoformat()} and can't go back to {instant.isoformat()}"
            )
        self.reach(instant)

    def reach(self, instant: datetime) -> None:
        """Let business time be `instant` (aware), or leave it where it is if it has got there by itself."""
        self._write(max(self.offset, instant - datetime.now(UTC)))

    def _write(self, offset: timedelta) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(self._file.name + ".new")
        draft.write_text(json.dumps({"offset_seconds": offset.total_seconds()}))
        draft.replace(self._file)
