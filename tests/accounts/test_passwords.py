"""Passwords are kept as argon2id hashes, and how long checking takes tells nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.accounts import passwords
from app.settings import Settings


@pytest.fixture(autouse=True)
def _cheap_again(fast: Settings) -> Iterator[None]:
    passwords.configure(fast.argon2_memory_kib)
    yield
    passwords.configure(fast.argon2_memory_kib)


async def test_a_password_is_known_again_and_no_other_is() -> None:
    stored = await passwords.hash_password("three plain words")
    assert stored.startswith("$argon2id$")
    assert "plain" not in stored
    assert await passwords.matches(stored, "three plain words")
    assert not await passwords.matches(stored, "three plain word")
    assert not await passwords.matches(stored, "")


async def test_two_hashes_of_one_password_differ() -> None:
    assert await passwords.hash_password("three plain words") != await passwords.hash_password(
        "three plain words"
    )


async def test_one_letter_typed_on_two_keyboards_is_the_same() -> None:
    composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
    assert await passwords.matches(await passwords.hash_password(composed), decomposed)


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$broken"])
async def test_nobody_and_nonsense_match_nothing(stored: str | None) -> None:
    assert not await passwords.matches(stored, "three plain words")


async def test_unreadable_text_is_just_wrong() -> None:
    stored = await passwords.hash_password("three plain words")
    assert not await passwords.matches(stored, "\ud800")


async def test_a_hash_with_older_parameters_still_works_and_is_known_to_be_outdated() -> None:
    stored = await passwords.hash_password("three plain words")
    assert not passwords.is_outdated(stored)
    passwords.configure(128)
    assert passwords.is_outdated(stored)
    assert await passwords.matches(stored, "three plain words")


async def test_nobodys_password_takes_as_long_as_somebodys() -> None:
    passwords.configure(32_768)
    stored = await passwords.hash_password("three plain words")

    async def seconds(hashed: str | None) -> float:
        start = time.perf_counter()
        assert not await passwords.matches(hashed, "another password")
        return time.perf_counter() - start

    pairs = [(await seconds(stored), await seconds(None)) for _ in range(9)]
    somebody, nobody = (min(times) for times in zip(*pairs, strict=True))
    assert 0.5 < nobody / somebody < 2
