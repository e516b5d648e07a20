"""Stripe's objects as they are kept: what is answered, and besides it members that begin with an underscore.

Those are left out of answers; one that `expand` names (`_line_items`) appears under its name without the underscore.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.state import Collection
from sandbox.stripe.errors import invalid, missing

Thing = dict[str, Any]

DEEPEST = 4


def new_id(prefix: str) -> str:
    """An id; of two ids with one prefix the later one sorts behind."""
    return f"{prefix}_{time.time_ns():016x}{secrets.token_hex(6)}"


def now() -> int:
    """Machine time in whole epoch seconds: Stripe knows no business time."""
    return int(time.time())


class Shelf:
    """All things of one kind (`checkout.session`, `refund`), by id."""

    def __init__(self, things: Collection[Thing], kind: str) -> None:
        self._things = things
        self.kind = kind

    def put(self, thing: Thing) -> Thing:
        """Keep a thing."""
        return self._things.put(thing["id"], thing)

    def change(self, thing: Thing, **members: Any) -> Thing:
        """Keep a thing with other members."""
        return self.put({**thing, **members})

    def get(self, id_: str) -> Thing | None:
        """The thing with this id."""
        return self._things.get(id_)

    def need(self, id_: str, param: str = "id") -> Thing:
        """The thing with this id. Raises StripeError naming the parameter it came in."""
        thing = self._things.get(id_)
        if thing is None:
            raise missing(self.kind, id_, param)
        return thing

    def newest_first(self) -> list[Thing]:
        """All of them, the newest first."""
        return sorted(self._things.values(), key=lambda thing: (thing["created"], thing["id"]), reverse=True)

    def clear(self) -> None:
        """Forget all of them."""
        self._things.clear()


def listed(shelf: Shelf, path: str, params: Mapping[str, Any], fits: Callable[[Thing], bool]) -> Thing:
    """A page of the things that fit: `limit` (10), those after `starting_after`. Raises StripeError 400."""
    found = [thing for thing in shelf.newest_first() if fits(thing)]
    if after := params.get("starting_after"):
        shelf.need(after, "starting_after")
        ids = [thing["id"] for thing in found]
        found = found[ids.index(after) + 1 :] if after in ids else []
    limit = params.get("limit", 10)
    return list_of(found[:limit], path, more=len(found) > limit)


def list_of(data: list[Thing], path: str, *, more: bool = False) -> Thing:
    """Stripe's list object."""
    return {"object": "list", "data": data, "has_more": more, "url": path}


def rendered(thing: Thing, expand: Iterable[str], shelves: Mapping[str, Shelf]) -> Thing:
    """A thing as it is answered. `shelves`: where the id in a member of that name is looked up.

    Raises StripeError 400 for a path that can't be expanded.
    """
    for path in expand:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise invalid(f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}")
        thing = _expanded(thing, steps, path, shelves)
    shown: Thing = _shown(thing)
    return shown


def _expanded(value: Any, steps: list[str], path: str, shelves: Mapping[str, Shelf]) -> Any:
    if not steps or value is None:
        return value
    if isinstance(value, list):
        return [_expanded(item, steps, path, shelves) for item in value]
    name = steps[0]
    hidden = f"_{name}"
    if not isinstance(value, dict) or name.startswith("_") or not {name, hidden} & value.keys():
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    found = value[name] if name in value else value[hidden]
    if isinstance(found, str):
        if name not in shelves:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        found = shelves[name].need(found)
    return {**value, name: _expanded(found, steps[1:], path, shelves)}


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items() if not name.startswith("_")}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value
