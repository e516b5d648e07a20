"""The link to a recording: with the consent of both, for 30 days, gone as soon as one of the two takes theirs back."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.booking import recordings, service
from app.booking.models import SessionStatus
from app.booking.recordings import LIFE, Agreed
from app.booking.service import BookingRefused, SessionFacts
from app.core import clock
from app.core.errors import Forbidden, NotFound
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.settings import Settings
from app.site import traces
from tests.booking.support import Desk, refused

LINK, OTHER = "https://example.com/recording?x=1", "https://example.com/other"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


@pytest.fixture
async def held(desk: Desk, booked: SessionFacts) -> SessionFacts:
    """A session whose link is kept."""
    await desk.agree(booked.id)
    await desk.keep(booked.id, LINK)
    return booked


async def kept(desk: Desk, session_id: UUID) -> tuple[bool, str | None, datetime | None]:
    row = await desk.session(session_id)
    return row.recording_consent, row.recording_url, row.recording_expires_at


async def said(desk: Desk, session_id: UUID, who: str = "mentor") -> Agreed:
    async with desk.database.unit_of_work(desk.principal(who)) as uow:
        return await recordings.agreed(uow, session_id)


async def audited(desk: Desk) -> list[tuple[str, str, Any]]:
    rows = await desk.sql(
        "select actor_role, action, after from audit_log where action in ('agree_to_recording', 'refuse_recording',"
        " 'expire_recording') order by at, id"
    )
    return [tuple(row) for row in rows]


async def waiting(desk: Desk) -> list[tuple[str, datetime]]:
    """What lies in the outbox about recordings, by when it is due."""
    rows = await desk.sql(
        "select coalesce(payload ->> 'kind', type) as what, available_at from outbox"
        " where type = 'recording/expire' or payload ->> 'kind' like 'recording%' order by available_at, what"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("order", [("student", "mentor"), ("mentor", "student")])
async def test_only_both_together_agree(desk: Desk, booked: SessionFacts, order: tuple[str, str]) -> None:
    assert await said(desk, booked.id) == Agreed(mentor=False, student=False)
    await desk.agree(booked.id, order[0])
    assert await said(desk, booked.id) == Agreed(mentor=order[0] == "mentor", student=order[0] == "student")
    assert not (await desk.session(booked.id)).recording_consent
    await desk.agree(booked.id, order[1])
    for who in ("student", "mentor", "admin"):
        assert (await said(desk, booked.id, who)).both
    assert await said(desk, booked.id, "other_student") == Agreed(mentor=False, student=False)
    assert (await desk.session(booked.id)).recording_consent


async def test_saying_the_same_again_changes_nothing(desk: Desk, held: SessionFacts) -> None:
    before = await kept(desk, held.id)
    await desk.agree(held.id)
    assert await kept(desk, held.id) == before
    await desk.agree(held.id, "student", agrees=False)
    await desk.agree(held.id, "student", agrees=False)
    assert await audited(desk) == [
        ("student", "agree_to_recording", None),
        ("mentor", "agree_to_recording", None),
        ("student", "refuse_recording", {"recording_url": "removed"}),
    ]
    assert (await desk.session(held.id)).version == 0


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_taken_back_the_link_is_gone_at_once_and_does_not_come_back(
    desk: Desk, held: SessionFacts, who: str
) -> None:
    await desk.agree(held.id, who, agrees=False)
    assert await kept(desk, held.id) == (False, None, None)
    await desk.agree(held.id, who)
    assert await kept(desk, held.id) == (True, None, None)


@pytest.mark.parametrize(
    ("who", "agreeing", "words"),
    [
        ("mentor", [], "Neither of you has agreed"),
        ("mentor", ["student"], "You haven’t agreed"),
        ("mentor", ["mentor"], "Your mentee hasn’t agreed"),
        ("admin", [], "Neither of the two has agreed"),
        ("admin", ["student"], "The mentor hasn’t agreed"),
        ("admin", ["mentor"], "The student hasn’t agreed"),
    ],
)
async def test_without_both_a_link_is_refused(
    desk: Desk, booked: SessionFacts, who: str, agreeing: list[str], words: str
) -> None:
    for name in agreeing:
        await desk.agree(booked.id, name)
    error = await refused("no_recording_consent", desk.keep(booked.id, LINK, who))
    assert error.status == 409
    assert words in error.detail
    assert error.detail.endswith("The link was not saved.")
    assert await kept(desk, booked.id) == (False, None, None)
    assert await waiting(desk) == []


async def test_a_link_is_kept_for_thirty_days_and_a_new_one_for_its_own(
    desk: Desk, booked: SessionFacts
) -> None:
    await desk.agree(booked.id)
    now = clock.now().replace(microsecond=0)
    with clock.standing_at(now):
        await desk.keep(booked.id, LINK)
    assert await kept(desk, booked.id) == (True, LINK, now + LIFE)
    with clock.standing_at(now + timedelta(days=3)):
        await desk.keep(booked.id, LINK)
    assert await kept(desk, booked.id) == (True, LINK, now + LIFE)
    with clock.standing_at(now + timedelta(days=4)):
        await desk.keep(booked.id, OTHER)
    assert await kept(desk, booked.id) == (True, OTHER, now + timedelta(days=34))
    await desk.keep(booked.id, None)
    assert await kept(desk, booked.id) == (True, None, None)


async def test_what_follows_a_link_is_written_with_it(desk: Desk, booked: SessionFacts) -> None:
    await desk.agree(booked.id)
    assert await waiting(desk) == []
    now = clock.now().replace(microsecond=0)
    with clock.standing_at(now):
        await desk.keep(booked.id, LINK)
    assert await waiting(desk) == [
        ("recording_ready", now),
        ("recording_expiring_week", now + timedelta(days=23)),
        ("recording_expiring_day", now + timedelta(days=29)),
        ("recording/expire", now + LIFE),
    ]


async def expire(desk: Desk, session_id: UUID, until: datetime) -> None:
    async with desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await recordings.expire(uow, session_id, until)


async def test_removed_at_its_time_and_never_a_newer_one(desk: Desk, held: SessionFacts) -> None:
    first = (await desk.session(held.id)).recording_expires_at
    with clock.standing_at(clock.now() + MINUTE):
        await desk.keep(held.id, OTHER)
    second = (await desk.session(held.id)).recording_expires_at
    await expire(desk, held.id, first)
    assert await kept(desk, held.id) == (True, OTHER, second)
    for _ in range(2):
        await expire(desk, held.id, second)
        assert await kept(desk, held.id) == (True, None, None)
    assert [entry for entry in await audited(desk) if entry[1] == "expire_recording"] == [
        ("service", "expire_recording", {"recording_url": "removed"})
    ]


@pytest.mark.parametrize("who", ["other_student", "other_mentor"])
async def test_others_are_told_that_there_is_nothing(desk: Desk, booked: SessionFacts, who: str) -> None:
    for agrees in (True, False):
        with pytest.raises(NotFound):
            await desk.agree(booked.id, who, agrees=agrees)


@pytest.mark.parametrize("agrees", [True, False])
async def test_nobody_decides_for_another(desk: Desk, held: SessionFacts, agrees: bool) -> None:
    with pytest.raises(Forbidden):
        await desk.agree(held.id, "admin", agrees=agrees)
    as_student = dataclasses.replace(desk.principal("student"), impersonator_id=desk.cast["admin"])
    async with desk.database.unit_of_work(as_student) as uow:
        with pytest.raises(Forbidden) as told:
            await recordings.decide(uow, held.id, agrees=agrees)
    assert told.value.code == "impersonated"
    assert (await kept(desk, held.id))[1] == LINK


async def test_a_canceled_session_is_not_agreed_to_but_consent_can_go(desk: Desk, held: SessionFacts) -> None:
    await desk.cancel("mentor", held.id)
    await refused("not_scheduled", desk.agree(held.id, "student"))
    await desk.agree(held.id, "student", agrees=False)
    assert await kept(desk, held.id) == (False, None, None)


async def test_status_and_link_are_changed_together_or_not_at_all(desk: Desk, booked: SessionFacts) -> None:
    async def mark_and_keep() -> None:
        async with desk.database.unit_of_work(desk.principal("mentor")) as uow:
            changed = {"recording_url": LINK, "notes": "Sky"}
            await service.edit(uow, booked.id, status=SessionStatus.COMPLETED, details=changed)

    with clock.standing_at(booked.start):
        await refused("no_recording_consent", mark_and_keep())
        row = await desk.session(booked.id)
        assert (row.status, row.notes, row.recording_url) == ("scheduled", "", None)
        await desk.agree(booked.id)
        await mark_and_keep()
        row = await desk.session(booked.id)
        assert (row.status, row.notes, row.recording_url) == ("completed", "Sky", LINK)


@pytest.mark.parametrize("whose", ["student", "mentor"])
@pytest.mark.parametrize("asker", ["student", "mentor", "other_student", "other_mentor", "admin"])
async def test_the_database_lets_nobody_agree_in_anothers_name(
    desk: Desk, booked: SessionFacts, asker: str, whose: str
) -> None:
    insert = sa.text(
        "insert into recording_consents (session_id, user_id, agreed_at) values (:session, :user, :now)"
    )
    values = {"session": booked.id, "user": desk.cast[whose], "now": clock.now()}
    async with desk.database.unit_of_work(desk.principal(asker)) as uow:
        if asker == whose:
            await uow.session.execute(insert, values)
        else:
            with pytest.raises(ProgrammingError):
                await uow.session.execute(insert, values)


@pytest.mark.parametrize("asker", ["student", "mentor", "other_student", "other_mentor", "admin"])
async def test_the_database_lets_everybody_take_back_their_own_only(
    desk: Desk, held: SessionFacts, asker: str
) -> None:
    async with desk.database.unit_of_work(desk.principal(asker)) as uow:
        gone = await uow.session.execute(sa.text("delete from recording_consents returning user_id"))
        assert set(gone.scalars()) == ({desk.cast[asker]} if asker in ("student", "mentor") else set())


@pytest.mark.parametrize("asker", ["student", "mentor", "admin"])
async def test_the_database_counts_itself_whether_both_agree(
    desk: Desk, booked: SessionFacts, asker: str
) -> None:
    await desk.agree(booked.id, "mentor")
    for change in (
        "update sessions set recording_consent = true where id = :id",
        "update sessions set recording_url = 'https://example.com', recording_expires_at = now() where id = :id",
    ):
        async with desk.database.unit_of_work(desk.principal(asker)) as uow:
            with pytest.raises(IntegrityError):
                await uow.session.execute(sa.text(change), {"id": booked.id})


async def test_a_strangers_consent_counts_for_nothing(desk: Desk, booked: SessionFacts) -> None:
    await desk.agree(booked.id, "mentor")
    stranger = {"session": booked.id, "user": desk.cast["other_student"]}
    await desk.sql("insert into recording_consents values (:session, :user, now())", **stranger)
    assert not (await desk.session(booked.id)).recording_consent


async def test_both_agree_at_the_same_moment(desk: Desk, booked: SessionFacts) -> None:
    for _ in range(6):
        await asyncio.gather(desk.agree(booked.id, "student"), desk.agree(booked.id, "mentor"))
        assert (await desk.session(booked.id)).recording_consent
        taken = (desk.agree(booked.id, who, agrees=False) for who in ("student", "mentor"))
        await asyncio.gather(*taken)
        assert await said(desk, booked.id) == Agreed(mentor=False, student=False)
        assert not (await desk.session(booked.id)).recording_consent


async def test_one_takes_it_back_while_the_other_sets_the_link(desk: Desk, booked: SessionFacts) -> None:
    """Whoever comes first, no link is left without the consent of both."""
    outcomes = set()
    for number in range(12):
        await desk.agree(booked.id)
        setting = desk.keep(booked.id, f"{LINK}&n={number}")
        taking = desk.agree(booked.id, "student", agrees=False)
        both = (setting, taking) if number % 2 else (taking, setting)
        results = await asyncio.gather(*both, return_exceptions=True)
        problems = [result for result in results if result is not None]
        assert all(isinstance(one, BookingRefused) and one.code == "no_recording_consent" for one in problems)
        outcomes.add(len(problems))
        assert await kept(desk, booked.id) == (False, None, None)
    assert outcomes <= {0, 1}


async def test_whoever_is_in_the_room_hears_of_each_change(
    desk: Desk, booked: SessionFacts, settings: Settings
) -> None:
    async with await psycopg.AsyncConnection.connect(settings.direct_url, autocommit=True) as listening:
        await listening.execute(f"listen {recordings.CHANNEL}")
        await desk.agree(booked.id, "student")
        await desk.agree(booked.id, "student")
        await desk.agree(booked.id, "student", agrees=False)
        heard = [json.loads(one.payload) async for one in listening.notifies(timeout=5, stop_after=2)]
    assert heard == [{"session": str(booked.id), "kind": "consent"}] * 2


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_who_leaves_takes_the_link_along_and_leaves_who_was_there(
    desk: Desk, held: SessionFacts, who: str
) -> None:
    """Also the words of disputes go; a student's that nobody decided about is withdrawn."""
    people = {"session": held.id, "mentor": desk.cast["mentor"], "student": desk.cast["student"]}
    for person in ("mentor", "student"):
        await desk.sql(
            "insert into session_visits (id, session_id, user_id, joined_at, seen_at) values (:id, :session, :user, now(), now())",
            id=new_id(),
            session=held.id,
            user=people[person],
        )
        await desk.sql(
            "insert into call_tokens (id, session_id, user_id, token_hash, issued_at, expires_at)"
            " values (:id, :session, :user, :hash, now(), now() + interval '1 hour')",
            id=new_id(),
            session=held.id,
            user=people[person],
            hash=person.encode(),
        )
    await desk.sql(
        "insert into session_disputes (id, session_id, version, marked, mentor_id, student_id, reason, opened_at, answer,"
        " status, decided_at) select gen_random_uuid(), :session, version, 'no_show', :mentor, :student, 'My words', now(),"
        " 'Theirs', status, at from (values (0, 'open', null), (1, 'rejected', now())) as d(version, status, at)",
        **people,
    )
    async with desk.database.service(ServiceDoor.FORGET) as uow, uow.transaction():
        await traces.erase(uow.session, desk.cast[who], clock.now())
    other = people["mentor" if who == "student" else "student"]
    assert await kept(desk, held.id) == (False, None, None)
    assert [row.user_id for row in await desk.sql("select user_id from recording_consents")] == [other]
    assert [row.user_id for row in await desk.sql("select user_id from call_tokens")] == [other]
    assert len(await desk.sql("select 1 from session_visits")) == 2
    disputes = await desk.sql("select status, reason, answer from session_disputes order by version")
    first = "withdrawn" if who == "student" else "open"
    assert [tuple(row) for row in disputes] == [(first, "", ""), ("rejected", "", "")]
