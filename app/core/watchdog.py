"""The watchdog: one reading of what waits to be sent, what failed, and who works; and whether people must be alerted.

It is read by whoever asks, the web included, so that it also tells when no worker is alive. Something waits since it
was first due: put off after an attempt that failed, it goes on waiting; what only comes later doesn't wait yet.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from app.core import clock
from app.core.unit_of_work import UnitOfWork

WITHIN: Final = timedelta(days=1)
"""How far back failures are counted."""
AT_MOST_EVERY: Final = timedelta(hours=1)
"""How often people are alerted."""

_READ = {
    for_service: sa.text(f"select * from {function}(:at, :since)")  # noqa: S608
    for for_service, function in ((True, "health_reading"), (False, "admin_health"))
}
_SWEPT = sa.text(
    "insert into watchdog (id, swept_at) values (1, :at)"
    " on conflict (id) do update set swept_at = greatest(watchdog.swept_at, excluded.swept_at)"
)
_ALERT = sa.text(
    "insert into watchdog (id, alerted_at) values (1, :now) on conflict (id) do update set alerted_at = :now"
    " where watchdog.alerted_at is null or watchdog.alerted_at <= :before returning id"
)
_TAKE_BACK = sa.text("update watchdog set alerted_at = null where id = 1")


class Deliveries(msgspec.Struct, frozen=True):
    """Messages of a kind on a channel that share a state: under way, or `failed`, `uncertain`, `skipped` in a day.

    `reason`: why they were skipped, else empty. `latest`: when the last of them was written (business time).
    """

    state: str
    kind: str
    channel: str
    reason: str
    messages: int
    latest: datetime


class Reading(msgspec.Struct, frozen=True):
    """How sending stands at `at` (business time).

    `swept_at` (machine time): when a relay last looked for what was left behind. `waiting` events are due and not
    done; `oldest` is since when the one that has waited longest does, `oldest_what` its kind or type. `dead`: events
    that gave up, by type.
    """

    at: datetime
    swept_at: datetime | None
    workers: int
    waiting: int
    oldest: datetime | None
    oldest_what: str | None
    dead: dict[str, int]
    deliveries: list[Deliveries]

    @property
    def waited(self) -> timedelta:
        """How long the oldest has waited."""
        return self.at - self.oldest if self.oldest else timedelta()

    def is_stuck(self, after: timedelta) -> bool:
        """True if the oldest has waited for longer than `after`."""
        return self.waited > after

    def count(self, *states: str) -> int:
        """How many deliveries are in one of the states."""
        return sum(found.messages for found in self.deliveries if found.state in states)


async def read(uow: UnitOfWork) -> Reading:
    """The reading, for the service or an admin: the database refuses everybody else. One query."""
    now = clock.now()
    result = await uow.session.execute(_READ[uow.door is not None], {"at": now, "since": now - WITHIN})
    return msgspec.convert({**result.mappings().one(), "at": now}, Reading)


async def swept(uow: UnitOfWork) -> None:
    """A relay has looked for what was left behind."""
    await uow.session.execute(_SWEPT, {"at": datetime.now(UTC)})


async def claim_alert(uow: UnitOfWork, now: datetime) -> bool:
    """True for one caller an hour of business time: it is to alert people."""
    values = {"now": now, "before": now - AT_MOST_EVERY}
    return (await uow.session.execute(_ALERT, values)).one_or_none() is not None


async def take_alert_back(uow: UnitOfWork) -> None:
    """Nobody was alerted after all: the next time needn't wait for the hour to pass."""
    await uow.session.execute(_TAKE_BACK)
