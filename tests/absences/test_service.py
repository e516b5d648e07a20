"""Being away: what is shown is what happens, all of it or nothing, and taking it back frees what can be freed."""

from __future__ import annotations

import datetime as dt
from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.absences.rules import Days
from app.booking import proposals
from app.booking.models import SessionStatus
from app.core import clock
from app.core.errors import Invalid, NotFound, Refused
from app.core.templating import iso
from app.settings import Settings
from tests.absences.support import ZONE, AwayDesk, at, changed, shown
from tests.booking.support import Desk, refused
from tests.support.queries import counted

WEEK = timedelta(days=7)


async def test_a_look_changes_nothing_and_says_what_it_is_about(away: AwayDesk) -> None:
    days = away.days()
    booked = await away.booked_on(days)
    found = await away.preview(days, extend=True)
    assert [one.concerned.session.id for one in found.planned] == [booked.id]
    assert (len(found.packs), found.holders, found.told) == (1, 1, [away.desk.cast["student"]])
    assert (await away.absences(), await away.proposals(), await away.told("mentor_away")) == ([], [], [])


async def test_the_same_weekday_and_time_of_the_next_week_is_proposed(away: AwayDesk) -> None:
    days = away.days()
    booked = await away.booked_on(days)
    done = await away.confirm(days)
    proposed = next(iter(await away.proposals()))
    assert proposed == (booked.id, at(done.planned[0].choice), "open")  # type: ignore[arg-type]
    assert local(proposed[1]) == (local(booked.start)[0] + WEEK, local(booked.start)[1])
    row = await away.desk.session(booked.id)
    assert (row.scheduled_at, row.version, row.status) == (booked.start, 0, "scheduled")


def local(instant: dt.datetime) -> tuple[dt.date, dt.time]:
    there = instant.astimezone(ZoneInfo(ZONE))
    return there.date(), there.time()


async def test_no_two_proposals_are_in_each_others_way(away: AwayDesk) -> None:
    """With one free hour a week for everybody the second has another time, and the third too."""
    days = away.days(count=14)
    others = [await away.desk.student(n, sessions=2) for n in range(3)]
    span = days.span(ZONE)
    assert span is not None
    offers = [start for start in await away.desk.offers(others[0], days=30) if start.timestamp() >= span[0]]
    first = offers[0]
    await away.desk.book(others[0], first)
    await away.desk.book(others[1], next(s for s in offers if s >= first + timedelta(minutes=60)))
    await away.desk.book(
        others[2], next(s for s in offers if local(s) == (local(first)[0] + WEEK, local(first)[1]))
    )
    done = await away.confirm(days)
    starts = sorted(start for _, start, _ in await away.proposals())
    assert len(starts) == len(done.planned) == 3
    assert all(before + timedelta(hours=1) <= after for before, after in pairwise(starts))


async def test_what_is_proposed_can_be_accepted_by_each(away: AwayDesk) -> None:
    days = away.days()
    students = [await away.desk.student(n, sessions=1) for n in range(4)]
    sessions = [await away.booked_on(days, who, number * 2) for number, who in enumerate(students)]
    await away.confirm(days)
    for session_id, start, _ in await away.proposals():
        booked = next(one for one in sessions if one.id == session_id)
        assert (await away.desk.move(booked.student_id, session_id, start)).start == start
    assert {status for _, _, status in await away.proposals()} == {"accepted"}


async def test_the_days_are_closed_at_once_and_whoever_books_there_is_refused(away: AwayDesk) -> None:
    days, desk = away.days(), away.desk
    before = await desk.offers("student", days=30)
    await away.confirm(days)
    after = await desk.offers("student", days=30)
    gone = [start for start in before if days.first <= local(start)[0] <= days.last]
    assert gone
    assert after == [start for start in before if start not in gone]
    error = await refused("slot_not_offered", desk.book("student", gone[0]))
    assert (error.refusal.reason, "away" in error.refusal.detail) == ("away", True)


async def test_an_absence_beats_an_override(away: AwayDesk) -> None:
    days = away.days(count=1)
    await away.desk.sql(
        "insert into date_overrides values (:id, :day, '[[0, 1440]]')",
        id=away.desk.cast["mentor"],
        day=days.first,
    )
    await away.confirm(days)
    assert days.first not in {local(start)[0] for start in await away.desk.offers("student", days=30)}


