"""What processes call out: whole again on the other side, never longer than a notification may be."""

from __future__ import annotations

import json
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import new_id
from app.video.words import LONGEST_BYTES, Consent, Ear, Gone, Here, Signal, Word, payloads

IDS = st.builds(new_id)
WORDS: st.SearchStrategy[Word] = st.one_of(
    st.builds(Here, IDS, IDS, IDS, st.text(max_size=64), st.booleans()),
    st.builds(Gone, IDS, IDS, IDS, st.booleans()),
    st.builds(Signal, IDS, IDS, IDS, st.text(max_size=200)),
    st.builds(Consent, IDS),
)


def long_word(characters: int, seed: int = 0) -> Signal:
    """A signal that can't be compressed by much."""
    dice = random.Random(seed)
    data = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJ", k=characters))
    return Signal(new_id(), new_id(), new_id(), data)


@given(st.lists(WORDS, max_size=5))
def test_words_are_heard_as_they_were_said(words: list[Word]) -> None:
    ear = Ear()
    said = [payload for word in words for payload in payloads(word, new_id())]
    assert [word for payload in said if (word := ear.hear(payload)) is not None] == words


@given(st.integers(0, 70_000), st.integers(0, 5))
def test_long_words_come_in_parts(characters: int, seed: int) -> None:
    word, ear = long_word(characters, seed), Ear()
    parts = payloads(word, new_id())
    assert all(len(part.encode()) <= LONGEST_BYTES < 8000 for part in parts)
    assert [ear.hear(part) for part in parts] == [None] * (len(parts) - 1) + [word]


def test_a_word_whose_beginning_was_missed_is_dropped_and_the_next_one_heard() -> None:
    ear, first, second = (
        Ear(),
        payloads(long_word(40_000), new_id()),
        payloads(long_word(40_000, 1), new_id()),
    )
    assert [ear.hear(part) for part in first[1:]] == [None] * (len(first) - 1)
    assert [ear.hear(part) for part in first[:-1]] == [None] * (len(first) - 1)
    heard = [ear.hear(part) for part in second]
    assert heard[:-1] == [None] * (len(second) - 1)
    assert isinstance(heard[-1], Signal)


@pytest.mark.parametrize("payload", ["", "x", "{}", '{"kind":"tea"}', '{"kind":"here","session":"1"}'])
def test_what_is_no_word(payload: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        Ear().hear(payload)


def test_parts_that_make_no_whole_are_no_word_and_the_next_one_is_heard() -> None:
    ear, parts = Ear(), payloads(long_word(40_000), new_id())
    spoilt = json.loads(parts[-1])
    for data in ("AAAA", "!"):
        assert [ear.hear(part) for part in parts[:-1]] == [None] * (len(parts) - 1)
        with pytest.raises(msgspec.MsgspecError):
            ear.hear(json.dumps(spoilt | {"data": data}))
    assert [ear.hear(part) for part in parts][-1] is not None


def test_what_the_consent_announces_is_a_word() -> None:
    id_ = new_id()
    assert Ear().hear(f'{{"session": "{id_}", "kind": "consent"}}') == Consent(id_)
