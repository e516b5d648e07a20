"""Text for Discord: whatever people type is shown as it is, mentions nobody, and fits."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.ids import new_id
from app.notifications import markdown
from app.notifications.messenger import nonce, with_button

# What begins something in Discord's markdown, when no backslash stands before it.
MEANS_SOMETHING = re.compile(r"(?<!\\)(?:\\\\)*[*_~`|<>\[\]#:@]")
HOME = "http://127.0.0.1:8000"


@given(st.text())
@example("@everyone <@123> <@&5> <#7> **b** __u__ ~~s~~ ||x|| `c` [a](http://x.test) :tada: <t:1:R> \\*")
def test_typed_text_means_nothing(text: str) -> None:
    safe = markdown.escape(text)
    assert not MEANS_SOMETHING.search(safe)
    assert "@everyone" not in safe
    assert "@here" not in safe


@given(st.text())
def test_typed_text_is_shown_as_it_is(text: str) -> None:
    assert markdown.plain(markdown.escape(text)) == text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("- no list", r"\- no list"),
        ("+ no list", r"\+ no list"),
        ("12. no list", r"12\. no list"),
        ("first\n- second", "first\n" + r"\- second"),
        ("# no heading", r"\# no heading"),
        ("-# not small", r"-\# not small"),
        ("> no quote", r"\> no quote"),
        ("-€48.00 at 3.5", "-€48.00 at 3.5"),
        ("Ana O'Neill, so to speak (really)!", "Ana O'Neill, so to speak (really)!"),
    ],
)
def test_lines_begin_nothing(typed: str, kept: str) -> None:
    assert markdown.escape(typed) == kept


@pytest.mark.parametrize("link", [HOME, f"{HOME}/calendar?mentor_id=0198&a_b=c#top", f"{HOME}/a_b_c"])
def test_our_links_are_ours(link: str) -> None:
    assert markdown.is_our_link(link, f"{HOME}/")


@pytest.mark.parametrize(
    "other",
    [
        "https://elsewhere.test/",
        f"{HOME}.elsewhere.test/",
        f"{HOME}1/",
        f"{HOME}/ @everyone",
        f"{HOME}/@everyone",
        f"{HOME}/**b**",
        f"x {HOME}/",
    ],
)
def test_others_are_not(other: str) -> None:
    assert not markdown.is_our_link(other, HOME)


def test_an_instant_is_the_readers() -> None:
    assert markdown.timestamp(datetime(2026, 11, 24, 14, 30, tzinfo=UTC), "F") == "<t:1795530600:F>"


@given(st.text(), st.integers(10, 60))
@example("😀" * 40, 20)
@example("word " * 30, 20)
def test_it_fits(text: str, longest: int) -> None:
    short = markdown.shorten(text, longest)
    assert markdown.length(short) <= longest
    assert short == text or short.endswith("…")
    assert short == text or text.startswith(short.removesuffix("…").rstrip())


def test_no_half_of_anything_is_left() -> None:
    assert markdown.shorten(markdown.escape("*" * 40), 20) == r"\*\*\*\*\*\*\*\*\* …"
    assert markdown.shorten("It is on <t:1795530600:F>, come", 20) == "It is on …"


def test_a_nonce_is_short_and_its_own() -> None:
    nonces = {nonce(new_id()) for _ in range(1000)}
    assert len(nonces) == 1000
    assert all(len(one) <= 25 for one in nonces)


@pytest.mark.parametrize(
    ("text", "left", "label"),
    [
        (f"**T**\n\nDone.\n\nSee it: {HOME}/x", "**T**\n\nDone.", "See it"),
        (f"**T**\n\nDone.\n\nSee it: {HOME}/x\n\nBye.", "**T**\n\nDone.\n\nBye.", "See it"),
        (f"**T**\n\nStill there? Come again: {HOME}/x", "**T**\n\nStill there?", "Come again"),
        (f"**T**\n\nMe\\: you \\<3\\>: {HOME}/x", "**T**", "Me: you <3>"),
        (f"**T**\n\nProf. Ana: {HOME}/x", "**T**", "Prof. Ana"),
    ],
)
def test_the_one_link_becomes_a_button(text: str, left: str, label: str) -> None:
    rest, button = with_button(text)
    assert (rest, button and button.label, button and button.url) == (left, label, f"{HOME}/x")


@pytest.mark.parametrize(
    "text",
    [
        "No link.",
        f"One: {HOME}/x\nTwo: {HOME}/y",
        f"Its own line:\n\n{HOME}/x",
        f"At <t:1795530600:F>: {HOME}/x",
        f"{'long ' * 20}: {HOME}/x",
        f"See it: {HOME}/{'x' * 512}",
        "See it: http://localhost:8000/x",
    ],
)
def test_other_links_stay_in_the_text(text: str) -> None:
    assert with_button(text) == (text, None)
