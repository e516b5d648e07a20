"""What may be typed into the fields of an account."""

from __future__ import annotations

import pytest

from app.accounts import devices, rules
from app.accounts.rules import email_problem, name_problem, password_problem, tidy, zone_problem
from app.core.errors import Invalid

EMAIL = "ada@example.test"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ada   Byron ", "Ada Byron"),
        ("Ada\tByron\n", "Ada Byron"),
        ("Ada\x00Byron", "AdaByron"),
        ("Ade\u0300le", "Ad\u00e8le"),
        ("\ud800Ada", "Ada"),
        ("阿达", "阿达"),
        ("", ""),
    ],
)
def test_text_is_kept_tidy(typed: str, kept: str) -> None:
    assert tidy(typed) == kept


@pytest.mark.parametrize(("name", "good"), [("A", True), ("x" * 100, True), ("x" * 101, False), ("", False)])
def test_names(name: str, good: bool) -> None:
    assert (name_problem(name) is None) is good


@pytest.mark.parametrize(
    "address", [EMAIL, "Ada.B+tag@sub.example.co", "o'hara@example.test", "é@bücher.example"]
)
def test_addresses_that_may_exist(address: str) -> None:
    assert email_problem(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@",
        "@example.test",
        "ada@example",
        "ada@@example.test",
        "ada b@example.test",
        "ada@example.test,eve@example.test",
        "Ada <ada@example.test>",
        "ada@example.test\nbcc:eve@example.test",
        "a" * 243 + "@example.test",
    ],
)
def test_what_is_no_address(address: str) -> None:
    assert email_problem(address)


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("ten chars!", True),
        ("nine char", False),
        ("x" * 200, True),
        ("x" * 201, False),
        (EMAIL, False),
        (" ADA@example.TEST ", False),
        ("пароль из слов", True),
        ("half a pair \ud800", False),
    ],
)
def test_passwords(password: str, good: bool) -> None:
    assert (password_problem(password, EMAIL) is None) is good


def test_zones() -> None:
    assert zone_problem("Europe/Lisbon") is None
    assert zone_problem("")
    assert zone_problem("Mars/Olympus")


def test_all_wrong_fields_are_named_together() -> None:
    with pytest.raises(Invalid) as refused:
        rules.check(name="no name", email=None, password="too short")
    assert refused.value.fields == {"name": "no name", "password": "too short"}
    rules.check(name=None)


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
            " Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("", "A browser"),
        (None, "A browser"),
    ],
)
def test_devices_have_names_that_people_recognize(user_agent: str | None, label: str) -> None:
    assert devices.label(user_agent) == label


def test_a_hostile_browser_name_is_cut() -> None:
    kept = devices.kept("Firefox/1 \x00\x1b[31m" + "x" * 10_000)
    assert kept is not None
    assert len(kept) == devices.KEPT
    assert "\x00" not in kept
    assert devices.kept("") is None
