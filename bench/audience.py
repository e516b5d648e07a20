"""Who takes part in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bench.hours import Hours
from bench.people import Looker, Pair


@dataclass(frozen=True)
class Audience:
    """One who looks, and pairs who book. `now`: when the month they ask about begins."""

    looker: Looker
    pairs: Sequence[Pair]
    hours: Hours
    now: datetime
