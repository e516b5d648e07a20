"""The rules for a message's body: text, embeds, components, mentions."""

from __future__ import annotations

import re
from typing import Any

from sandbox.discord.errors import DiscordError
from sandbox.discord.forms import (
    Findings,
    Members,
    Place,
    Rule,
    checked,
    each,
    flag,
    kinds,
    members,
    one_of,
    snowflake,
    text,
    whole,
)

CONTENT_LENGTH = 2000
ROW, BUTTON, SELECT, USER_SELECT = 1, 2, 3, 5
LINK_STYLE = 5
ADDRESS = r"[a-z]+://\S+"
_URL = text(2048, 1, ADDRESS)
_ID = whole(0, 2**31 - 1)
_CUSTOM_ID = text(100, 1)
_EMOJI = members("name", id=snowflake, name=text(32))
_OPTION = members(
    "label value", label=text(100, 1), value=text(100, 1), description=text(100), default=flag, emoji=_EMOJI
)
_SELECTING: dict[str, Rule] = {
    "type": whole(1, 99),
    "id": _ID,
    "custom_id": _CUSTOM_ID,
    "placeholder": text(150),
    "min_values": whole(0, 25),
    "max_values": whole(1, 25),
    "disabled": flag,
}
_BUTTON = members(
    "type style",
    type=whole(1, 99),
    id=_ID,
    style=one_of(1, 2, 3, 4, 5),
    custom_id=_CUSTOM_ID,
    label=text(80),
    disabled=flag,
    url=text(512, 1, ADDRESS),
    emoji=_EMOJI,
)
_SELECT = Members({**_SELECTING, "options": each(_OPTION, 25, 1)}, ("type", "custom_id", "options"))
_USER_SELECT = Members(_SELECTING, ("type", "custom_id"))
_NAMED = members("name", name=text(256, 1), url=_URL, icon_url=_URL)
_FIELD = members("name value", name=text(256, 1), value=text(1024, 1), inline=flag)
_EMBED = members(
    title=text(256),
    description=text(4096),
    url=_URL,
    color=whole(0, 0xFFFFFF),
    timestamp=text(40, 1, r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*"),
    author=_NAMED,
    footer=members("text", text=text(2048, 1), icon_url=_URL),
    fields=each(_FIELD, 25),
    image=members("url", url=_URL),
    thumbnail=members("url", url=_URL),
)
_MENTIONS = members(
    parse=each(one_of("users", "roles", "everyone"), 3),
    users=each(snowflake, 100),
    roles=each(snowflake, 100),
    replied_user=flag,
)


def button(value: Any, place: Place, findings: Findings) -> Any:
    """A button: with a link, or with an id that comes back when it is clicked."""
    kept = _BUTTON(value, place, findings)
    is_link = kept.get("style") == LINK_STYLE
    wanted, other = ("url", "custom_id") if is_link else ("custom_id", "url")
    if wanted not in kept:
        findings.add((*place, wanted), "BASE_TYPE_REQUIRED", "This field is required")
    if other in kept:
        findings.add(
            place,
            "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
            "A custom id and url cannot both be specified",
        )
    if not kept.get("label") and "emoji" not in kept:
        findings.add(place, "BUTTON_COMPONENT_INVALID_LABEL", "A button must have a label or an emoji")
    return kept


def select(value: Any, place: Place, findings: Findings) -> Any:
    """A select menu of strings."""
    kept = _SELECT(value, place, findings)
    options = kept.get("options")
    values = (
        [option.get("value") for option in options if isinstance(option, dict)]
        if isinstance(options, list)
        else []
    )
    if len(values) != len(set(map(str, values))):
        findings.add(
            (*place, "options"),
            "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
            "The specified option value is already used",
        )
    most = kept.get("max_values", 1)
    if isinstance(most, int) and (most > len(values) or kept.get("min_values", 1) > most):
        findings.add(
            (*place, "max_values"),
            "BASE_TYPE_BAD_LENGTH",
            "max_values fits neither the options nor min_values",
        )
    return kept


_IN_ROW = kinds({BUTTON: button, SELECT: select, USER_SELECT: _USER_SELECT})
_ROW = members("type components", type=whole(1, 99), id=_ID, components=each(_IN_ROW, 5, 1))


def row(value: Any, place: Place, findings: Findings) -> Any:
    """A row: up to five buttons, or one select menu."""
    kept = _ROW(value, place, findings)
    inside = kept.get("components")
    if isinstance(inside, list) and len(inside) > 1 and any(_kind(item) != BUTTON for item in inside):
        findings.add(
            (*place, "components"),
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The specified component exceeds the maximum width",
        )
    return kept


def _kind(item: Any) -> Any:
    return item.get("type") if isinstance(item, dict) else None


MESSAGE: dict[str, Rule] = {
    "content": text(CONTENT_LENGTH),
    "embeds": each(_EMBED, 10),
    "components": each(kinds({ROW: row}), 5),
    "flags": whole(0, 2**31 - 1),
    "allowed_mentions": _MENTIONS,
    "tts": flag,
    "attachments": each(members(), 0),
}


def nonce(value: Any, place: Place, findings: Findings) -> Any:
    """A nonce: an integer, or up to 25 characters."""
    return (
        value if isinstance(value, int) and not isinstance(value, bool) else text(25)(value, place, findings)
    )


CREATE = Members({**MESSAGE, "nonce": nonce, "enforce_nonce": flag})
EDIT = Members(MESSAGE)


def message_body(rule: Rule, body: Any) -> dict[str, Any]:
    """A message's members; a null means as much as an empty one. Raises DiscordError 50035."""
    kept: dict[str, Any] = checked(rule, body)
    empty: dict[str, Any] = {"content": "", "embeds": [], "components": []}
    kept |= {name: value for name, value in empty.items() if name in body and body[name] is None}
    if "components" in kept:
        kept["components"] = numbered(kept["components"])
    return kept


def require_something(members_: dict[str, Any]) -> None:
    """Raises DiscordError 50006 for a message that shows nothing."""
    if not (members_.get("content", "").strip() or members_.get("embeds") or members_.get("components")):
        raise DiscordError(400, 50006, "Cannot send an empty message")


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The components with the ids and defaults that Discord gives them. Raises DiscordError 50035 for a twin."""
    findings, seen, number, kept = Findings(), set[str](), 0, []
    for at, line in enumerate(rows):
        number += 1
        inside = []
        row_id = line.get("id") or number
        for place, item in enumerate(line["components"]):
            number += 1
            if item.get("custom_id") in seen:
                where = ("components", str(at), "components", str(place), "custom_id")
                findings.add(
                    where, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
                )
            seen |= {item["custom_id"]} if "custom_id" in item else set()
            defaults = {"min_values": 1, "max_values": 1} if item["type"] != BUTTON else {}
            inside.append({**defaults, **item, "id": item.get("id") or number})
        kept.append({"type": ROW, "id": row_id, "components": inside})
    findings.settle()
    return kept


def embed_shown(embed: dict[str, Any]) -> dict[str, Any]:
    """An embed as it is answered."""
    fields = [{"inline": False, **item} for item in embed.get("fields", [])]
    return {"type": "rich", **embed, **({"fields": fields} if fields else {})}


def mentioned(content: str, allowed: dict[str, Any] | None) -> tuple[list[str], list[str], bool]:
    """Whom a text calls, of those that `allowed` lets it: (users' ids, roles' ids, everybody)."""
    parse = ("users", "roles", "everyone") if allowed is None else allowed.get("parse", ())
    users = list(dict.fromkeys(re.findall(r"<@!?(\d+)>", content)))
    roles = list(dict.fromkeys(re.findall(r"<@&(\d+)>", content)))
    named = allowed or {}
    return (
        [id_ for id_ in users if "users" in parse or id_ in named.get("users", ())],
        [id_ for id_ in roles if "roles" in parse or id_ in named.get("roles", ())],
        "everyone" in parse and bool(re.search(r"@(everyone|here)\b", content)),
    )