async def test_left_out_canceled_and_chosen_as_the_mentor_says(away: AwayDesk) -> None:
    days, desk = away.days(), away.desk
    kept, canceled, chosen = [await away.booked_on(days, number=number * 2) for number in range(3)]
    looked = await away.preview(days)
    options = next(one.options for one in looked.planned if one.concerned.session.id == chosen.id)
    choices: dict[Any, Any] = {kept.id: "keep", canceled.id: "cancel", chosen.id: options[-1]}
    await away.confirm(days, choices=choices)
    assert await away.proposals() == [(chosen.id, at(options[-1]), "open")]
    assert (await desk.session(kept.id)).status is SessionStatus.SCHEDULED
    row, pack = await desk.session(canceled.id), await desk.pack(canceled.pack_id)
    assert (row.status, row.canceled_by, pack.remaining_sessions) == (SessionStatus.CANCELED, "mentor", 4)
    told = {one["session_id"]: one for one in (await away.told("mentor_away"))[0]["sessions"]}
    assert told[str(kept.id)]["proposed"] is None
    assert told[str(canceled.id)]["canceled"] is True
    assert told[str(chosen.id)]["proposed"] == iso(at(options[-1]))


async def test_a_time_that_nobody_offers_is_not_proposed(away: AwayDesk) -> None:
    days = away.days()
    booked = await away.booked_on(days)
    odd = int((booked.start + WEEK).timestamp()) + 60
    error = await changed(away.confirm(days, choices={booked.id: odd}))
    assert error.preview.planned[0].gone == odd
    assert (await away.absences(), await away.proposals()) == ([], [])


async def test_packs_get_the_days_and_each_student_hears_of_it_once(
    away: AwayDesk, settings: Settings
) -> None:
    days, desk = away.days(), away.desk
    booked = await away.booked_on(days)
    idle = await desk.student(sessions=3)
    before = await desk.sql(
        "select id, expires_at from session_packs where mentor_id = :id", id=desk.cast["mentor"]
    )
    await away.confirm(days, extend=True)
    for pack_id, end in before:
        assert (await desk.pack(pack_id)).expires_at == end + WEEK
    other = await desk.pack(desk.cast.packs["other_student"])
    assert other.expires_at < clock.now() + timedelta(days=46)
    audited = await desk.sql(
        "select subject_id, after from audit_log where action = 'extend' order by subject_id"
    )
    assert {row.subject_id for row in audited} == {id_ for id_, _ in before}
    assert all(row.after["days"] == 7 for row in audited)
    mails = await away.mails(settings, "mentor_away")
    assert {mail.recipient_id for mail in mails} == {booked.student_id, idle}
    assert len(mails) == 2
    sessions = {mail.recipient_id: mail.context["sessions"] for mail in mails}
    assert sessions[idle] == []
    assert sessions[booked.student_id][0]["link"].endswith(f"/sessions/{booked.id}/proposal")
    assert {mail.context["days_added"] for mail in mails} == {7}


async def test_an_absence_made_again_gives_only_the_days_that_are_new(
    away: AwayDesk, settings: Settings
) -> None:
    """Taken back and made again with two days more: packs that have the week get these two, a pack bought since all."""
    desk, days, longer = away.desk, away.days(count=7), away.days(count=9)
    pack_id = desk.cast.packs["student"]
    before = (await desk.pack(pack_id)).expires_at
    await away.confirm(days, extend=True)
    await away.end((await away.absences())[0].id)
    again = await away.preview(days, extend=True)
    assert (again.packs, again.had, again.holders) == ({}, 1, 1)
    with clock.standing_at(clock.now() + timedelta(seconds=2)):
        new = await desk.student()
    with clock.standing_at(clock.now() + timedelta(seconds=4)):
        done = await away.confirm(longer, extend=True)
    assert done.packs[pack_id] == 2
    assert (await desk.pack(pack_id)).expires_at == before + timedelta(days=9)
    assert sorted(done.packs.values()) == [2, 9]
    mails = (await away.mails(settings, "mentor_away"))[-2:]
    assert {mail.recipient_id: mail.context["days_added"] for mail in mails} == {
        desk.cast["student"]: 2,
        new: 9,
    }
    await away.end((await away.absences())[1].id)
    assert (await away.preview(longer, extend=True)).packs == {}
    await away.confirm(longer, extend=True)
    assert (await away.absences())[2].days_added == 0
    assert (await desk.pack(pack_id)).expires_at == before + timedelta(days=9)


async def test_days_that_no_pack_was_given_are_given(away: AwayDesk) -> None:
    days = away.days()
    await away.confirm(days)
    await away.end((await away.absences())[0].id)
    assert list((await away.preview(days, extend=True)).packs.values()) == [7]


