"""Column charts as geometry: what is drawn where, for a template to write down as SVG. Pure; no library.

Units are those of the viewBox, which is as wide as a phone's column: there a unit is a pixel. Numbers come as integers
(sessions, minor units of money) and may be negative: those columns hang below the line of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 288
HEIGHT: Final = 168
TOP: Final = 16
"""Room for the words above the highest line."""
BOTTOM: Final = 20
"""Room for the months."""
LETTER: Final = 5.6
"""About as wide as a digit of a line's number."""
AXIS_GAP: Final = 6
NAMED: Final = 2
"""Every so many columns, counted from the last, carry their name."""
GAP: Final = 0.3
"""Of a column's place, how much is left free."""
MOST_LINES: Final = 4
SCALES: Final = (1, 2, 5)


@dataclass(frozen=True)
class Series:
    """Numbers of one kind, one a column. `key` names them in classes of the page, `name` for people."""

    key: str
    name: str
    values: Sequence[int]


@dataclass(frozen=True)
class Bar:
    """A part of a column; `words` say what it stands for."""

    key: str
    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True)
class Line:
    """A horizontal line across the chart, with its number."""

    y: float
    label: str
    zero: bool


@dataclass(frozen=True)
class Mark:
    """A column's name under it, centred at `x`."""

    x: float
    text: str


@dataclass(frozen=True)
class Row:
    """A column as a line of the table: its full name and its numbers in words."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """Everything that the template writes down. Right of `axis` are the columns; `marks_y`: where their names stand."""

    key: str
    title: str
    summary: str
    axis: float
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    rows: tuple[Row, ...]
    width: int = WIDTH
    height: int = HEIGHT
    marks_y: int = HEIGHT - 6

    @property
    def empty(self) -> bool:
        """True if there is nothing to draw."""
        return not self.bars


@dataclass(frozen=True)
class Scale:
    """From numbers to heights: `low` lies at the bottom of the drawing and `high` at its top, multiples of `step`."""

    low: int
    high: int
    step: int

    def y(self, value: int) -> float:
        """Where `value` lies, from above."""
        span = self.high - self.low
        return round(TOP + (self.high - value) * (HEIGHT - TOP - BOTTOM) / span, 2)

    def steps(self) -> range:
        """The numbers that get a line, the lowest first."""
        return range(self.low, self.high + 1, self.step)


def scale_for(lowest: int, highest: int, *, unit: int = 1) -> Scale:
    """A scale from `lowest` or 0 to `highest` or 0 in round steps: 1, 2 or 5 times a power of ten of `unit`s.

    A range too small for whole units (less than `unit`) is parted as finely as need be.
    """
    lowest, highest = min(lowest, 0), max(highest, 0, lowest + 1)
    step = _step((highest - lowest) / MOST_LINES, unit)
    return Scale(low=lowest // step * step, high=-(-highest // step) * step, step=step)


def _step(least: float, unit: int) -> int:
    power = unit if least >= unit else 1
    while True:
        for factor in SCALES:
            if factor * power >= least:
                return factor * power
        power *= 10


def columns(
    key: str,
    title: str,
    names: Sequence[tuple[str, str]],
    series: Sequence[Series],
    in_words: Callable[[int], str] = str,
    *,
    summary: str = "",
    unit: int = 1,
    on_lines: Callable[[int], str] | None = None,
) -> Chart:
    """A chart with a column for each of `names` (short, full), the series stacked from the line of zero.

    `in_words` spells a number out for the table, `on_lines` beside a line; `unit`: what the lines count in.
    """
    totals = [[one.values[at] for one in series] for at in range(len(names))]
    lowest = min((sum(min(value, 0) for value in column) for column in totals), default=0)
    highest = max((sum(max(value, 0) for value in column) for column in totals), default=0)
    scale = scale_for(lowest, highest, unit=unit)
    lines = [Line(scale.y(value), (on_lines or in_words)(value), value == 0) for value in scale.steps()]
    axis = round(max(len(line.label) for line in lines) * LETTER + AXIS_GAP, 2)
    place = (WIDTH - axis) / max(len(names), 1)
    named = {at for at in range(len(names)) if (len(names) - 1 - at) % NAMED == 0}
    return Chart(
        key=key,
        title=title,
        summary=summary,
        axis=axis,
        series=tuple(series),
        bars=tuple(_bars([full for _, full in names], series, scale, axis, in_words)),
        lines=tuple(lines),
        marks=tuple(Mark(round(axis + (at + 0.5) * place, 2), names[at][0]) for at in sorted(named)),
        rows=tuple(
            Row(full, tuple(map(in_words, column))) for (_, full), column in zip(names, totals, strict=True)
        ),
    )


def _bars(
    names: Sequence[str], series: Sequence[Series], scale: Scale, axis: float, in_words: Callable[[int], str]
) -> Iterator[Bar]:
    place = (WIDTH - axis) / max(len(names), 1)
    for at, name in enumerate(names):
        above = below = 0
        for one in series:
            value = one.values[at]
            if not value:
                continue
            start = above if value > 0 else below
            y, foot = sorted((scale.y(start), scale.y(start + value)))
            above, below = above + max(value, 0), below + min(value, 0)
            yield Bar(
                key=one.key,
                x=round(axis + (at + GAP / 2) * place, 2),
                y=y,
                width=round((1 - GAP) * place, 2),
                height=round(foot - y, 2),
                words=f"{name}, {one.name.lower()}: {in_words(value)}",
            )
