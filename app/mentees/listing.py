"""The list of a mentor's mentees: who is shown, in which order, on which page, and the address that says so. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from app.mentees.relations import MENTEE_SEATS, Relation

PATH: Final = "/instructor/students"
PER_PAGE: Final = 25
SHOWN: Final = {"": "Active", "former": "Former", "all": "All"}
SORTS: Final = {
    "name": "Name",
    "left": "Fewest left",
    "last": "Last session",
    "next": "Next session",
    "ends": "Pack ends",
}
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Wish(msgspec.Struct, frozen=True):
    """What the address asks for, understood; `note`: what of it wasn't."""

    words: str = ""
    show: str = ""
    sort: str = "name"
    page: int = 1
    note: str | None = None

    def href(self, **changes: Any) -> str:
        """The address of this list with some of it changed; everything but the page starts at the first one."""
        wish = msgspec.structs.replace(self, **({"page": 1} | changes))
        query = {"q": wish.words, "show": wish.show, "sort": wish.sort if wish.sort != "name" else ""}
        query |= {"page": str(wish.page) if wish.page > 1 else ""}
        given = urlencode({name: value for name, value in query.items() if value})
        return f"{PATH}?{given}" if given else PATH


class Listed(msgspec.Struct, frozen=True):
    """One page of the list. `counts`: how many there are of each of SHOWN, whatever is searched for."""

    wish: Wish
    relations: list[Relation]
    total: int
    counts: dict[str, int]


def understood(words: str, show: str, sort: str, page: str) -> Wish:
    """The wish that an address spells; what it spells wrong becomes the usual, with a note that says so."""
    unknown = [
        what for what, bad in (("a filter", show not in SHOWN), ("an order", sort not in SORTS)) if bad
    ]
    number = int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 6 else 0
    if not number:
        unknown.append("a page")
    return Wish(
        words=" ".join(words.split())[:100],
        show=show if show in SHOWN else "",
        sort=sort if sort in SORTS else "name",
        page=number if not unknown else 1,
        note=_note(unknown),
    )


def _note(unknown: Sequence[str]) -> str | None:
    if not unknown:
        return None
    return f"That address names {' and '.join(unknown)} that isn’t there; this is the first page."


def listed(every: Sequence[Relation], wish: Wish) -> Listed:
    """The page of `every` relation of a mentor that `wish` asks for; a page beyond the last is the first, noted."""
    found = [
        relation for relation in every if _is_shown(relation, wish.show) and _is_meant(relation, wish.words)
    ]
    found.sort(key=_ORDERS[wish.sort])
    if wish.show == "all":
        found.sort(key=_is_former)  # stable: mentees of today come first, each half in its order
    first = (wish.page - 1) * PER_PAGE
    if first and first >= len(found):
        wish = msgspec.structs.replace(wish, page=1, note=_note(["a page"]))
        first = 0
    counts = {show: sum(_is_shown(relation, show) for relation in every) for show in SHOWN}
    return Listed(wish, found[first : first + PER_PAGE], len(found), counts)


def _is_former(relation: Relation) -> bool:
    return relation.seat_status not in MENTEE_SEATS


def _is_shown(relation: Relation, show: str) -> bool:
    return show == "all" or _is_former(relation) == (show == "former")


def _is_meant(relation: Relation, words: str) -> bool:
    return words.casefold() in relation.student_name.casefold()


def _by_name(relation: Relation) -> tuple[str, str]:
    return relation.student_name.casefold(), str(relation.student_id)


_ORDERS: Final[dict[str, Callable[[Relation], Any]]] = {
    "name": _by_name,
    "left": lambda relation: (relation.remaining, *_by_name(relation)),
    "last": lambda relation: (-(relation.last_session or _LONG_AGO).timestamp(), *_by_name(relation)),
    "next": lambda relation: (relation.next_session or _NEVER, *_by_name(relation)),
    "ends": lambda relation: (relation.pack_expires_at or _NEVER, *_by_name(relation)),
}
