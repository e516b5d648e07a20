"""Opening a dispute, answering it, and what that does to the session, the ledger, the pack and the seat."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.booking import service
from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from app.core.errors import Forbidden, Invalid, NotFound
from tests.disputes.support import (
    ANSWER,
    CANCELED,
    COMPLETED,
    NO_SHOW,
    REASON,
    REJECTED,
    SCHEDULED,
    UPHELD,
    Court,
    no,
)

DAYS_14 = timedelta(days=14)


@pytest.mark.parametrize("status", [COMPLETED, NO_SHOW])
async def test_a_mark_is_disputed_once(court: Court, booked: SessionFacts, status: SessionStatus) -> None:
    at = await court.marked(booked, status)
    with clock.standing_at(at + timedelta(hours=1)):
        id_ = await court.dispute(booked.id, f"  {REASON}\r\n ")
        await no("already_disputed", court.dispute(booked.id))
    (row,) = await court.rows()
    assert (row.id, row.session_id, row.status, row.marked) == (id_, booked.id, "open", status)
    assert (row.reason, row.opened_at, row.decided_at) == (REASON, at + timedelta(hours=1), None)
    assert (row.mentor_id, row.student_id) == (court.cast["mentor"], court.cast["student"])
    assert await court.told("session_disputed") == 1
    audited = await court.sql("select actor_id, subject_id from audit_log where action = 'dispute'")
    assert audited == [(court.cast["student"], booked.id)]


async def test_what_is_not_marked_is_not_disputed(court: Court, booked: SessionFacts) -> None:
    await no("not_marked", court.dispute(booked.id))
    with clock.standing_at(booked.start + timedelta(minutes=5)):
        await no("not_marked", court.dispute(booked.id))
    await court.cancel("student", booked.id)
    await no("not_marked", court.dispute(booked.id))
    assert await court.rows() == []


async def test_it_can_be_disputed_for_48_hours(court: Court, booked: SessionFacts) -> None:
    until = await court.marked(booked) + timedelta(hours=48)
    with clock.standing_at(until + timedelta(seconds=1)):
        await no("too_late", court.dispute(booked.id))
    with clock.standing_at(until):
        await court.dispute(booked.id)


async def test_the_hours_run_from_the_mark_not_from_the_session(court: Court, booked: SessionFacts) -> None:
    at = await court.marked(booked, at=booked.end + timedelta(days=1))
    with clock.standing_at(at + timedelta(hours=47)):
        await court.dispute(booked.id)


@pytest.mark.parametrize("words", ["", "  \n ", "Too short", "x" * 1001])
async def test_a_reason_has_10_to_1000_characters(court: Court, booked: SessionFacts, words: str) -> None:
    with clock.standing_at(await court.marked(booked)):
        with pytest.raises(Invalid) as caught:
            await court.dispute(booked.id, words)
        assert list(caught.value.fields) == ["reason"]
        await court.dispute(booked.id, "x" * 1000)


@pytest.mark.parametrize(
    ("who", "error"),
    [("other_student", NotFound), ("mentor", Forbidden), ("admin", Forbidden), ("anonymous", Forbidden)],
)
async def test_only_its_student_disputes(
    court: Court, booked: SessionFacts, who: str, error: type[Exception]
) -> None:
    with clock.standing_at(await court.marked(booked)), pytest.raises(error):
        await court.dispute(booked.id, who=who)


@pytest.mark.parametrize("by", ["mentor", "admin"])
@pytest.mark.parametrize("status", [COMPLETED, NO_SHOW])
async def test_upheld_the_session_goes_back_to_the_pack(
    court: Court, booked: SessionFacts, by: str, status: SessionStatus
) -> None:
    id_, at = await court.disputed(booked, status)
    await court.sql("update session_packs set expires_at = :at", at=at + timedelta(days=1))
    with clock.standing_at(at):
        await (court.concede(id_) if by == "mentor" else court.decide(id_, UPHELD))
    session, pack = await court.session(booked.id), await court.pack(booked.pack_id)
    assert (session.status, session.canceled_at, session.canceled_by) == (CANCELED, at, by)
    assert session.completed_at is None
    assert await court.ledger(booked.id) == [
        f"{'complete' if status is COMPLETED else status} -1",
        "reversal +1",
    ]
    assert (pack.remaining_sessions, pack.scheduled_sessions, pack.status) == (4, 0, "active")
    assert pack.expires_at == at + DAYS_14
    await court.demand_sums()
    (row,) = await court.rows()
    assert (row.status, row.decided_at, row.decided_by) == ("upheld", at, court.cast[by])
    assert row.answer == ("" if by == "mentor" else ANSWER)
    assert (await court.told("dispute_decided"), await court.told("session_canceled")) == (1, 0)


async def test_rejected_everything_stays(court: Court, booked: SessionFacts) -> None:
    id_, at = await court.disputed(booked)
    before = await court.session(booked.id)
    with clock.standing_at(at):
        await court.decide(id_, REJECTED)
    after = await court.session(booked.id)
    assert (after.status, after.version, after.completed_at) == (NO_SHOW, before.version, before.completed_at)
    assert await court.ledger(booked.id) == ["no_show -1"]
    assert [(row.status, row.answer) for row in await court.rows()] == [("rejected", ANSWER)]
    with clock.standing_at(at):
        await no("already_disputed", court.dispute(booked.id))


async def test_a_decision_needs_a_sentence(court: Court, booked: SessionFacts) -> None:
    id_, at = await court.disputed(booked)
    with clock.standing_at(at):
        for answer in ("", "No.", "x" * 1001):
            with pytest.raises(Invalid) as caught:
                await court.decide(id_, REJECTED, answer)
            assert list(caught.value.fields) == ["answer"]
    assert [row.status for row in await court.rows()] == ["open"]


async def test_the_same_decision_twice_is_as_once(court: Court, booked: SessionFacts) -> None:
    id_, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.decide(id_, UPHELD)
        await court.decide(id_, UPHELD)
        await no("decided", court.decide(id_, REJECTED))
        await no("decided", court.concede(id_))
        await no("decided", court.withdraw(id_))
    assert await court.ledger(booked.id) == ["no_show -1", "reversal +1"]
    assert await court.told("dispute_decided") == 1


async def test_its_student_takes_it_back(court: Court, booked: SessionFacts) -> None:
    id_, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.withdraw(id_)
        await court.withdraw(id_)
        await no("decided", court.concede(id_))
        await no("decided", court.decide(id_, UPHELD))
        await no("already_disputed", court.dispute(booked.id))
    assert [row.status for row in await court.rows()] == ["withdrawn"]
    assert await court.told("dispute_decided") == 0


@pytest.mark.parametrize(
    ("who", "error"),
    [("student", Forbidden), ("other_mentor", NotFound), ("admin", Forbidden), ("anonymous", Forbidden)],
)
async def test_only_its_mentor_agrees(
    court: Court, booked: SessionFacts, who: str, error: type[Exception]
) -> None:
    id_, _ = await court.disputed(booked)
    with pytest.raises(error):
        await court.concede(id_, who)


@pytest.mark.parametrize("who", ["student", "mentor", "other_mentor", "anonymous"])
async def test_only_admins_decide(court: Court, booked: SessionFacts, who: str) -> None:
    id_, _ = await court.disputed(booked)
    with pytest.raises(Forbidden):
        await court.decide(id_, REJECTED, who=who)


@pytest.mark.parametrize(("who", "error"), [("other_student", NotFound), ("mentor", Forbidden)])
async def test_only_its_student_withdraws(
    court: Court, booked: SessionFacts, who: str, error: type[Exception]
) -> None:
    id_, _ = await court.disputed(booked)
    with pytest.raises(error):
        await court.withdraw(id_, who)


@pytest.mark.parametrize("status", [SCHEDULED, COMPLETED])
async def test_marked_anew_nothing_is_left_to_decide(
    court: Court, booked: SessionFacts, status: SessionStatus
) -> None:
    id_, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.mark("mentor", booked.id, status)
        await no("settled", court.decide(id_, UPHELD))
        await no("settled", court.concede(id_))
        await no("settled", court.withdraw(id_))
    assert (await court.session(booked.id)).status is status
    await court.demand_sums()


async def test_another_marking_is_another_dispute(court: Court, booked: SessionFacts) -> None:
    _, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.mark("mentor", booked.id, SCHEDULED)
        await court.mark("mentor", booked.id, NO_SHOW)
        again = await court.dispute(booked.id)
        await court.concede(again)
    assert [row.status for row in await court.rows()] == ["open", "upheld"]
    assert await court.ledger(booked.id) == ["no_show -1", "reversal +1", "no_show -1", "reversal +1"]


async def test_nobody_undoes_what_was_upheld(court: Court, booked: SessionFacts) -> None:
    id_, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.concede(id_)
        await no("cannot_undo", court.mark("mentor", booked.id, SCHEDULED))


@pytest.mark.parametrize("by", ["mentor", "admin"])
async def test_an_expired_pack_can_be_used_again_for_this_session_alone(
    court: Court, booked: SessionFacts, by: str
) -> None:
    id_, at = await court.disputed(booked)
    entries = "insert into pack_entries (id, pack_id, kind, delta, reason, at) values (gen_random_uuid(), :id, 'expire', -3, '', :at)"
    await court.sql("update session_packs set status = 'expired', expires_at = :at", at=at)
    await court.sql(entries, id=booked.pack_id, at=at)
    await court.sql("update seat_reservations set status = 'released'")
    with clock.standing_at(at):
        await (court.concede(id_) if by == "mentor" else court.decide(id_, UPHELD))
        await court.seats()
        await court.seats()
    pack = await court.pack(booked.pack_id)
    assert (pack.status, pack.remaining_sessions, pack.expires_at) == ("active", 1, at + DAYS_14)
    live = await court.sql(
        "select status from seat_reservations where student_id = :id and status <> 'released'",
        id=court.cast["student"],
    )
    assert live == [("active",)]
    await court.demand_sums()
    with clock.standing_at(at):
        offers = await court.offers("student")
        assert (await court.book("student", offers[0])).session.pack_id == booked.pack_id


async def test_where_no_seat_is_free_the_audit_log_says_so(court: Court, booked: SessionFacts) -> None:
    id_, at = await court.disputed(booked)
    await court.sql("update seat_reservations set status = 'released'")
    await court.sql("update mentors set max_active_students = 0")
    with clock.standing_at(at):
        await court.concede(id_)
        await court.seats()
    audited = await court.sql("select subject_id from audit_log where action = 'undo_without_seat'")
    assert audited == [(booked.id,)]
    assert (await court.pack(booked.pack_id)).remaining_sessions == 4


async def test_the_last_session_upheld_ends_the_grace(court: Court) -> None:
    await court.sql("update session_packs set remaining_sessions = 1")
    booked = (await court.book("student", (await court.offers("student"))[0])).session
    id_, at = await court.disputed(booked)
    seat = "select status, seat_expires_at is null from seat_reservations where student_id = :id"
    assert await court.sql(seat, id=court.cast["student"]) == [("grace", False)]
    with clock.standing_at(at):
        await court.concede(id_)
    assert await court.sql(seat, id=court.cast["student"]) == [("active", True)]
    assert await court.sql("select 1 from outbox where type = 'session/reversed'") == []


async def test_a_frozen_pack_gets_its_session_back_and_stays_frozen(
    court: Court, booked: SessionFacts
) -> None:
    id_, at = await court.disputed(booked)
    await court.sql("update session_packs set frozen = true")
    with clock.standing_at(at):
        await court.concede(id_)
    pack = await court.pack(booked.pack_id)
    assert (pack.frozen, pack.remaining_sessions) == (True, 4)
    await court.demand_sums()


async def test_nothing_goes_back_to_a_refunded_pack(court: Court, booked: SessionFacts) -> None:
    id_, at = await court.disputed(booked)
    await court.sql("update session_packs set status = 'refunded'")
    with clock.standing_at(at):
        await no("pack_refunded", court.concede(id_))
        error = await no("pack_refunded", court.decide(id_, UPHELD))
        assert "Nothing was changed" in error.detail
        assert (await court.session(booked.id)).status is NO_SHOW
        await court.decide(id_, REJECTED)
    assert await court.ledger(booked.id) == ["no_show -1"]


async def test_a_session_that_the_system_completed_is_disputed_too(
    court: Court, booked: SessionFacts
) -> None:
    at = booked.end + timedelta(hours=48)
    with clock.standing_at(at):
        await service.complete_overdue(court.database)
    with clock.standing_at(at + timedelta(hours=48)):
        id_ = await court.dispute(booked.id)
        await court.concede(id_)
    assert (await court.session(booked.id)).status is CANCELED
