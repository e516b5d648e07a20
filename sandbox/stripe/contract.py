"""How parameters are checked: every operation lists what it takes, everything else is refused as Stripe does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import StripeError, invalid

# Gives the value with its type, or raises StripeError; the second argument is the parameter's full name.
Rule = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Members:
    """An object's members and which of them must be there."""

    rules: Mapping[str, Rule]
    required: tuple[str, ...] = ()

    def __call__(self, value: Any, name: str) -> dict[str, Any]:
        """The typed members. Raises StripeError 400."""
        if not isinstance(value, dict):
            raise invalid("Invalid object", name)
        for key in value:
            if key not in self.rules:
                unknown = _inside(name, key)
                raise invalid(f"Received unknown parameter: {unknown}", unknown, "parameter_unknown")
        for key in self.required:
            if key not in value:
                wanted = _inside(name, key)
                raise invalid(f"Missing required param: {wanted}.", wanted, "parameter_missing")
        return {key: self.rules[key](item, _inside(name, key)) for key, item in value.items()}


def _inside(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


def text(most: int = 5000, pattern: str = "") -> Rule:
    """A string that is not empty."""

    def check(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise invalid("Invalid string", name)
        if not value:
            raise invalid(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{name}' cannot be unset.",
                name,
                "parameter_invalid_empty",
            )
        if len(value) > most:
            raise invalid(f"Invalid string; must be at most {most} characters", name)
        if pattern and not re.fullmatch(pattern, value):
            raise invalid(f"Invalid {name}: {value}", name)
        return value

    return check


def whole(least: int = 0, most: int = 10**12) -> Rule:
    """An integer."""

    def check(value: Any, name: str) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,15}", value):
            raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
        number = int(value)
        if number < least:
            raise invalid(
                f"This value must be greater than or equal to {least}.", name, "parameter_invalid_integer"
            )
        if number > most:
            raise invalid(
                f"This value must be less than or equal to {most}.", name, "parameter_invalid_integer"
            )
        return number

    return check


def percent(value: Any, name: str) -> float:
    """More than 0 and at most 100, two decimals at most."""
    if (
        not isinstance(value, str)
        or not re.fullmatch(r"\d{1,3}(\.\d{1,2}0*)?", value)
        or not 0 < float(value) <= 100
    ):
        raise invalid(f"Invalid {name}: {value}", name)
    return float(value)


def flag(value: Any, name: str) -> bool:
    """`true` or `false`."""
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", name)
    return bool(value == "true")


def one_of(*choices: str) -> Rule:
    """One of a few words."""

    def check(value: Any, name: str) -> str:
        if value not in choices:
            raise invalid(f"Invalid {name}: must be one of {', '.join(choices)}", name)
        return str(value)

    return check


@dataclass(frozen=True)
class Many:
    """A list of at most `most` items."""

    rule: Rule
    most: int = 100

    def __call__(self, value: Any, name: str) -> list[Any]:
        """The typed items. Raises StripeError 400."""
        if not isinstance(value, dict) or not all(re.fullmatch(r"\d{1,4}", key) for key in value):
            raise invalid("Invalid array", name)
        if len(value) > self.most:
            raise invalid(f"Array {name} exceeded maximum {self.most} allowed elements.", name)
        return [self.rule(value[key], f"{name}[{key}]") for key in sorted(value, key=int)]


def metadata(value: Any, name: str) -> dict[str, str]:
    """At most 50 keys of 40 characters with values of 500."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise invalid(f"Invalid {name}: must be an object of strings", name)
    if len(value) > 50:
        raise invalid("You can have up to 50 metadata keys.", name)
    for key, item in value.items():
        if len(key) > 40:
            raise invalid(f"Metadata keys can have up to 40 characters: {key}", name)
        if len(item) > 500:
            raise invalid(f"Metadata values can have up to 500 characters, but you passed {len(item)}.", name)
    return dict(value)


currency: Rule = text(3, "[A-Za-z]{3}")
url: Rule = text(5000, r"https?://[^\s/?#]+\S*")
email: Rule = text(512, r"[^@\s]+@[^@\s]+")
PAGING: dict[str, Rule] = {"limit": whole(1, 100), "starting_after": text()}


def members(required: str = "", **rules: Rule) -> Members:
    """Members by name; `required` lists names separated by spaces."""
    return Members(rules, tuple(required.split()))


def check(shape: Members, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an operation; every one takes `expand`. Raises StripeError 400."""
    expand = Many(text(), 20)
    return Members({**shape.rules, "expand": expand}, shape.required)(given, "")


def exactly_one(given: dict[str, Any], where: str, *names: str) -> str:
    """The one of `names` that is given. Raises StripeError 400 for none or several."""
    found = [name for name in names if name in given]
    if len(found) == 1:
        return found[0]
    param = _inside(where, names[0])
    if found:
        raise StripeError(
            400, f"You may only specify one of these parameters: {', '.join(found)}.", param=param
        )
    raise invalid(
        f"You must specify one of these parameters: {', '.join(names)}.", param, "parameter_missing"
    )
