"""How often something may happen: bursts up to a limit, and so many a second for long. Pure; seconds of any clock."""

from __future__ import annotations


class Bucket:
    """Holds `size` drops at first and regains `per_second`; each time takes one."""

    def __init__(self, size: int, per_second: float, now: float) -> None:
        self._size = size
        self._per_second = per_second
        self._drops = float(size)
        self._at = now

    def take(self, now: float) -> bool:
        """Take a drop; False where none is left."""
        self._drops = min(self._size, self._drops + (now - self._at) * self._per_second)
        self._at = now
        if self._drops < 1:
            return False
        self._drops -= 1
        return True
