"""The small form of ninety days: a few days over a change of clocks, a few people, some workers killed."""

from __future__ import annotations

import dataclasses
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.settings import Settings
from tests.soak.life import world
from tests.soak.life.expected import Expected
from tests.soak.life.history import History
from tests.soak.life.verdict import Judge, Telling, normal
from tests.soak.life.ways import Ways
from tests.soak.lifecycle import Life, Size, is_good

SMALL = Size(days=2, mentors=2, students=6, kills=2, downtimes=1, moments=3, deeds=4, start_with=5, workers=1)
NOON = datetime(2027, 3, 26, 12, tzinfo=UTC)
A_MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


async def test_a_few_days_are_told_once_and_as_the_model_says(settings: Settings, tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    async with world.opened(settings, tmp_path) as studio:
        told = [facts async for facts in Life(studio, SMALL, seed).play()]
    assert is_good(told[-1]), f"SOAK_SEED={seed} {json.dumps(told[-1])}"
    assert told[-1]["kills"] == SMALL.kills


ANA, SESSION = uuid4(), uuid4()
REMINDED = Expected("session_reminder_hour", ANA, (SESSION, NOON + HOUR), NOON, until=NOON + HOUR)
BOOKED = Expected("session_booked", ANA, (SESSION,), NOON)


def judged(
    *found: tuple[Expected, Telling],
    expected: tuple[Expected, ...] = (REMINDED, BOOKED),
    history: History | None = None,
    gaps: tuple[tuple[datetime, datetime], ...] = (),
) -> list[dict[str, Any]]:
    """What differs when of `expected` this was found."""
    tellings: dict[tuple[str, UUID, tuple[Any, ...]], list[Telling]] = {}
    for one, telling in found:
        tellings.setdefault((one.kind, one.recipient, one.subject), []).append(telling)
    judge = Judge(Ways.of(history or History()), gaps, NOON + timedelta(days=2))
    return judge.differences(normal(expected), tellings)


def told(at: datetime = NOON, retried: bool = False, **outcomes: str) -> Telling:
    return Telling(at, outcomes or {"email": "sent"}, at, retried)


def test_what_is_as_expected_doesnt_differ() -> None:
    assert judged((REMINDED, told()), (BOOKED, told())) == []
    assert judged((REMINDED, told(email="uncertain")), (BOOKED, told())) == []


@pytest.mark.parametrize(
    "harm",
    [
        [(BOOKED, told())],  # one is missing
        [(REMINDED, told()), (BOOKED, told()), (BOOKED, told())],  # one is there twice
        [(REMINDED, told(email="failed")), (BOOKED, told())],
        [(REMINDED, told(email="late")), (BOOKED, told())],  # it was in time
        [(REMINDED, told(email="turned_off")), (BOOKED, told())],  # nobody did so
        [(REMINDED, told(email="sent", discord="sent")), (BOOKED, told())],  # no account is linked
        [(REMINDED, told(NOON - HOUR)), (BOOKED, told())],  # too early
        [(REMINDED, told(NOON + HOUR / 2)), (BOOKED, told())],  # somebody worked before
        [(REMINDED, told()), (BOOKED, told()), (Expected("session_moved", ANA, (SESSION,), NOON), told())],
    ],
)
def test_every_harm_is_noticed(harm: list[tuple[Expected, Telling]]) -> None:
    assert judged(*harm)


def test_what_no_longer_holds_or_comes_too_late_is_skipped() -> None:
    canceled = Expected(*_fields(REMINDED), holds=lambda at: at < NOON - A_MINUTE, until=NOON + HOUR)
    assert judged((canceled, told(email="outdated")), expected=(canceled,)) == []
    assert judged((canceled, told()), expected=(canceled,))
    this_moment = dataclasses.replace(canceled, holds=lambda at: at < NOON)  # how it was read a moment before
    for became in ("outdated", "sent"):
        assert judged((this_moment, told(email=became)), expected=(this_moment,)) == []
    gap = ((NOON - HOUR, NOON + 2 * HOUR),)
    late = told(NOON + 2 * HOUR, email="late")
    assert judged((REMINDED, late), expected=(REMINDED,), gaps=gap) == []
    assert judged((REMINDED, told(NOON + 2 * HOUR)), expected=(REMINDED,), gaps=gap)


def test_channels_are_as_their_reader_chose() -> None:
    history = History()
    history.note(NOON - 3 * HOUR, "link", user_id=ANA, discord_id="7")
    history.note(NOON - 2 * HOUR, "turn off", user_id=ANA, kind="session_booked", channel="email")
    assert (
        judged((BOOKED, told(email="turned_off", discord="sent")), expected=(BOOKED,), history=history) == []
    )
    assert judged((BOOKED, told(email="sent", discord="sent")), expected=(BOOKED,), history=history)
    history.note(NOON - HOUR, "messages", discord_id="7", open=False)
    assert judged((BOOKED, told(email="sent", discord="closed")), expected=(BOOKED,), history=history) == []
    assert judged((BOOKED, told(email="turned_off", discord="closed")), expected=(BOOKED,), history=history)


def _fields(one: Expected) -> tuple[Any, ...]:
    return one.kind, one.recipient, one.subject, one.at


def test_the_verdict_notices_every_harm() -> None:
    good = {"told": 10, "doubled": 0, "differences": 0, "wrong": 0}
    assert is_good(good)
    for harm in ({"told": 0}, {"doubled": 1}, {"differences": 1}, {"wrong": 1}):
        assert not is_good(good | harm), harm


def test_what_changed_too_soon_to_be_sure_may_be_told_or_not_but_once() -> None:
    perhaps = dataclasses.replace(BOOKED, sure=False)
    again = dataclasses.replace(perhaps, at=NOON + HOUR)
    for expected in ((perhaps,), (perhaps, again)):
        assert judged(expected=expected) == []
        assert judged((BOOKED, told()), expected=expected) == []
    assert judged((BOOKED, told(NOON + HOUR)), expected=(perhaps, again)) == []
    assert judged((BOOKED, told(NOON + HOUR)), expected=(perhaps,)) != []
    assert judged((BOOKED, told()), (BOOKED, told()), expected=(perhaps,)) != []


def test_whether_somebody_takes_messages_turns_out_when_one_is_sent() -> None:
    history = History()
    history.note(NOON - HOUR, "link", user_id=ANA, discord_id="1")
    history.note(NOON + timedelta(seconds=8), "messages", discord_id="1", open=False)
    sent, closed = {"email": "sent", "discord": "sent"}, {"email": "sent", "discord": "closed"}
    at_once = Telling(NOON, closed, NOON, retried=False)
    later = Telling(NOON, closed, NOON + timedelta(seconds=7), retried=False)
    assert judged((BOOKED, later), expected=(BOOKED,), history=history) == []
    assert judged((BOOKED, at_once), expected=(BOOKED,), history=history) != []
    assert judged((BOOKED, told(**sent)), expected=(BOOKED,), history=history) == []
