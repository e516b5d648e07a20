"""How bodies are checked: what Discord names is checked as Discord does, what it doesn't name it ignores.

A rule takes a value, the place it stands at and the list of findings; it gives the value as it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sandbox.discord.errors import DiscordError
from sandbox.http import HttpRequest

Place = tuple[str, ...]


@dataclass
class Findings:
    """What is wrong with a body: (place, Discord's code, sentence)."""

    found: list[tuple[Place, str, str]] = field(default_factory=list)

    def add(self, place: Place, code: str, message: str) -> None:
        """Note one."""
        self.found.append((place, code, message))

    def settle(self) -> None:
        """Raises DiscordError 50035 naming all of them, if there are any."""
        if not self.found:
            return
        errors: dict[str, Any] = {}
        for place, code, message in self.found:
            node = errors
            for step in place:
                node = node.setdefault(step, {})
            node.setdefault("_errors", []).append({"code": code, "message": message})
        raise DiscordError(400, 50035, "Invalid Form Body", errors=errors)


Rule = Callable[[Any, Place, Findings], Any]


async def body_of(request: HttpRequest) -> Any:
    """The decoded JSON body. Raises DiscordError 50109."""
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DiscordError(400, 50109, "The request body contains invalid JSON.") from None


def checked(rule: Rule, body: Any) -> Any:
    """The body as the rule keeps it. Raises DiscordError 50035."""
    findings = Findings()
    kept = rule(body, (), findings)
    findings.settle()
    return kept


def text(most: int, least: int = 0, pattern: str = "") -> Rule:
    """A string of `least` to `most` characters."""

    def check(value: Any, place: Place, findings: Findings) -> Any:
        if not isinstance(value, str):
            findings.add(place, "STRING_TYPE_CONVERT", "Could not interpret value as string.")
        elif len(value) > most:
            findings.add(place, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        elif len(value) < least:
            if value:
                findings.add(place, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
            else:
                findings.add(place, "BASE_TYPE_REQUIRED", "This field is required")
        elif pattern and not re.fullmatch(pattern, value):
            findings.add(place, "STRING_TYPE_REGEX", "String value did not match validation regex.")
        return value

    return check


def whole(least: int, most: int) -> Rule:
    """An integer, also as a string of digits."""

    def check(value: Any, place: Place, findings: Findings) -> Any:
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            findings.add(place, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < least:
            findings.add(place, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
        elif value > most:
            findings.add(place, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
        return value

    return check


def flag(value: Any, place: Place, findings: Findings) -> Any:
    """True or false."""
    if not isinstance(value, bool):
        findings.add(place, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    return value


def snowflake(value: Any, place: Place, findings: Findings) -> Any:
    """An id."""
    text_value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text_value, str) or not re.fullmatch(r"\d{1,20}", text_value):
        findings.add(place, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
    return text_value


def one_of(*choices: Any) -> Rule:
    """One of a few values."""

    def check(value: Any, place: Place, findings: Findings) -> Any:
        if isinstance(value, bool) or value not in choices:
            findings.add(place, "BASE_TYPE_CHOICES", f"Value must be one of {set(choices)}.")
        return value

    return check


def each(rule: Rule, most: int, least: int = 0) -> Rule:
    """A list."""

    def check(value: Any, place: Place, findings: Findings) -> Any:
        if not isinstance(value, list):
            findings.add(place, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return value
        if not least <= len(value) <= most:
            findings.add(place, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        return [rule(item, (*place, str(index)), findings) for index, item in enumerate(value)]

    return check


@dataclass(frozen=True)
class Members:
    """An object's members; those with null count as absent, those that are not named are left out."""

    rules: Mapping[str, Rule]
    required: tuple[str, ...] = ()

    def __call__(self, value: Any, place: Place, findings: Findings) -> Any:
        """The named members."""
        if not isinstance(value, dict):
            findings.add(place, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return value
        given = {name: item for name, item in value.items() if item is not None}
        for name in self.required:
            if name not in given:
                findings.add((*place, name), "BASE_TYPE_REQUIRED", "This field is required")
        return {
            name: self.rules[name](item, (*place, name), findings)
            for name, item in given.items()
            if name in self.rules
        }


def members(required: str = "", **rules: Rule) -> Members:
    """Members by name; `required` lists names separated by spaces."""
    return Members(rules, tuple(required.split()))


def kinds(rules: Mapping[int, Rule]) -> Rule:
    """An object whose `type` says which rule is for it."""

    def check(value: Any, place: Place, findings: Findings) -> Any:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, int) or isinstance(kind, bool) or kind not in rules:
            findings.add(
                (*place, "type"),
                "UNION_TYPE_CHOICES",
                f'Value of field "type" must be one of {tuple(rules)}.',
            )
            return value
        return rules[kind](value, place, findings)

    return check
