"""How sending stands, in sentences: what an admin reads before the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from app.admin.alerts import limit, what
from app.core import watchdog
from app.core.unit_of_work import UnitOfWork
from app.core.watchdog import Deliveries, Reading
from app.notifications.catalogue import CATALOGUE
from app.notifications.models import DeliveryState, SkipReason
from app.settings import Settings

SWEEPS_MISSED: Final = 3
NAP: Final = timedelta(seconds=10)
"""What a sweep may take, beside the pauses between them."""
WORDS: Final[dict[str, str]] = {
    DeliveryState.PENDING: "waits to be sent",
    DeliveryState.SENDING: "being sent",
    DeliveryState.FAILED: "refused",
    DeliveryState.UNCERTAIN: "may have arrived",
    SkipReason.LATE: "its time was over",
    SkipReason.OUTDATED: "it was no longer so",
    SkipReason.TURNED_OFF: "turned off by its recipient",
    SkipReason.PAUSED: "the address takes no mail",
    SkipReason.CLOSED: "their Discord takes no direct messages",
    SkipReason.NOT_CONFIGURED: "no key of the vendor is set",
}
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))
CHANNELS: Final = {"email": "e-mail", "discord": "Discord"}


class Row(msgspec.Struct, frozen=True):
    """Messages of a kind on a channel, and what became of them. `latest` is when the last was written."""

    about: str
    channel: str
    words: str
    messages: int
    latest: datetime


class Health(msgspec.Struct, frozen=True):
    """`troubles`: what is wrong, each a sentence, the worst first; nothing where all is well. `swept`: how long ago.

    `rows`: messages under way, and those of the last day that weren't delivered; `skipped` those that weren't sent.
    """

    reading: Reading
    troubles: list[str]
    swept: str
    rows: list[Row]
    skipped: list[Row]


async def health(uow: UnitOfWork, settings: Settings) -> Health:
    """How sending stands, for an admin. One query."""
    reading = await watchdog.read(uow)
    now = datetime.now(UTC)
    swept = f"{span(now - reading.swept_at)} ago" if reading.swept_at else ""
    skipped = [one for one in reading.deliveries if one.state == DeliveryState.SKIPPED]
    others = [one for one in reading.deliveries if one.state != DeliveryState.SKIPPED]
    return Health(reading, troubles(reading, settings, now), swept, _rows(others), _rows(skipped))


async def urgent_now(uow: UnitOfWork, settings: Settings) -> list[str]:
    """What keeps messages from being sent at this moment, for an admin. One query."""
    return urgent(await watchdog.read(uow), settings, datetime.now(UTC))


def troubles(reading: Reading, settings: Settings, now: datetime) -> list[str]:
    """What is wrong, the worst first. `now` is machine time, as sweeping is."""
    return urgent(reading, settings, now) + _waits_for_you(reading)


def urgent(reading: Reading, settings: Settings, now: datetime) -> list[str]:
    """What keeps messages from being sent at this moment."""
    found = []
    if not reading.workers:
        found.append("No worker is alive: nothing is sent and nothing is written until one is started.")
    elif reading.swept_at is None:
        found.append("No worker has looked yet for what was left behind.")
    elif now - reading.swept_at > SWEEPS_MISSED * timedelta(seconds=settings.outbox_sweep_seconds) + NAP:
        found.append(f"What was left behind was last looked for {span(now - reading.swept_at)} ago.")
    if reading.is_stuck(limit(settings)):
        many = "1 event waits" if reading.waiting == 1 else f"{reading.waiting} events wait"
        found.append(f"{many} to be done. The oldest (“{what(reading)}”) was due {span(reading.waited)} ago.")
    return found


def _waits_for_you(reading: Reading) -> list[str]:
    found = []
    if gave_up := sum(reading.dead.values()):
        found.append("1 job gave up." if gave_up == 1 else f"{gave_up} jobs gave up.")
    if lost := reading.count(DeliveryState.FAILED, DeliveryState.UNCERTAIN):
        many = "1 message" if lost == 1 else f"{lost} messages"
        found.append(f"{many} of the last 24 hours didn’t arrive, as far as we know.")
    return found


def about(kind: str) -> str:
    """A kind as settings call it; its name where the catalogue no longer has it."""
    return CATALOGUE[kind].about if kind in CATALOGUE else kind


def span(long: timedelta) -> str:
    """`4 seconds`, `90 minutes`, `3 hours`, `2 days`."""
    seconds = max(0, int(long.total_seconds()))
    unit, size = next((unit for unit in _UNITS if seconds >= 2 * unit[1]), ("second", 1))
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _rows(found: Sequence[Deliveries]) -> list[Row]:
    rows = [
        Row(
            about(one.kind),
            CHANNELS.get(one.channel, one.channel),
            WORDS.get(one.reason or one.state, one.state),
            one.messages,
            one.latest,
        )
        for one in found
    ]
    return sorted(rows, key=lambda row: (-row.messages, row.about, row.channel, row.words))
