"""What mentors mark, what it does to the ledger, and what can be undone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.booking import service
from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from app.core.errors import Forbidden, NotFound
from tests.booking.support import Desk, refused

COMPLETED, NO_SHOW = SessionStatus.COMPLETED, SessionStatus.NO_SHOW
SCHEDULED, CANCELED = SessionStatus.SCHEDULED, SessionStatus.CANCELED


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


async def counts(desk: Desk, booked: SessionFacts) -> tuple[int, int]:
    pack = await desk.pack(booked.pack_id)
    return pack.remaining_sessions, pack.scheduled_sessions


def during(booked: SessionFacts) -> datetime:
    return booked.start + timedelta(minutes=50)


@pytest.mark.parametrize("status", [COMPLETED, NO_SHOW])
async def test_marks_need_the_start_and_use_the_session(
    desk: Desk, booked: SessionFacts, status: SessionStatus
) -> None:
    with clock.standing_at(booked.start - timedelta(seconds=1)):
        await refused("not_started", desk.mark("mentor", booked.id, status))
    with clock.standing_at(booked.start):
        assert (await desk.mark("mentor", booked.id, status)).status is status
        assert (await desk.session(booked.id)).completed_at == booked.start
        assert (await desk.mark("mentor", booked.id, status)).status is status
    assert await counts(desk, booked) == (3, 0)
    assert [event["kind"] for event in await desk.events("notification/send")] == [
        "session_booked",
        f"session_{status}",
    ]


async def test_one_mark_becomes_the_other_for_the_same_credit(desk: Desk, booked: SessionFacts) -> None:
    with clock.standing_at(during(booked)):
        await desk.mark("mentor", booked.id, COMPLETED)
        await desk.mark("mentor", booked.id, NO_SHOW)
    assert await counts(desk, booked) == (3, 0)
    kinds = await desk.sql(
        "select kind from pack_entries where session_id = :id order by at, id", id=booked.id
    )
    assert [row.kind for row in kinds] == ["complete", "reversal", "no_show"]


async def test_undoing_a_mark_gives_the_credit_back(desk: Desk, booked: SessionFacts) -> None:
    with clock.standing_at(during(booked)):
        await desk.mark("mentor", booked.id, COMPLETED)
        undone = await desk.mark("mentor", booked.id, SCHEDULED)
    assert undone.status is SCHEDULED
    assert (await desk.session(booked.id)).completed_at is None
    assert await counts(desk, booked) == (4, 1)


async def test_the_last_session_used_and_undone_keeps_the_seat(desk: Desk) -> None:
    await desk.sql("update session_packs set remaining_sessions = 1")
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    seat = "select status, seat_expires_at from seat_reservations where student_id = :id"
    with clock.standing_at(during(booked)):
        await desk.mark("mentor", booked.id, COMPLETED)
        assert (await desk.pack(booked.pack_id)).status == "depleted"
        assert await desk.sql(seat, id=desk.cast["student"]) == [
            ("grace", during(booked) + timedelta(hours=72))
        ]
        await desk.mark("mentor", booked.id, SCHEDULED)
    assert (await desk.pack(booked.pack_id)).status == "active"
    assert await desk.sql(seat, id=desk.cast["student"]) == [("active", None)]


async def test_a_seat_given_away_is_not_taken_back_by_an_undo(desk: Desk) -> None:
    await desk.sql("update session_packs set remaining_sessions = 1")
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    with clock.standing_at(during(booked)):
        await desk.mark("mentor", booked.id, COMPLETED)
        await desk.sql("update seat_reservations set status = 'released', seat_expires_at = null")
        assert (await desk.mark("mentor", booked.id, SCHEDULED)).status is SCHEDULED
    audited = await desk.sql("select subject_id from audit_log where action = 'undo_without_seat'")
    assert audited == [(booked.id,)]


async def test_a_cancellation_is_undone_before_the_start(desk: Desk, booked: SessionFacts) -> None:
    await desk.mark("mentor", booked.id, CANCELED)
    assert (await desk.mark("mentor", booked.id, CANCELED)).status is CANCELED
    assert (await desk.mark("mentor", booked.id, SCHEDULED)).status is SCHEDULED
    row = await desk.session(booked.id)
    assert (row.canceled_at, row.canceled_by, row.version, row.event_generation) == (None, None, 2, 1)
    assert await counts(desk, booked) == (4, 1)
    await desk.cancel("student", booked.id)
    with clock.standing_at(booked.start):
        await refused("cannot_undo", desk.mark("mentor", booked.id, SCHEDULED))


async def test_a_late_cancellation_undone_gives_the_credit_back(desk: Desk, booked: SessionFacts) -> None:
    with clock.standing_at(booked.start - timedelta(hours=2)):
        await desk.cancel("student", booked.id)
        assert await counts(desk, booked) == (3, 0)
        await desk.mark("mentor", booked.id, SCHEDULED)
    assert await counts(desk, booked) == (4, 1)


async def test_no_undo_onto_somebody_elses_time(desk: Desk, booked: SessionFacts) -> None:
    await desk.cancel("student", booked.id)
    await desk.book(await desk.student(), booked.start)
    error = await refused("cannot_undo", desk.mark("mentor", booked.id, SCHEDULED))
    assert "taken" in error.detail


async def busy_with_google(desk: Desk, since: datetime, until: datetime) -> None:
    """The mentor's Google Calendar says so, as far as the mirror knows."""
    await desk.sql(
        "insert into calendar_connections (mentor_id, state, google_email, google_calendar_id, calendars,"
        " google_refresh_token, mirror_version, connected_at)"
        " values (:id, 'connected', 'm@example.test', 'm', '[]', '', 0, now())",
        id=desk.cast["mentor"],
    )
    await desk.sql(
        "insert into busy_windows (mentor_id, event_id, span) values (:id, 'other', tstzrange(:since, :until))",
        id=desk.cast["mentor"], since=since, until=until,
    )  # fmt: skip


