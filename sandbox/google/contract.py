"""What Google's published discovery document says about operations, parameters, bodies and scopes.

The document is the one inside the client library, so the sandbox refuses by Google's own description.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import googleapiclient

from sandbox.google import times
from sandbox.google.errors import GoogleError, invalid

_DOCUMENT = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "calendar.v3.json"
_ANYWHERE = {"access_token", "callback", "$.xgafv"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Calendar v3's discovery document."""
    loaded: dict[str, Any] = json.loads(_DOCUMENT.read_text())
    return loaded


@lru_cache
def operation(name: str) -> dict[str, Any]:
    """An operation by its id without the service: "events.list"."""
    resource, _, method = name.partition(".")
    found: dict[str, Any] = document()["resources"][resource]["methods"][method]
    return found


@lru_cache
def scopes_of(name: str) -> frozenset[str]:
    """The scopes of which any one allows the operation."""
    return frozenset(operation(name)["scopes"])


@lru_cache(maxsize=1)
def known_scopes() -> frozenset[str]:
    """Every scope of the Calendar interface."""
    return frozenset(document()["auth"]["oauth2"]["scopes"])


def check_query(name: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The query parameters with their types: bool, int, str, or a list of str where repeated.

    Raises GoogleError 400 for an unknown name, a repeated single parameter or a value of the wrong type.
    """
    declared = operation(name).get("parameters", {})
    values: dict[str, Any] = {}
    for key, text in pairs:
        if key in document()["parameters"] or key in _ANYWHERE:
            values[key] = text
            continue
        rule = declared.get(key)
        if rule is None or rule["location"] != "query":
            raise invalid(
                f'Invalid JSON payload received. Unknown name "{key}": Cannot bind query parameter. '
                f"Field '{key}' could not be found in request message.",
                key,
                "badRequest",
            )
        value = _typed(key, text, rule)
        if rule.get("repeated"):
            values.setdefault(key, []).append(value)
        elif key in values:
            raise invalid(f"Parameter {key} is given twice", key)
        else:
            values[key] = value
    return values


def _typed(key: str, text: str, rule: dict[str, Any]) -> Any:
    if "enum" in rule and text not in rule["enum"]:
        raise invalid(
            f"Invalid value '{text}'. Values must be one of: {rule['enum']}", key, "invalidParameter"
        )
    if rule["type"] == "boolean":
        if text.lower() not in ("true", "false"):
            raise invalid(f"Invalid boolean value: '{text}'.", key, "invalidParameter")
        return text.lower() == "true"
    if rule["type"] == "integer":
        if not re.fullmatch(r"-?\d{1,10}", text):
            raise invalid(f"Invalid integer value: '{text}'.", key, "invalidParameter")
        return _in_range(key, int(text), rule)
    return text


def _in_range(key: str, number: int, rule: dict[str, Any]) -> int:
    if number < int(rule.get("minimum", number)):
        raise invalid(f"Invalid value '{number}'. The minimum is {rule['minimum']}.", key, "invalidParameter")
    return number


def check_body(schema: str, body: Any) -> dict[str, Any]:
    """The body as it is. Raises GoogleError 400 if a member is unknown or has the wrong type."""
    if not isinstance(body, dict):
        raise GoogleError(400, "parseError", "This API does not support parsing form-encoded input.")
    _check({"$ref": schema}, body, schema.lower())
    return body


def _check(rule: dict[str, Any], value: Any, where: str) -> None:
    if "$ref" in rule:
        rule = document()["schemas"][rule["$ref"]]
    if value is None:
        return
    kind = rule.get("type", "any")
    if kind == "string" and rule.get("format") == "int64" and isinstance(value, int):
        return
    if kind in _TYPES and (
        not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")
    ):
        raise invalid(f"Invalid value at '{where}' (TYPE_{kind.upper()}), {json.dumps(value)}")
    if kind == "array":
        for index, item in enumerate(value):
            if item is None:
                raise invalid(f"Invalid value at '{where}[{index}]': null")
            _check(rule["items"], item, f"{where}[{index}]")
    elif kind == "object":
        _check_members(rule, value, where)
    elif rule.get("format") == "date":
        _check_date(value, where)


def _check_members(rule: dict[str, Any], value: dict[str, Any], where: str) -> None:
    named, rest = rule.get("properties", {}), rule.get("additionalProperties")
    for name, item in value.items():
        member = named.get(name, rest)
        if member is None:
            raise invalid(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field.",
                reason="badRequest",
            )
        _check(member, item, f"{where}.{name}")


def _check_date(value: str, where: str) -> None:
    try:
        times.day_start(value, "UTC")
    except ValueError:
        raise invalid(f"Invalid value at '{where}': {value!r} is not a date") from None
