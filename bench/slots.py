"""How long the slot engine takes for a month of a busy mentor: `python -m bench.slots`."""

import json
import random
import statistics
import time
from dataclasses import replace
from typing import Any

from app.booking.slots import Rules, Snapshot, Span, offered

DAYS = 31
LIMIT_MS = {100: 1.0, 500: 3.0}
ROUNDS = 400
NOW = 1_792_800_000
"""2026-10-24T00:00Z: the month holds the end of summer time in Lisbon."""

DEMO = Rules(
    time_zone="Europe/Lisbon",
    hours=dict.fromkeys(range(1, 6), ((540, 720), (810, 1080))),
    calendar_connected=True,
    notice_minutes=0,
)
MENTORS = {
    "working hours": DEMO,
    "hours and buffers": replace(DEMO, buffer_before_minutes=10, buffer_after_minutes=15),
    "calendar only": replace(DEMO, hours=None),
}


def run() -> list[dict[str, Any]]:
    """One result a case: median milliseconds of `offered` over 31 days, beside the limit.

    Cases: 100 and 500 busy windows, each for the demo mentor, with buffers, and without working hours.
    """
    cases = [(windows, kind) for windows in LIMIT_MS for kind in MENTORS]
    return [_result(windows, kind) for windows, kind in cases]


def _result(windows: int, kind: str) -> dict[str, Any]:
    value = _median_ms(MENTORS[kind], Snapshot(busy=_busy_windows(windows)))
    return {
        "bench": f"slots: {DAYS} days, {windows} busy windows, {kind}",
        "value": round(value, 3),
        "unit": "ms",
        "baseline": LIMIT_MS[windows],
        "ratio": round(value / LIMIT_MS[windows], 3),
        "n": ROUNDS,
        "concurrency": 1,
    }


def _median_ms(rules: Rules, snapshot: Snapshot) -> float:
    times = []
    for now in range(NOW, NOW + ROUNDS):
        began = time.perf_counter()
        offered(rules, snapshot, now, now, now + DAYS * 86_400)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _busy_windows(count: int) -> tuple[Span, ...]:
    """Meetings of 15 to 90 min on the five-minute grid all over the month, in no order."""
    chance = random.Random(count)
    starts = [NOW + chance.randrange(0, DAYS * 86_400, 300) for _ in range(count)]
    return tuple((start, start + chance.randrange(15, 91, 5) * 60) for start in starts)


if __name__ == "__main__":
    for result in run():
        print(json.dumps(result))