@pytest.mark.parametrize("hours", [25, 2])
async def test_no_undo_while_the_mentors_calendar_is_busy(
    desk: Desk, booked: SessionFacts, hours: int
) -> None:
    """Within the notice too, where nobody could book anyway."""
    await desk.mark("mentor", booked.id, CANCELED)
    await busy_with_google(desk, booked.end - timedelta(minutes=5), booked.end + timedelta(hours=1))
    with clock.standing_at(booked.start - timedelta(hours=hours)):
        error = await refused("cannot_undo", desk.mark("mentor", booked.id, SCHEDULED))
    assert "Your calendar is busy then" in error.detail


async def test_an_undo_beside_what_the_calendar_says_is_fine(desk: Desk, booked: SessionFacts) -> None:
    await desk.mark("mentor", booked.id, CANCELED)
    await busy_with_google(desk, booked.end, booked.end + timedelta(hours=1))
    assert (await desk.mark("mentor", booked.id, SCHEDULED)).status is SCHEDULED


async def test_no_undo_where_the_student_is_elsewhere(desk: Desk, booked: SessionFacts) -> None:
    await desk.cancel("student", booked.id)
    await desk.sql(
        "update mentors set time_zone = 'UTC', working_hours ="
        " (select jsonb_object_agg(day, cast('[[0, 1440]]' as jsonb)) from generate_series(1, 7) day)"
        " where id = :id",
        id=desk.cast["other_mentor"],
    )
    await desk.grant("student", mentor="other_mentor")
    await desk.book("student", booked.start + timedelta(minutes=30), mentor="other_mentor")
    error = await refused("cannot_undo", desk.mark("mentor", booked.id, SCHEDULED))
    assert "another session" in error.detail


