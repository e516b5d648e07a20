"""Charts by their properties: everything inside, heights as the numbers are, lines and names where they belong."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import CURRENCIES, exponent_of
from app.core.templating import environment
from app.dashboards import charts
from app.dashboards.charts import HEIGHT, TOP, WIDTH, Bar, Chart, Series
from app.dashboards.instructor import income_chart, round_money, sessions_chart
from app.dashboards.instructor_months import Sessions, last_months
from app.settings import Settings
from tests.notifications.examples import START

MONTHS = last_months(START, "Europe/Lisbon")
NAMES = [(month.short, month.name) for month in MONTHS]
COUNTS = st.lists(st.integers(0, 400), min_size=12, max_size=12)
AMOUNTS = st.lists(st.integers(-9_000_000, 90_000_000), min_size=12, max_size=12)
ROUND = 0.011
"""Two roundings to hundredths of a unit."""


def zero_of(chart: Chart) -> float:
    (zero,) = [line for line in chart.lines if line.zero]
    return zero.y


def of_column(chart: Chart, at: int) -> list[Bar]:
    place = (chart.width - chart.axis) / len(chart.rows)
    left = chart.axis + at * place
    return [bar for bar in chart.bars if left <= bar.x and bar.x + bar.width <= left + place + ROUND]


@given(COUNTS, COUNTS)
def test_sessions_stand_one_on_the_other(completed: list[int], no_show: list[int]) -> None:
    chart = sessions_chart(MONTHS, [Sessions(*pair) for pair in zip(completed, no_show, strict=True)])
    unit = (HEIGHT - TOP - charts.BOTTOM) / int(chart.lines[-1].label)
    for at, pair in enumerate(zip(completed, no_show, strict=True)):
        bars = of_column(chart, at)
        assert [bar.key for bar in bars] == [
            key for key, value in zip(("completed", "no-show"), pair, strict=True) if value
        ]
        foot = zero_of(chart)
        for bar, value in zip(bars, [value for value in pair if value], strict=True):
            assert bar.height == pytest.approx(value * unit, abs=2 * ROUND)
            assert bar.y + bar.height == pytest.approx(foot, abs=2 * ROUND)
            assert bar.words.endswith(f": {value}")
            assert bar.words.startswith(MONTHS[at].name)
            foot = bar.y
    assert len(chart.bars) == sum(value > 0 for value in (*completed, *no_show))
    assert chart.empty is not any((*completed, *no_show))


@given(AMOUNTS, st.sampled_from(CURRENCIES))
def test_income_hangs_below_the_line_where_more_went_back(amounts: list[int], currency: str) -> None:
    chart = income_chart(MONTHS, currency, amounts)
    zero = zero_of(chart)
    for at, value in enumerate(amounts):
        bars = of_column(chart, at)
        assert len(bars) == (value != 0)
        for bar in bars:
            inside = chart.axis <= bar.x < bar.x + bar.width <= WIDTH
            assert inside
            assert TOP - ROUND <= bar.y <= bar.y + bar.height <= HEIGHT - charts.BOTTOM + ROUND
            edge = bar.y + bar.height if value > 0 else bar.y
            assert edge == pytest.approx(zero, abs=ROUND)
    tallest = max(chart.bars, key=lambda bar: bar.height, default=None)
    if tallest is not None:
        most = max(map(abs, amounts))
        for bar, value in zip(chart.bars, [value for value in amounts if value], strict=True):
            assert bar.height == pytest.approx(tallest.height * abs(value) / most, abs=0.03)


@given(st.integers(-(10**11), 10**11), st.integers(0, 10**11), st.sampled_from((1, 100, 1000)))
def test_scales_are_round_and_reach_around_everything(lowest: int, span: int, unit: int) -> None:
    highest = lowest + span
    scale = charts.scale_for(lowest, highest, unit=unit)
    assert scale.low <= min(lowest, 0) <= max(highest, 0) <= scale.high
    assert scale.low < scale.high
    steps = list(scale.steps())
    assert steps[0] == scale.low
    assert steps[-1] == scale.high
    assert 0 in steps
    assert 2 <= len(steps) <= charts.MOST_LINES + 3
    assert re.fullmatch(r"[125]0*", str(scale.step))
    whole = max(abs(lowest), abs(highest)) >= unit * charts.MOST_LINES
    assert not whole or scale.step % unit == 0
    assert all(scale.y(below) > scale.y(above) for below, above in pairwise(steps))
    assert (scale.y(scale.high), scale.y(scale.low)) == (TOP, HEIGHT - charts.BOTTOM)


@given(st.integers(-99_999_999, 99_999_999), st.sampled_from(CURRENCIES))
def test_lines_say_their_amount(amount: int, currency: str) -> None:
    text = round_money(amount, currency)
    assert len(text) <= 16
    whole, part = divmod(abs(amount), 10 ** exponent_of(currency))
    digits = re.sub(r"[^\d.k]", "", text)
    said = int(digits.removesuffix("k")) * 1000 if digits.endswith("k") else float(digits)
    assert said == pytest.approx(whole + part / 10 ** exponent_of(currency))
    assert text.startswith("-") is (amount < 0)


def test_words_of_round_amounts() -> None:
    said = [
        round_money(amount, currency) for amount, currency in ((0, "EUR"), (120_000, "EUR"), (-50_000, "USD"))
    ]
    assert said == ["€0", "€1,200", "-$500"]
    assert [round_money(104_000, "JPY"), round_money(1_500_000, "CHF")] == ["¥104k", "CHF 15k"]
    assert [round_money(10_500_00, "EUR"), round_money(20, "EUR")] == ["€10,500", "€0.20"]


@given(COUNTS)
def test_words_stand_inside_and_apart(values: list[int]) -> None:
    chart = charts.columns("c", "T", NAMES, [Series("s", "S", values)], lambda value: f"{value} things")
    assert [mark.text for mark in chart.marks] == [month.short for month in MONTHS][1::2]
    assert chart.marks[-1].text == MONTHS[-1].short
    assert all(later.x - mark.x >= 22 for mark, later in pairwise(chart.marks))
    half_a_name = 11
    assert chart.marks[-1].x + half_a_name <= chart.width + 2
    assert max(len(line.label) for line in chart.lines) * charts.LETTER < chart.axis
    assert [row.name for row in chart.rows] == [month.name for month in MONTHS]
    assert [row.cells for row in chart.rows] == [(f"{value} things",) for value in values]


def test_a_chart_of_no_columns_is_empty() -> None:
    chart = charts.columns("c", "T", [], [Series("s", "S", [])])
    assert (chart.empty, chart.marks, chart.rows) == (True, (), ())
    assert len(chart.lines) == 2


def drawn(chart: Chart) -> str:
    return environment(Settings()).get_template("dashboards/_chart.html").render(chart=chart)


def test_the_drawing_has_words_and_a_table_and_no_styles() -> None:
    held = [Sessions(number % 5, number % 2) for number in range(12)]
    svg = drawn(sessions_chart(MONTHS, held))
    assert 'role="img" aria-labelledby="chart-sessions-title chart-sessions-desc"' in svg
    assert '<title id="chart-sessions-title">Sessions by month</title>' in svg
    assert (
        f"{sum(one.completed for one in held)} completed, 6 no-show, {MONTHS[0].name} to {MONTHS[-1].name}"
        in svg
    )
    assert svg.count("<rect") == 2 + sum(one.completed > 0 for one in held) + 6  # two of them in the legend
    assert len(re.findall(r"<tr><th scope=\"row\">", svg)) == 12
    assert not re.search(r"style=|<style|fill=|stroke=", svg)


def test_nothing_to_draw_says_what_will_be_here() -> None:
    assert "will be drawn here" in drawn(sessions_chart(MONTHS, [Sessions()] * 12))
    assert "<svg" not in drawn(sessions_chart(MONTHS, [Sessions()] * 12))


def test_names_can_not_break_out_of_the_drawing() -> None:
    names = [("<b>", "</svg><script>")]
    svg = drawn(charts.columns("c", "<T>", names, [Series("s", "<S>", [1])], lambda _: "<1>"))
    assert "<script" not in svg
    assert "<b>" not in svg
    assert "<1>" not in svg
