"""The words of every message on Discord: what the mail says, in Discord's form, whatever names people have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from jinja2 import Environment, StrictUndefined

from app.core import clock
from app.core.ids import new_id
from app.notifications import markdown
from app.notifications.catalogue import CATALOGUE
from app.notifications.messages import Contact, Message
from app.notifications.messenger import Messenger
from app.notifications.models import Channel
from app.notifications.rendering import for_discord, render_direct
from app.settings import Settings
from tests.notifications.examples import AWAY, AWAY_SESSIONS, REQUIRED, SESSION, START, examples

EXAMPLES = [(kind, context) for kind, context in examples() if Channel.DISCORD in CATALOGUE[kind].channels]
NAMES = [f"{kind}-{number}" for number, (kind, _) in enumerate(EXAMPLES)]
NASTY = "@everyone <@100000000000000001> **Bo** [x](https://evil.test) `c` ||s|| ~~_i_~~ :tada: <t:1:R>"
TIME = re.compile(r"<t:\d+:[FDt]>")
OUR_LINK = re.compile(r"http://127\.0\.0\.1:8000/\S*")


@pytest.fixture(autouse=True)
def _three_days_before() -> Iterator[None]:
    with clock.standing_at(START - timedelta(days=3)):
        yield


@pytest.fixture(scope="module")
def templates() -> Environment:
    """The platform's environment for Discord, where a misspelt variable is an error."""
    return for_discord(Settings()).overlay(undefined=StrictUndefined)


@pytest.fixture(scope="module")
def messenger() -> Messenger:
    return Messenger.of(Settings())


def written(messenger: Messenger, kind: str, context: dict[str, Any]) -> dict[str, Any]:
    return messenger.write(kind, Message(new_id(), "ana@example.test", context), Contact("1"))


def with_names(value: Any, name: str) -> Any:
    """The context with that name wherever somebody, or somebody's words, are named."""
    if isinstance(value, dict):
        return {
            key: name
            if key.endswith(("name", "reason", "title", "what")) and isinstance(inner, str)
            else with_names(inner, name)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [with_names(one, name) for one in value]
    return value


def test_every_kind_for_discord_has_an_example() -> None:
    assert {kind for kind, _ in EXAMPLES} == {
        kind.name for kind in CATALOGUE.values() if Channel.DISCORD in kind.channels
    }


@pytest.mark.parametrize(("kind", "context"), EXAMPLES, ids=NAMES)
def test_every_message_reads_well(templates: Environment, kind: str, context: dict[str, Any]) -> None:
    text = render_direct(templates, kind, context)
    title, gap, rest = text.partition("\n\n")
    assert re.fullmatch(r"\*\*[^\n]+\*\*", title)
    assert gap
    assert rest
    assert not re.search(r"\bNone\b|Undefined|&#|&lt;|&amp;|[{}]|please be advised", text), text
    assert not re.search(r"Hello |Just answer|attached|this mail|Turn this kind off", text), text
    assert "\n\n\n" not in text
    assert not re.search(r"\d\d:\d\d|America/New_York|Tue 24 Nov", OUR_LINK.sub("", text)), (
        "times are the reader's"
    )
    if "start" in context:
        assert TIME.search(text)


@pytest.mark.parametrize(("kind", "context"), EXAMPLES, ids=NAMES)
def test_every_message_leads_somewhere(messenger: Messenger, kind: str, context: dict[str, Any]) -> None:
    body = written(messenger, kind, context)
    assert 0 < markdown.length(body["content"]) <= markdown.LONGEST
    assert body["content"].strip() == body["content"]
    if body["button"]:
        assert OUR_LINK.fullmatch(body["button"]["url"])
        assert not OUR_LINK.search(body["content"])
        assert re.fullmatch(r"[^\\\n]{2,80}", body["button"]["label"])
    else:
        assert OUR_LINK.search(body["content"])


@pytest.mark.parametrize(("kind", "context"), EXAMPLES, ids=NAMES)
def test_names_break_nothing_and_mention_nobody(
    templates: Environment, kind: str, context: dict[str, Any]
) -> None:
    plain = render_direct(templates, kind, with_names(context, "Bo"))
    nasty = render_direct(templates, kind, with_names(context, NASTY))
    assert nasty.replace(markdown.escape(NASTY), "Bo") == plain
    assert "@everyone" not in nasty
    assert not re.search(r"(?<!\\)<[@#:]", nasty)


def test_most_messages_have_a_button(messenger: Messenger) -> None:
    """Those that lead to one place; the others keep their links where they belong."""
    without = {kind for kind, context in EXAMPLES if not written(messenger, kind, context)["button"]}
    assert "session_booked" not in without
    assert {"mentor_away", "testimonial_approved"} <= without


def test_a_booked_session_as_a_whole(messenger: Messenger) -> None:
    body = written(messenger, "session_booked", SESSION | {"other_name": "Inês <Duarte>", "sessions_left": 2})
    assert body["content"] == (
        "**Booked with Inês \\<Duarte\\>: <t:1795530600:F>**\n\n"
        "Your session with Inês \\<Duarte\\> is booked:\n\n"
        "<t:1795530600:D>, <t:1795530600:t> – <t:1795534200:t>\nIn 3 days.\n\n"
        "You can move or cancel it until 24 hours before the start; later the session counts as used."
        " You have 2 sessions left with Inês \\<Duarte\\>."
    )
    assert body["button"] == {"label": "See, move or cancel it", "url": SESSION["link"]}


def test_however_long_it_is_discord_takes_it(messenger: Messenger) -> None:
    long = AWAY | {"sessions": AWAY_SESSIONS * 20, "days_added": 1, "expires_at": START}
    body = written(messenger, "mentor_away", long)
    assert markdown.length(body["content"]) <= markdown.LONGEST
    assert body["content"].endswith("…")
    wordy = REQUIRED["pack_adjusted"] | {"reason": "*" * 1900}
    assert markdown.length(written(messenger, "pack_adjusted", wordy)["content"]) <= markdown.LONGEST
