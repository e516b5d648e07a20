"""Stretches of local dates, for every zone there is, beside `zoneinfo`."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from app.booking.zones import DAY, ERA_END, ERA_START, stretches
from tests.booking.slots_strategies import ZONES, changes_near

NAMES = sorted(available_timezones())


def test_there_are_zones_to_look_at() -> None:
    assert len(NAMES) > 400


@pytest.mark.parametrize("letter", sorted({name[:2] for name in NAMES}))
def test_every_zone_shows_what_zoneinfo_shows(letter: str) -> None:
    chance = random.Random(letter)
    for name in NAMES:
        if name.startswith(letter):
            for _ in range(15):
                compare(name, chance.randrange(ERA_START, ERA_END))


@pytest.mark.parametrize("name", ZONES)
def test_clocks_change_to_the_second(name: str) -> None:
    for year in range(1980, 2101, 20):
        for changed in changes_near(name, year):
            for at in (changed - 1, changed, changed + 1):
                compare(name, at)


def compare(name: str, at: int) -> None:
    """The stretch around an instant dates it, and counts it from midnight, as the local clock does."""
    (stretch,) = stretches(name, at, at + 1)
    local = datetime.fromtimestamp(at, ZoneInfo(name))
    since_midnight = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    assert (name, stretch.day) == (name, local.date())
    assert (name, at - stretch.midnight) == (name, since_midnight.total_seconds())


@pytest.mark.parametrize("name", ["Europe/Lisbon", "Pacific/Apia", "America/St_Johns", "Asia/Kolkata"])
def test_stretches_follow_one_another_without_a_break(name: str) -> None:
    found = stretches(name, ERA_START + 17, ERA_END - 17)
    assert found[0].start == ERA_START + 17
    assert found[-1].end == ERA_END - 17
    assert all(one.end == following.start for one, following in pairwise(found))
    assert all(stretch.midnight <= stretch.start < stretch.end <= stretch.midnight + DAY for stretch in found)


def test_no_time_has_no_stretch() -> None:
    assert stretches("Europe/Lisbon", 1000, 1000) == ()


def test_the_era_ends_with_the_year_2100() -> None:
    assert datetime(2101, 1, 1, tzinfo=UTC).timestamp() == ERA_END
