"""Forms of mentors: whatever is saved can be shown and posted again, and nonsense never gets through."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.mentors import rules
from app.mentors.hours import MINUTES_A_DAY, WallInterval, merge_day, validate_day
from app.mentors.rules import Availability, Form
from app.site.settings_view import availability_section, posted_availability

TODAY = dt.date(2027, 3, 9)
PATIENT = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
ZONES = st.sampled_from(("Europe/Lisbon", "Asia/Kolkata", "UTC", "America/Argentina/Buenos_Aires"))


@st.composite
def days(draw: st.DrawFn) -> list[WallInterval]:
    """A day's hours as they are kept: sorted, apart from each other."""
    marks = draw(st.lists(st.integers(0, MINUTES_A_DAY), unique=True, max_size=8))
    marks = sorted(marks)[: len(marks) // 2 * 2]
    return list(zip(marks[::2], marks[1::2], strict=True))


@st.composite
def availabilities(draw: st.DrawFn) -> Availability:
    """Anything that a mentor may have saved."""
    hours = {day: spans for day in range(1, 8) if (spans := draw(days()))}
    numbers = {name: draw(st.integers(span.low, span.high)) for name, span in rules.NUMBERS.items()}
    return Availability(time_zone=draw(ZONES), hours=hours or None, **numbers)


def posted(section: dict[str, Any]) -> Form:
    """What a browser would post of the section, unchanged."""
    form = {name: [str(value)] for name, value in section["form"].items()}
    for day in section["days"]:
        form[f"{day['key']}_start"] = [pair["start"] for pair in day["intervals"]] + [""]
        form[f"{day['key']}_end"] = [pair["end"] for pair in day["intervals"]] + [""]
    return form


@PATIENT
@given(availabilities())
def test_what_is_saved_comes_back_from_the_form(saved: Availability) -> None:
    form = posted(availability_section(saved))
    assert rules.read_availability(form) == saved
    # Shown again as it was posted, it is the same form.
    assert posted(posted_availability(form)) == form


CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 25), st.integers(0, 61))
TEXTS = st.one_of(CLOCKS, st.sampled_from(["", " ", "9:00", "09:00:00", "noon", "٠٩:٠٠", "09:00\n"]))


def outcome(form: Form) -> Availability | dict[str, str]:
    """What was read, or the sentences by field."""
    try:
        return rules.read_availability(form)
    except Invalid as error:
        return error.fields


@PATIENT
@given(st.dictionaries(st.sampled_from(["monday_start", "monday_end"]), st.lists(TEXTS, max_size=4)))
def test_hours_that_get_through_are_sound(fields: dict[str, list[str]]) -> None:
    form = {"time_zone": ["UTC"], **{name: [str(span.low)] for name, span in rules.NUMBERS.items()}}
    read = outcome(form | fields)
    if isinstance(read, dict):
        assert read.keys() == {"hours.monday"}
    else:
        spans = (read.hours or {}).get(1, [])
        assert validate_day(spans) == []
        assert tuple(spans) == merge_day(spans)


@PATIENT
@given(st.dictionaries(st.text(max_size=12), st.lists(st.text(max_size=8), max_size=3)))
def test_anything_else_is_refused_with_a_sentence_for_each_field(form: dict[str, list[str]]) -> None:
    with pytest.raises(Invalid) as caught:
        rules.read_availability(form)
    assert set(rules.NUMBERS) <= caught.value.fields.keys() | form.keys()
    assert all(sentence.endswith(".") for sentence in caught.value.fields.values())


@pytest.mark.parametrize(
    ("form", "intervals"),
    [
        ({"closed": ["1"]}, []),
        ({"closed": ["1"], "start": ["", ""], "end": ["", ""]}, []),
        ({"start": ["22:00"], "end": ["00:00"]}, [(1320, 1440)]),
        ({"start": ["00:00"], "end": ["00:00"]}, [(0, 1440)]),
        ({"start": ["10:00", "09:00"], "end": ["11:00", "10:00"]}, [(540, 660)]),
        ({"closed": ["0"], "start": ["09:00:00"], "end": ["10:00"]}, [(540, 600)]),
    ],
)
def test_overrides(form: dict[str, list[str]], intervals: list[WallInterval]) -> None:
    read = rules.read_override(form | {"date": [" 2027-03-09 "]}, TODAY)
    assert (read.date, read.intervals) == (TODAY, intervals)


@pytest.mark.parametrize(
    "date", ["", "2027-3-9", "09.03.2027", "2027-03-08", "2029-03-09", "9999-12-31", "20270309T0000"]
)
def test_dates_that_make_no_sense(date: str) -> None:
    with pytest.raises(Invalid) as caught:
        rules.read_override({"date": [date], "closed": ["1"]}, TODAY)
    assert caught.value.fields.keys() == {"date"}


def test_both_things_wrong_are_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        rules.read_override({"date": ["x"], "start": ["9"], "end": ["10"]}, TODAY)
    assert list(caught.value.fields) == ["date", "intervals"]


def test_a_headline_is_one_line_and_a_bio_keeps_its_paragraphs() -> None:
    form = {"headline": [" a\r\nb  c "], "bio": [" One.\r\n\r\nTwo. "], "max_active_students": [" 12 "]}
    assert rules.read_profile(form) == rules.Profile("a b c", "One.\n\nTwo.", 12)