async def test_without_the_wish_packs_keep_their_end(away: AwayDesk, settings: Settings) -> None:
    before = (await away.desk.pack(away.desk.cast.packs["student"])).expires_at
    await away.confirm(away.days())
    assert (await away.desk.pack(away.desk.cast.packs["student"])).expires_at == before
    assert [mail.context["days_added"] for mail in await away.mails(settings, "mentor_away")] == [0]
    assert (await away.absences())[0].days_added == 0


async def test_a_pack_that_ends_before_the_absence_loses_no_day(away: AwayDesk) -> None:
    short = await away.desk.grant("student", days=5)
    found = await away.preview(away.days(), extend=True)
    assert short not in found.packs
    assert len(found.packs) == 1


async def test_the_extension_counts_for_what_can_be_proposed(away: AwayDesk) -> None:
    """The pack ends with the week: only a longer one reaches the next."""
    days = away.days()
    booked = await away.booked_on(days)
    ends = at(days.span(ZONE)[1])  # type: ignore[index]
    await away.desk.sql(
        "update session_packs set expires_at = :ends where id = :id", ends=ends, id=booked.pack_id
    )
    assert (await away.preview(days)).planned[0].suggestion is None
    longer = await away.preview(days, extend=True)
    assert longer.planned[0].suggestion is not None
    done = await away.confirm(days, extend=True)
    moved = await away.desk.move("student", booked.id, at(done.planned[0].choice))  # type: ignore[arg-type]
    assert moved.pack_id == booked.pack_id


async def test_where_nothing_is_free_the_session_stays(away: AwayDesk) -> None:
    days = away.days()
    booked = await away.booked_on(days)
    await away.desk.sql(
        "update mentors set horizon_days = 14, working_hours = (select jsonb_object_agg(day, cast('[]' as jsonb))"
        " from generate_series(1, 7) day) where id = :id",
        id=away.desk.cast["mentor"],
    )
    done = await away.confirm(days)
    assert (done.planned[0].suggestion, done.planned[0].options, done.planned[0].choice) == (None, [], "keep")
    assert (await away.desk.session(booked.id)).status is SessionStatus.SCHEDULED


async def test_the_students_sessions_with_others_are_in_the_way(away: AwayDesk) -> None:
    days, desk = away.days(), away.desk
    booked = await away.booked_on(days)
    usual = (await away.preview(days)).planned[0].suggestion
    await desk.grant("student", mentor="other_mentor")
    every_hour = "(select jsonb_object_agg(day, cast('[[0, 1440]]' as jsonb)) from generate_series(1, 7) day)"
    await desk.sql(
        f"update mentors set working_hours = {every_hour} where id = :id", id=desk.cast["other_mentor"]
    )
    await desk.book("student", at(usual), mentor="other_mentor")  # type: ignore[arg-type]
    found = (await away.preview(days)).planned[0]
    assert found.concerned.session.id == booked.id
    assert found.suggestion is not None
    assert found.suggestion != usual
    assert usual not in found.options


async def test_a_session_that_was_booked_since_brings_the_look_back(away: AwayDesk) -> None:
    days = away.days()
    seen = shown(await away.preview(days))
    booked = await away.booked_on(days)
    error = await changed(away.confirm(days, seen=seen))
    assert (error.status, error.code, set(error.new), error.gone) == (
        409,
        "changed_meanwhile",
        {booked.id},
        0,
    )
    assert (await away.absences(), await away.told("mentor_away")) == ([], [])
    await away.confirm(days, seen=shown(error.preview))
    assert len(await away.absences()) == 1


async def test_a_session_that_moved_or_was_canceled_since_brings_it_back(away: AwayDesk) -> None:
    days, desk = away.days(), away.desk
    moved, canceled = await away.booked_on(days), await away.booked_on(days, number=4)
    seen = shown(await away.preview(days))
    await desk.move("student", moved.id, moved.start + timedelta(minutes=30))
    await desk.cancel("student", canceled.id)
    error = await changed(away.confirm(days, seen=seen))
    assert (set(error.new), error.gone) == ({moved.id}, 1)
    assert await away.absences() == []


async def test_a_chosen_time_that_somebody_took_brings_it_back(away: AwayDesk) -> None:
    days, desk = away.days(), away.desk
    booked = await away.booked_on(days)
    looked = await away.preview(days)
    wanted = looked.planned[0].suggestion
    assert wanted is not None
    await desk.book(await desk.student(), at(wanted))
    error = await changed(away.confirm(days, seen=shown(looked), choices={booked.id: wanted}))
    again = error.preview.planned[0]
    assert (again.gone, again.suggestion not in (None, wanted)) == (wanted, True)
    assert (await away.absences(), await away.proposals()) == ([], [])