async def test_no_undo_without_credit(desk: Desk) -> None:
    await desk.sql("update session_packs set remaining_sessions = 1")
    offers = await desk.offers("student")
    first = (await desk.book("student", offers[0])).session
    await desk.cancel("student", first.id)
    await desk.book("student", offers[4])
    error = await refused("cannot_undo", desk.mark("mentor", first.id, SCHEDULED))
    assert "no session left" in error.detail


@pytest.mark.parametrize("status", ["expired", "refunded"])
async def test_no_undo_into_a_pack_that_ended(desk: Desk, booked: SessionFacts, status: str) -> None:
    with clock.standing_at(during(booked)):
        await desk.mark("mentor", booked.id, COMPLETED)
        await desk.sql("update session_packs set status = :status", status=status)
        await refused("cannot_undo", desk.mark("mentor", booked.id, SCHEDULED))


async def test_a_canceled_session_was_not_held(desk: Desk, booked: SessionFacts) -> None:
    await desk.cancel("student", booked.id)
    with clock.standing_at(during(booked)):
        await refused("not_scheduled", desk.mark("mentor", booked.id, COMPLETED))
        await refused("not_scheduled", desk.mark("mentor", booked.id, NO_SHOW))


async def test_a_held_session_is_not_canceled(desk: Desk, booked: SessionFacts) -> None:
    with clock.standing_at(during(booked)):
        await desk.mark("mentor", booked.id, COMPLETED)
        await refused("not_scheduled", desk.mark("mentor", booked.id, CANCELED))


@pytest.mark.parametrize(
    ("who", "error"), [("student", Forbidden), ("anonymous", Forbidden), ("other_mentor", NotFound)]
)
async def test_only_its_own_mentor_marks(
    desk: Desk, booked: SessionFacts, who: str, error: type[Exception]
) -> None:
    with clock.standing_at(during(booked)), pytest.raises(error):
        await desk.mark(who, booked.id, COMPLETED)


@pytest.mark.parametrize("status", [COMPLETED, NO_SHOW])
async def test_an_admin_marks_and_undoes_by_the_same_rules(
    desk: Desk, booked: SessionFacts, status: SessionStatus
) -> None:
    await refused("not_started", desk.mark("admin", booked.id, status))
    with clock.standing_at(during(booked)):
        await desk.mark("admin", booked.id, status)
        assert await counts(desk, booked) == (3, 0)
        await desk.mark("admin", booked.id, SCHEDULED)
    assert await counts(desk, booked) == (4, 1)
    actors = await desk.sql("select actor_id, actor_role from audit_log where action = 'mark'")
    assert actors == [(desk.cast["admin"], "admin")] * 2


async def test_an_admins_cancellation_costs_nothing_and_leaves_time(desk: Desk, booked: SessionFacts) -> None:
    await desk.sql("update session_packs set expires_at = :at", at=booked.end + timedelta(days=1))
    with clock.standing_at(booked.start - timedelta(hours=1)):
        await desk.mark("admin", booked.id, CANCELED)
        assert (await desk.pack(booked.pack_id)).expires_at >= clock.now() + timedelta(days=14)
        await desk.mark("admin", booked.id, SCHEDULED)
    assert await counts(desk, booked) == (4, 1)


async def test_unmarked_sessions_complete_48_hours_after_their_end(desk: Desk, booked: SessionFacts) -> None:
    kept = (await desk.book("student", (await desk.offers("student"))[-1])).session
    with clock.standing_at(booked.end + timedelta(hours=48) - timedelta(seconds=1)):
        assert await service.complete_overdue(desk.database) == 0
    with clock.standing_at(booked.end + timedelta(hours=48)):
        assert await service.complete_overdue(desk.database) == 1
        assert await service.complete_overdue(desk.database) == 0
    assert [(await desk.session(s.id)).status for s in (booked, kept)] == [COMPLETED, SCHEDULED]
    assert await counts(desk, booked) == (3, 1)
    told = (await desk.events("notification/send"))[-1]
    assert (told["kind"], told["actor_id"]) == ("session_auto_completed", None)
