"""What the bot answers: a text with menus and buttons below it, as plain values; and the words that all answers share.

A text is Discord's markdown, so that names of people go through `name`. Labels of menus and buttons are plain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from app.notifications import markdown

LABEL: Final = 100
"""Characters of an option's label, of its description, of a menu's placeholder."""
BUTTON_LABEL: Final = 80
OPTIONS: Final = 25
"""Options of a menu."""
BUTTONS: Final = 5
"""Buttons of a row."""
ROOM: Final = 200
"""Characters kept for what stands below a list."""


@dataclass(frozen=True)
class Option:
    """One choice of a menu; `chosen` is shown as what was picked last."""

    label: str
    value: str
    about: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Menu:
    """A menu with up to 25 options, of which one is picked."""

    custom_id: str
    placeholder: str
    options: Sequence[Option]


@dataclass(frozen=True)
class Button:
    """Does something (`custom_id`) or leads somewhere (`url`). `danger`: what is lost by it."""

    label: str
    custom_id: str = ""
    url: str = ""
    danger: bool = False


Row: TypeAlias = Menu | Sequence[Button]


@dataclass(frozen=True)
class Reply:
    """An answer; it replaces what the message held before."""

    text: str
    rows: Sequence[Row] = field(default=())


@dataclass(frozen=True)
class Page:
    """Some of many, at most as many as a menu holds; `before` and `after`: where the neighbours begin."""

    first: int
    last: int
    before: int | None
    after: int | None


def page_from(first: int, count: int) -> Page:
    """The page of `count` items that begins at `first`, or near it where there is nothing."""
    first = max(0, min(first, count - 1))
    last = min(first + OPTIONS, count)
    return Page(first, last, max(0, first - OPTIONS) if first else None, last if last < count else None)


def name(text: str) -> str:
    """A person's name in a message: it can't mark up anything, mention anybody or be a link."""
    return markdown.escape(" ".join(text.split()))


def label(text: str, longest: int = LABEL) -> str:
    """A text for a menu or button, shortened where Discord would refuse it."""
    return markdown.shorten(" ".join(text.split()), longest)


def time(instant: datetime, style: str = "F") -> str:
    """An instant, shown to each reader in their own zone and language. `F`: day and time; `t`: time; `R`: relative."""
    return markdown.timestamp(instant, style)


def lines(title: str, rows: Sequence[str], more: Callable[[int], str]) -> str:
    """A list as a message holds it; `more` says in a line of its own how many didn't fit."""
    shown, left = [title], markdown.LONGEST - markdown.length(title) - ROOM
    for index, row in enumerate(rows):
        left -= markdown.length(row) + 3
        if left < 0:
            return "\n".join([*shown, more(len(rows) - index)])
        shown.append(f"- {row}")
    return "\n".join(shown)


def sessions(count: int) -> str:
    """`1 session`, `3 sessions`, `no sessions`."""
    return f"{count or 'no'} session{'' if count == 1 else 's'}"
