"""What a seat makes of what it hears, in whatever order it comes."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import new_id
from app.video import frames
from app.video.seats import LookUpConsent, Neighbour, Say, Seat, Step, Tell
from app.video.words import Consent, Gone, Here, Signal, Word

SESSION, MENTOR, STUDENT = new_id(), new_id(), new_id()
IDS = sorted(new_id() for _ in range(6))
"""Ids of stays, the earliest first."""


def seat(visit: int = 0) -> Seat:
    return Seat(SESSION, MENTOR, IDS[visit], "mine")


def here(visit: int, *, asking: bool = False, page: str = "theirs") -> Here:
    return Here(SESSION, STUDENT, IDS[visit], page, asking)


def gone(visit: int, *, left: bool = True) -> Gone:
    return Gone(SESSION, STUDENT, IDS[visit], left)


def other(visit: int) -> Neighbour:
    return Neighbour(IDS[visit], "theirs")


def told(steps: list[Step]) -> list[object]:
    """The frames that a page is told."""
    return [step.frame for step in steps if isinstance(step, Tell)]


def test_who_asks_is_answered_without_asking_back() -> None:
    mine = seat()
    assert mine.hear(here(1, asking=True)) == [
        Say(Here(SESSION, MENTOR, IDS[0], "mine", asking=False)),
        Tell(frames.Other("theirs")),
    ]
    assert mine.hear(here(1)) == [Tell(frames.Other("theirs"))]


def test_the_end_of_an_earlier_stay_is_no_end() -> None:
    mine = seat()
    mine.hear(here(2))
    assert mine.hear(gone(1)) == []
    assert mine.other == other(2)
    assert mine.hear(gone(2)) == [Tell(frames.Gone(left=True))]
    assert mine.hear(gone(2)) == []


def test_an_earlier_stay_heard_of_late_is_none() -> None:
    mine = seat()
    mine.hear(here(2, page="new"))
    assert mine.hear(here(1, page="old", asking=True)) == []
    assert mine.other == Neighbour(IDS[2], "new")


def test_of_two_seats_of_one_person_the_earlier_is_replaced_whichever_speaks_first() -> None:
    older, newer = seat(0), seat(1)
    assert newer.hear(newer.here(asking=True)) == []
    assert older.hear(newer.here(asking=True)) == [frames.REPLACED]
    late = newer.hear(older.here(asking=True))
    assert late == [Say(newer.here(asking=False))]
    assert older.hear(newer.here(asking=False)) == [frames.REPLACED]
    assert newer.hear(older.here(asking=False)) == []


def test_signals_are_heard_from_the_other_as_known_and_by_whom_they_are_for() -> None:
    mine = seat()
    word = Signal(SESSION, IDS[1], IDS[0], '{"a":1}')
    assert mine.hear(word) == []
    mine.hear(here(1))
    assert mine.hear(word) == [Tell(frames.Signaled(msgspec.Raw(b'{"a":1}')))]
    assert mine.hear(Signal(SESSION, IDS[1], IDS[3], "{}")) == []
    assert mine.hear(Signal(SESSION, IDS[2], IDS[0], "{}")) == []
    assert mine.signal(b"{}") == Signal(SESSION, IDS[0], IDS[1], "{}")
    mine.hear(gone(1))
    assert mine.signal(b"{}") is None


def test_consent() -> None:
    assert seat().hear(Consent(SESSION)) == [LookUpConsent()]


def test_the_database_makes_good_for_words_that_were_never_said() -> None:
    mine = seat()
    assert mine.compare(None, None) == []
    assert mine.compare(None, IDS[1]) == [Say(mine.here(asking=True))]
    mine.hear(here(2))
    known = mine.other
    assert mine.compare(known, IDS[2]) == []
    assert mine.compare(known, IDS[3]) == [Say(mine.here(asking=True))]
    assert mine.compare(known, IDS[1]) == [Tell(frames.Gone(left=False))]
    assert mine.other is None


def test_an_answer_of_the_database_is_older_than_what_was_heard_meanwhile() -> None:
    mine = seat()
    before = mine.other
    mine.hear(here(1))
    assert mine.compare(before, None) == []
    assert mine.other == other(1)


@given(st.permutations([here(1, asking=True), gone(1), here(2, asking=True), here(2), here(3, asking=True)]))
def test_in_any_order_the_latest_stay_is_the_one_that_counts(words: list[Word]) -> None:
    mine = seat()
    pages = [frame for word in words for frame in told(mine.hear(word))]
    assert mine.other == other(3)
    assert pages[-1] in (frames.Other("theirs"),)
    assert mine.hear(gone(3)) == [Tell(frames.Gone(left=True))]
    assert mine.other is None