async def test_no_day_is_in_two_absences(away: AwayDesk) -> None:
    await away.confirm(away.days(7, 7))
    for after, count in ((13, 3), (1, 7), (8, 1), (1, 60)):
        with pytest.raises(Invalid) as caught:
            await away.confirm(away.days(after, count))
        assert "first_day" in caught.value.fields
    await away.confirm(away.days(14, 1))
    await away.confirm(away.days(7, 7), who="other_mentor")
    assert len(await away.absences()) == 3


async def test_taking_it_back_frees_the_days_and_withdraws_what_waits(
    away: AwayDesk, settings: Settings
) -> None:
    days, desk = away.days(), away.desk
    other = await desk.student()
    stays, moves = await away.booked_on(days), await away.booked_on(days, other, 4)
    before = await desk.offers("student", days=30)
    done = await away.confirm(days, extend=True)
    chosen = {one.concerned.session.id: one.choice for one in done.planned}
    await desk.move(other, moves.id, at(chosen[moves.id]))  # type: ignore[arg-type]
    ends = (await desk.pack(stays.pack_id)).expires_at
    absence = (await away.absences())[0]
    await away.end(absence.id)
    await away.end(absence.id)  # again: nothing happens
    assert {(id_, status) for id_, _, status in await away.proposals()} == {
        (stays.id, "withdrawn"),
        (moves.id, "accepted"),
    }
    free = set(await desk.offers("student", days=30))
    assert {start for start in before if local(start)[0] <= days.last} <= free
    assert (await desk.pack(stays.pack_id)).expires_at == ends
    mails = await away.mails(settings, "mentor_back")
    assert [(mail.recipient_id, len(mail.context["sessions"])) for mail in mails] == [(stays.student_id, 1)]
    assert await away.mails(settings, "mentor_away") == []  # not sent yet, and not true any more


async def test_only_the_proposals_of_that_absence_are_withdrawn(away: AwayDesk) -> None:
    first, second = away.days(7, 7), away.days(14, 7)
    one, two = await away.booked_on(first), await away.booked_on(second)
    await away.confirm(first)
    await away.confirm(second)
    await away.end((await away.absences())[0].id)
    assert {id_: status for id_, _, status in await away.proposals()} == {one.id: "withdrawn", two.id: "open"}


async def test_an_absence_that_is_over_stays(away: AwayDesk) -> None:
    days = away.days(0, 2)
    await away.confirm(days)
    absence = (await away.absences())[0]
    with clock.standing_at(clock.now() + timedelta(days=3)), pytest.raises(Refused, match="over already"):
        await away.end(absence.id)
    with pytest.raises(NotFound):
        await away.end(absence.id, who="other_mentor")
    assert (await away.absences())[0].ended_at is None


async def test_a_session_under_way_or_over_is_not_concerned(away: AwayDesk) -> None:
    booked = await away.booked_on(away.days())
    day = local(booked.start)[0]
    for later, count in ((timedelta(minutes=-5), 1), (timedelta(), 0), (timedelta(minutes=30), 0)):
        with clock.standing_at(booked.start + later):
            assert len((await away.preview(Days(day, day))).planned) == count


async def test_a_session_with_a_proposal_keeps_it_if_it_still_fits(away: AwayDesk) -> None:
    first, desk = away.days(7, 7), away.desk
    booked = await away.booked_on(first)
    done = await away.confirm(first)
    await away.end((await away.absences())[0].id)
    usual = at(done.planned[0].choice)  # type: ignore[arg-type]
    later = [start for start in await desk.offers("student", days=40) if start > usual + WEEK]
    async with desk.database.unit_of_work(desk.principal("mentor")) as uow:
        await proposals.propose(uow, booked.id, later[0])
    again = await away.confirm(first)
    assert again.planned[0].choice == int(later[0].timestamp())
    assert [status for _, _, status in await away.proposals()] == ["withdrawn", "open"]


async def test_the_look_takes_a_constant_number_of_queries(away: AwayDesk, desk: Desk) -> None:
    days = away.days()
    found = []
    for number in range(2):
        for extra in range(1 + number * 3):
            await away.booked_on(days, await desk.student(extra, sessions=2), extra * 2)
        with counted() as statements:
            await away.preview(days, extend=True)
        found.append(len(statements))
    assert found[0] == found[1]
