"""What a measure says, and how much of the machine's time it may take."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from bench.crowd import CLASS, SCHOOL, Crowd


@dataclass(frozen=True)
class Result:
    """One line of `make bench`. `baseline`: a limit, or a peer measured in the same run; `ratio` = value / baseline.

    `n`: how many single measurements the value rests on; `concurrency`: how many at once.
    """

    bench: str
    value: float
    unit: str
    baseline: float
    ratio: float
    n: int
    concurrency: int

    def line(self) -> str:
        """The JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class Effort:
    """How long and how often: each side of a comparison runs `rounds` times for `seconds`, at each concurrency.

    Before that each warms up for `warm_up` seconds. `crowd`: how many people lists are measured with.
    """

    seconds: float
    rounds: int
    warm_up: float
    concurrencies: tuple[int, ...]
    crowd: Crowd


FULL = Effort(seconds=1.5, rounds=5, warm_up=1.0, concurrencies=(1, 8, 32), crowd=SCHOOL)
QUICK = Effort(seconds=0.05, rounds=1, warm_up=0.05, concurrencies=(2,), crowd=CLASS)


def compared(
    bench: str, unit: str, values: Sequence[float], baselines: Sequence[float], *, n: int, concurrency: int
) -> Result:
    """The medians of rounds that took turns, beside each other."""
    value, baseline = median(values), median(baselines)
    return Result(
        bench, round(value, 1), unit, round(baseline, 1), round(value / baseline, 3), n, concurrency
    )


def say(text: str) -> None:
    """Progress, for whoever watches."""
    print(text, file=sys.stderr, flush=True)
