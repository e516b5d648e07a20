"""Old tokens are nobody's: they go a day after their room closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.booking.service import SessionFacts
from app.core import clock
from app.core.ids import new_id
from tests.booking.support import Desk
from tests.jobs.test_upkeep import both, purge


async def test_tokens_of_rooms_that_are_long_closed_are_purged_once(desk: Desk, booked: SessionFacts) -> None:
    """By business time, as they expire; whether they were used or not."""
    now = datetime.now(UTC)
    await both(
        desk.database,
        "call_tokens",
        "expires_at",
        -timedelta(days=1),
        id=lambda _: new_id(),
        session_id=booked.id,
        user_id=desk.cast["student"],
        token_hash=lambda number: bytes([number]),
        issued_at=now - timedelta(days=2),
        used_at=lambda number: now if number else None,
    )
    assert await purge(desk.database) == {"tokens of video rooms": 1}
    assert await purge(desk.database) == {}
    with clock.standing_at(now + timedelta(days=2)):
        assert await purge(desk.database) == {"tokens of video rooms": 1}
