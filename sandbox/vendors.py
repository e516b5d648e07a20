"""Which vendor a request is for, and how that vendor answers when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer: JSON `body` (or None for an empty one)."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Vendor:
    """A stand-in mounted under `/<name>`.

    `is_page` tells its pages for people from the interface that programs use: pages are neither recorded nor
    disturbed. `fault` gives the vendor's own error answer for a status and path. `waits_itself`: its handlers wait
    out the latency while their work is under way, so that two requests can overlap.
    """

    name: str
    is_page: Callable[[str], bool]
    fault: Callable[[int, str], Answer]
    waits_itself: bool = False


def owner_of(path: str, vendors: dict[str, Vendor]) -> tuple[Vendor, str] | None:
    """The vendor that `/<name>/rest` belongs to and its own `/rest`; None for pages and everything else."""
    name, _, rest = path.removeprefix("/").partition("/")
    vendor = vendors.get(name)
    if vendor is None or vendor.is_page("/" + rest):
        return None
    return vendor, "/" + rest
