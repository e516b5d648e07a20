"""Time zones that people may choose."""

import pytest
from whenever import Instant

from app.core.zones import is_zone, zone_choices


@pytest.mark.parametrize("name", ["Europe/Lisbon", "Asia/Kolkata", "America/Argentina/Ushuaia", "UTC"])
def test_places_are_offered_and_known(name: str) -> None:
    assert name in zone_choices()
    assert is_zone(name)


def test_every_choice_can_be_used() -> None:
    now = Instant.from_utc(2026, 11, 24)
    assert all(now.to_tz(name).tz_id == name for name in zone_choices())
    assert len(zone_choices()) > 400


@pytest.mark.parametrize("alias", ["Asia/Calcutta", "US/Eastern", "Etc/GMT+5", "GMT"])
def test_names_that_browsers_report_are_known_too(alias: str) -> None:
    assert is_zone(alias)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "europe/lisbon", "Europe/Lisbon ", "../../etc/passwd", "+01:00", "Factory"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    assert not is_zone(name)
