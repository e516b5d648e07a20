"""The words of every mail: all variables are spelt right, text and HTML say the same, names can't break them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from jinja2 import Environment, StrictUndefined

from app.core import clock
from app.core.templating import ROOT, environment
from app.notifications.catalogue import CATALOGUE
from app.notifications.rendering import Words, render
from app.payments.models import OrderFlag
from app.settings import Settings
from tests.notifications.examples import DISCOUNTED, RECEIPT, REQUIRED, SALE, SESSION, START, examples

EXAMPLES = examples()
NAMES = [f"{kind}-{number}" for number, (kind, _) in enumerate(EXAMPLES)]


@pytest.fixture(autouse=True)
def _three_days_before() -> Iterator[None]:
    with clock.standing_at(START - timedelta(days=3)):
        yield


@pytest.fixture(scope="module")
def templates() -> Environment:
    """The platform's environment, where a misspelt variable is an error."""
    return environment(Settings()).overlay(undefined=StrictUndefined)


def visible(words: Words) -> str:
    """What a reader of the HTML sees."""
    body = words.html.partition("<body")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize(("kind", "context"), EXAMPLES, ids=NAMES)
def test_every_mail_reads_well(templates: Environment, kind: str, context: dict[str, Any]) -> None:
    words = render(templates, kind, context)
    assert 0 < len(words.subject) <= 110
    assert "\n" not in words.subject
    name = context.get("recipient_name") or context["name"]
    for text in (words.text, visible(words)):
        assert f"Hello {name}," in text
        assert "Huckleberry Mentorships" in text
        assert not re.search(r"\bNone\b|Undefined|&#|&lt;|[{}]|please be advised", text), text
    assert not re.search(r"<(p|div|a|br)\b", words.text)
    assert "\n\n\n" not in words.text


@pytest.mark.parametrize(("kind", "context"), EXAMPLES, ids=NAMES)
def test_every_mail_leads_somewhere(templates: Environment, kind: str, context: dict[str, Any]) -> None:
    words = render(templates, kind, context)
    places = re.findall(r'href="([^"]+)"', words.html)
    assert all(place.startswith("http://127.0.0.1:8000") for place in places)
    assert len([place for place in places if place != "http://127.0.0.1:8000"]) >= 1
    for place in places:
        assert html.unescape(place) in words.text, "the text stands alone"


@pytest.mark.parametrize(("kind", "context"), EXAMPLES, ids=NAMES)
def test_html_suits_mail_programs(templates: Environment, kind: str, context: dict[str, Any]) -> None:
    page = render(templates, kind, context).html
    assert page.startswith("<!doctype html>")
    assert '<meta name="color-scheme" content="light dark">' in page
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r"<(script|img|link|table|iframe)\b", page), "nothing to load, nothing to run"
    assert len(page.encode()) < 20_000
    for tag in ("div", "p", "a", "h1", "span"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>")


@pytest.mark.parametrize("kind", [kind for kind, context in REQUIRED.items() if "start" in context])
def test_times_are_the_readers(templates: Environment, kind: str) -> None:
    words = render(templates, kind, REQUIRED[kind])
    assert "Tue 24 Nov 2026" in words.text
    assert "09:30" in words.text
    assert "(America/New_York)" in words.text
    assert "09:30" in visible(words)
    assert re.search(r"New York time|America/New_York", visible(words))


def test_relative_words_carry_the_absolute_ones(templates: Environment) -> None:
    words = render(templates, "session_booked", SESSION)
    assert "Tue 24 Nov 2026, 09:30 – 10:30 (America/New_York)\nIn 3 days." in words.text


def test_a_name_can_not_break_out(templates: Environment) -> None:
    hostile = SESSION | {"other_name": "Mal\r\nBcc: all@example.test <script>alert(1)</script>"}
    words = render(templates, "session_booked", hostile)
    assert "\n" not in words.subject
    assert "\r" not in words.subject
    assert "<script" not in words.html


def test_each_kind_has_an_entry_a_folder_and_an_example() -> None:
    folders = {path.name for path in (ROOT / "templates" / "mail").iterdir() if path.is_dir()}
    assert set(CATALOGUE) == folders == set(REQUIRED)
    for kind in CATALOGUE:
        files = {path.name for path in (ROOT / "templates" / "mail" / kind).iterdir()}
        assert files - {"discord.md"} == {"subject.txt", "body.txt", "body.html"}


def test_a_receipt_adds_up_in_both_forms(templates: Environment) -> None:
    words = render(templates, "pack_purchased", SALE | RECEIPT | DISCOUNTED)
    bill = (
        "Four <evening> sessions: €480.00",
        "Discount (WELCOME10): -€48.00",
        "Tax: €90.72",
        "Paid: €522.72",
    )
    for text in (words.text, visible(words)):
        assert [text.index(line) for line in bill] == sorted(text.index(line) for line in bill)
        assert "Tue 24 Nov 2026, 09:30 (America/New_York), with Stripe" in text
        assert RECEIPT["receipt_link"] in (text if text is words.text else words.html)
        assert "to be used by Fri 8 Jan 2027" in text


def test_a_plain_receipt_has_no_empty_lines_of_discount_and_tax(templates: Environment) -> None:
    words = render(templates, "pack_purchased", SALE | RECEIPT)
    for text in (words.text, visible(words)):
        assert "Paid: €480.00" in text
        assert not re.search("Discount|Tax", text)


def test_the_mentor_gets_no_receipt(templates: Environment) -> None:
    words = render(templates, "pack_purchased", SALE | {"role": "mentor"})
    for text in (words.text, visible(words)):
        assert "for €480.00" in text
        assert "receipt" not in text.lower()


@pytest.mark.parametrize("role", ["student", "mentor"])
def test_a_late_payment_is_said_to_go_back_whole(templates: Environment, role: str) -> None:
    words = render(templates, "payment_returned", REQUIRED["payment_returned"] | {"role": role})
    for text in (words.text, visible(words)):
        assert "€480.00" in text
        assert "All of it" in text


@pytest.mark.parametrize("role", ["student", "mentor"])
@pytest.mark.parametrize(("taken", "said"), [(0, None), (1, "The session left"), (3, "The 3 sessions left")])
def test_a_refund_names_its_amount_and_sessions(
    templates: Environment, role: str, taken: int, said: str | None
) -> None:
    context = REQUIRED["refund_issued"] | {"role": role, "sessions_taken": taken}
    words = render(templates, "refund_issued", context)
    for text in (words.text, visible(words)):
        assert "€360.00" in text
        assert (said in text) if said else ("went with it" not in text)


@pytest.mark.parametrize("flag", list(OrderFlag))
def test_every_flag_has_words_of_its_own(templates: Environment, flag: OrderFlag) -> None:
    words = {
        one: render(templates, "order_flagged", REQUIRED["order_flagged"] | {"flag": one.value}).text
        for one in OrderFlag
    }
    assert [one for one in OrderFlag if words[one] == words[flag]] == [flag]


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(days=7), "A week left for 2 sessions with Ana"),
        (timedelta(days=7, seconds=-5), "A week left for 2 sessions with Ana"),
        (timedelta(days=5), "5 days left for 2 sessions with Ana"),
        (timedelta(hours=25), "1 day left for 2 sessions with Ana"),
    ],
)
def test_a_late_warning_says_how_long_there_is(templates: Environment, before: timedelta, words: str) -> None:
    context = REQUIRED["pack_expiring_week"] | {"remaining": 2, "other_name": "Ana"}
    with clock.standing_at(context["expires_at"] - before):
        written = render(templates, "pack_expiring_week", context)
    assert written.subject == words
    assert words in visible(written)
