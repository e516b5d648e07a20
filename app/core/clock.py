"""Business time. In the sandbox a file moves it forward; machine time rules TLS, OAuth, web sessions and limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

_NONE = timedelta()
_standing_at: ContextVar[datetime | None] = ContextVar("_standing_at", default=None)


class Clock:
    """Business time of one process: machine time plus the offset that a file holds, re-read when the file changes."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._seen = 0
        self._offset = _NONE

    def follow(self, file: str) -> None:
        """Follow the offset in `file`, a JSON object `{"offset_seconds": number}`; empty: machine time."""
        self._file = Path(file) if file else None
        self._seen, self._offset = 0, _NONE

    def now(self) -> datetime:
        """Business time as an aware UTC datetime."""
        standing = _standing_at.get()
        if standing is not None:
            return standing
        if self._file is not None:
            self._read(self._file)
        return datetime.now(UTC) + self._offset

    def _read(self, file: Path) -> None:
        try:
            changed = file.stat().st_mtime_ns
            if changed != self._seen:
                self._offset = timedelta(seconds=float(json.loads(file.read_text())["offset_seconds"]))
                self._seen = changed
        except FileNotFoundError:
            self._seen, self._offset = 0, _NONE


@contextmanager
def standing_at(instant: datetime) -> Iterator[None]:
    """Business time stands still at `instant` for the code inside: how demo data gets a past."""
    token = _standing_at.set(instant)
    try:
        yield
    finally:
        _standing_at.reset(token)


_clock = Clock()
now = _clock.now
follow = _clock.follow
