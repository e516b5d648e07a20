"""Partial answers: the `fields` parameter, such as "items(id,start),nextSyncToken" or "items/id"."""

from __future__ import annotations

from typing import Any

from sandbox.google.errors import invalid

Mask = dict[str, "Mask | None"]


def parse(text: str) -> Mask:
    """The mask of a `fields` parameter. Raises GoogleError 400 if it is malformed."""
    mask, rest = _list(text)
    if rest:
        raise invalid(f"Invalid field selection {text}", "fields", "invalidParameter")
    return mask


def _list(text: str) -> tuple[Mask, str]:
    mask: Mask = {}
    while True:
        name, inner, text = _entry(text)
        known = mask.get(name)
        mask[name] = {**known, **inner} if known and inner else inner
        if not text.startswith(","):
            return mask, text
        text = text[1:]


def _entry(text: str) -> tuple[str, Mask | None, str]:
    length = next((i for i, char in enumerate(text) if char in ",()/"), len(text))
    name, rest = text[:length], text[length:]
    if not name:
        raise invalid(f"Invalid field selection {text}", "fields", "invalidParameter")
    if rest.startswith("/"):
        below, inner, rest = _entry(rest[1:])
        return name, {below: inner}, rest
    if rest.startswith("("):
        several, rest = _list(rest[1:])
        if not rest.startswith(")"):
            raise invalid(f"Invalid field selection {text}", "fields", "invalidParameter")
        return name, several, rest[1:]
    return name, None, rest


def apply(mask: Mask | None, value: Any) -> Any:
    """The part of `value` that the mask selects."""
    if mask is None:
        return value
    if isinstance(value, list):
        return [apply(mask, item) for item in value]
    if not isinstance(value, dict):
        return value
    if "*" in mask:
        return {name: apply(mask["*"], item) for name, item in value.items()}
    return {name: apply(mask[name], item) for name, item in value.items() if name in mask}
