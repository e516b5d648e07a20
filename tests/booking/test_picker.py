"""The picker shows what the engine offers: no slot more or less, each on its date, each closed time with its reason."""

from __future__ import annotations

from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from whenever import Date

from app.booking import dates
from app.booking.offers import Offers
from app.booking.picker import Picker
from app.booking.situation import MentorView, OwnSession, PackView, SeatView, Situation
from app.booking.slots import Rules, Snapshot
from tests.booking.slots_strategies import ZONES, situations
from tests.booking.slots_strategies import Situation as Case

MENTOR, STUDENT_PACK = UUID(int=1), UUID(int=2)


def offers_of(case: Case) -> Offers:
    """The case as a student with one pack meets it."""
    rules, snapshot = case.rules, case.snapshot
    mentor = MentorView(
        id=MENTOR,
        name="Mentor",
        slug="mentor",
        time_zone=rules.time_zone,
        hours=None if rules.hours is None else {day: [*spans] for day, spans in rules.hours.items()},
        overrides={day: [*spans] for day, spans in rules.overrides.items()},
        calendar="connected" if rules.calendar_connected else None,
        mirrored_at=None,
        notice_minutes=rules.notice_minutes,
        horizon_days=rules.horizon_days,
        session_minutes=min(rules.length_minutes, 480),  # as far as the database lets mentors go
        step_minutes=rules.step_minutes,
        buffer_before_minutes=min(rules.buffer_before_minutes, 240),
        buffer_after_minutes=min(rules.buffer_after_minutes, 240),
    )
    own = [
        OwnSession(UUID(int=9), UUID(int=8), UUID(int=7), start, end, (start, end))
        for start, end in snapshot.own
    ]
    ends = snapshot.valid_until or case.now + 10**9
    pack = PackView(STUDENT_PACK, "active", False, 4, 4, 0, case.now - 1, max(ends, case.now + 1))
    found = Situation(mentor, [*snapshot.busy], [*snapshot.blocked], own, [pack], SeatView("active", None))
    return Offers(found, case.now, student=True)


def picker_of(case: Case, zone: str) -> tuple[Picker, Date]:
    picker = Picker(offers_of(case), zone, "/calendar", {"mentor_id": str(MENTOR)})
    return picker, dates.date_of(case.start, zone)


@settings(deadline=None)
@given(situations(), st.sampled_from(ZONES))
def test_a_day_shows_its_slots_in_order_and_the_cell_counts_them(case: Case, zone: str) -> None:
    picker, date = picker_of(case, zone)
    since, until = dates.bounds(date, zone)
    offered = [slot.start for slot in picker.offers.between(since, until)]
    day = picker.day(date)
    shown = [slot for part in day.parts for slot in part.slots]
    assert len(shown) == day.count == len(offered)
    assert len({slot.face.id for slot in shown}) == len({slot.key for slot in shown}) == len(shown)
    assert [slot.face.iso for slot in shown] == [
        dates.zoned(start, "UTC").to_instant().format_iso() for start in offered
    ]
    assert (day.nothing is None) == bool(shown)
    cell = picker.cell(date, date)
    assert cell.selected
    assert f"{len(offered) or 'no'} free time" in cell.spoken
    assert (cell.level > 0) == bool(offered)


# One minute into the day St. John's set its clocks back an hour, into the day before.
MIDNIGHT_TWICE = Case(
    Rules(time_zone="America/St_Johns", hours=None, calendar_connected=True, notice_minutes=0),
    Snapshot(),
    *[562_127_460] * 3,
)


@settings(deadline=None)
@given(situations(), st.sampled_from(ZONES))
@example(MIDNIGHT_TWICE, "America/St_Johns")
def test_the_month_counts_what_its_days_show(case: Case, zone: str) -> None:
    picker, date = picker_of(case, zone)
    month = picker.month(date.year_month(), None)
    cells = {cell.date: cell for week in month["weeks"] for cell in week if cell is not None}
    for shift in (-1, 0, 1):
        neighbour = date.add(days=shift)
        if neighbour.year_month() == date.year_month():
            assert cells[str(neighbour)].spoken == picker.cell(neighbour, None).spoken


@settings(deadline=None)
@given(situations(), st.sampled_from(ZONES))
def test_a_window_alone_says_what_the_whole_says(case: Case, zone: str) -> None:
    """A day's slots are found from what lies near it; reading everything must not change them."""
    offers = offers_of(case)
    since, until = dates.bounds(dates.date_of(case.start, zone), zone)
    wide = offers.between(since - 3 * 86_400, until + 3 * 86_400)
    assert [slot for slot in wide if since <= slot.start < until] == offers.between(since, until)
    closed = offers.closed(since - 3 * 86_400, until + 3 * 86_400)
    assert [row for row in closed if since <= row[0] < until] == offers.closed(since, until)


@settings(deadline=None)
@given(situations())
def test_a_revoked_calendar_closes_every_time(case: Case) -> None:
    offers = offers_of(case)
    mentor = replace(offers.mentor, calendar="revoked")
    revoked = Offers(replace(offers.situation, mentor=mentor), case.now, student=True)
    window = case.start, case.end
    assert revoked.between(*window) == []
    assert not revoked.bookable
    before = {slot.start for slot in offers.between(*window)} | {row[0] for row in offers.closed(*window)}
    assert {row[0] for row in revoked.closed(*window)} == before
