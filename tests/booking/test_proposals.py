"""Proposed times: only a mentor proposes, only the student moves, and whatever else happens closes the proposal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.accounts.models import User
from app.booking import overdue, proposals, service
from app.booking.models import MoveProposal, SessionStatus
from app.booking.notices import NOTICES
from app.booking.proposals_repository import Proposal
from app.booking.service import SessionFacts, cancel_of_pack
from app.core import clock
from app.core.errors import Forbidden, NotFound
from app.core.rls import ServiceDoor
from app.core.templating import iso
from app.notifications.mailer import Mailer
from app.packs import seats
from app.settings import Settings
from app.site import forgetting
from tests.booking.support import Desk, refused


@dataclass(frozen=True)
class ProposalDesk:
    """Proposes and answers in the name of the cast."""

    desk: Desk

    async def propose(self, session_id: UUID, start: datetime, who: str = "mentor") -> UUID:
        async with self.desk.database.unit_of_work(self.desk.principal(who)) as uow:
            return await proposals.propose(uow, session_id, start)

    async def accept(self, session_id: UUID, proposal_id: UUID, who: str | UUID = "student") -> SessionFacts:
        async with self.desk.database.unit_of_work(self.desk.principal(who)) as uow:
            return await proposals.accept(uow, self.desk.database, self.desk.google, session_id, proposal_id)

    async def decline(self, session_id: UUID, proposal_id: UUID, who: str | UUID = "student") -> None:
        async with self.desk.database.unit_of_work(self.desk.principal(who)) as uow:
            await proposals.decline(uow, session_id, proposal_id)

    async def withdraw(self, session_id: UUID, who: str = "mentor") -> bool:
        async with self.desk.database.unit_of_work(self.desk.principal(who)) as uow:
            return await proposals.withdraw(uow, session_id)

    async def open(self, who: str | UUID = "student") -> list[Proposal]:
        async with self.desk.database.unit_of_work(self.desk.principal(who)) as uow:
            return await proposals.open_of_student(uow)

    async def states(self) -> list[str]:
        """The status of every proposal, in the order they were made."""
        async with self.desk.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(MoveProposal.status).order_by(MoveProposal.id)
            return [status.value for status in (await uow.session.execute(query)).scalars()]

    async def told(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in await self.desk.events("notification/send") if event["kind"] == kind]


@pytest.fixture
def asked(desk: Desk) -> ProposalDesk:
    return ProposalDesk(desk)


@pytest.fixture
async def offers(desk: Desk) -> list[datetime]:
    return await desk.offers("student")


@pytest.fixture
async def booked(desk: Desk, offers: list[datetime]) -> SessionFacts:
    return (await desk.book("student", offers[0])).session


async def test_a_proposal_moves_nothing_until_it_is_accepted(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    proposal_id = await asked.propose(booked.id, offers[4])
    row = await asked.desk.session(booked.id)
    assert (row.scheduled_at, row.version) == (booked.start, 0)
    (seen,) = await asked.open()
    assert (seen.id, seen.session_id, seen.start, seen.proposed_start) == (
        proposal_id,
        booked.id,
        booked.start,
        offers[4],
    )
    assert (seen.proposed_end - seen.proposed_start, seen.mentor_name) == (timedelta(hours=1), "Mentor")
    moved = await asked.accept(booked.id, proposal_id)
    assert (moved.start, await asked.states(), await asked.open()) == (offers[4], ["accepted"], [])
    told = (await asked.told("session_moved"))[-1]
    assert (told["before"], told["start"], told["version"]) == (iso(booked.start), iso(offers[4]), 1)


async def test_accepted_twice_it_moves_once(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    proposal_id = await asked.propose(booked.id, offers[4])
    assert await asked.accept(booked.id, proposal_id) == await asked.accept(booked.id, proposal_id)
    assert (await asked.desk.session(booked.id)).version == 1


async def test_declined_the_session_stays_and_its_mentor_hears(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    proposal_id = await asked.propose(booked.id, offers[4])
    await asked.decline(booked.id, proposal_id)
    await asked.decline(booked.id, proposal_id)
    assert (await asked.states(), len(await asked.told("proposal_declined"))) == (["declined"], 1)
    await refused("proposal_closed", asked.accept(booked.id, proposal_id))
    assert (await asked.desk.session(booked.id)).scheduled_at == booked.start


async def test_another_proposal_takes_the_place_of_the_first(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    first = await asked.propose(booked.id, offers[4])
    assert await asked.propose(booked.id, offers[4]) == first
    second = await asked.propose(booked.id, offers[6])
    assert await asked.states() == ["withdrawn", "open"]
    assert len(await asked.told("move_proposed")) == 2
    await refused("proposal_closed", asked.accept(booked.id, first))
    await refused("proposal_closed", asked.decline(booked.id, first))
    assert (await asked.accept(booked.id, second)).start == offers[6]


async def test_taken_back_it_can_not_be_accepted(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    proposal_id = await asked.propose(booked.id, offers[4])
    assert await asked.withdraw(booked.id)
    assert not await asked.withdraw(booked.id)
    assert (await asked.states(), len(await asked.told("proposal_withdrawn"))) == (["withdrawn"], 1)
    await refused("proposal_closed", asked.accept(booked.id, proposal_id))


async def cancel_by_student(desk: Desk, booked: SessionFacts, _: datetime) -> None:
    await desk.cancel("student", booked.id)


async def cancel_by_mentor(desk: Desk, booked: SessionFacts, _: datetime) -> None:
    await desk.cancel("mentor", booked.id)


async def refund(desk: Desk, booked: SessionFacts, _: datetime) -> None:
    async with desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await seats.lock_pair(uow, booked.mentor_id, booked.student_id)
        await cancel_of_pack(uow, booked.pack_id)


async def mark(desk: Desk, booked: SessionFacts, _: datetime) -> None:
    with clock.standing_at(booked.start):
        await desk.mark("mentor", booked.id, SessionStatus.COMPLETED)


async def nobody_marks(desk: Desk, booked: SessionFacts, _: datetime) -> None:
    with clock.standing_at(booked.end + timedelta(hours=49)):
        assert await overdue.complete_overdue(desk.database) == 1


async def move_elsewhere(desk: Desk, booked: SessionFacts, elsewhere: datetime) -> None:
    await desk.move("student", booked.id, elsewhere)


@pytest.mark.parametrize(
    "happens", [cancel_by_student, cancel_by_mentor, refund, mark, nobody_marks, move_elsewhere]
)
async def test_whatever_else_happens_withdraws_it(
    asked: ProposalDesk,
    booked: SessionFacts,
    offers: list[datetime],
    happens: Callable[[Desk, SessionFacts, datetime], Awaitable[None]],
) -> None:
    proposal_id = await asked.propose(booked.id, offers[4])
    await happens(asked.desk, booked, offers[8])
    assert (await asked.states(), await asked.open()) == (["withdrawn"], [])
    await refused("proposal_closed", asked.accept(booked.id, proposal_id))


async def test_moved_there_by_hand_it_is_accepted(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    await asked.propose(booked.id, offers[4])
    await asked.desk.move("student", booked.id, offers[4])
    assert await asked.states() == ["accepted"]


async def test_notes_leave_it_open(asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]) -> None:
    await asked.propose(booked.id, offers[4])
    async with asked.desk.database.unit_of_work(asked.desk.principal("mentor")) as uow:
        await service.edit(uow, booked.id, details={"notes": "Bring ink."})
    assert await asked.states() == ["open"]


async def test_a_proposed_time_that_is_over_asks_for_nothing(
    asked: ProposalDesk, offers: list[datetime]
) -> None:
    """It isn't shown, binds the student to the 24 hours again, and another one takes its place."""
    day = offers[0].date()
    earlier, start = next(
        (one, other)
        for one in offers
        for other in offers
        if other.date() > day and other - one > timedelta(hours=26)
    )
    booked = (await asked.desk.book("student", start)).session
    proposal_id = await asked.propose(booked.id, earlier)
    with clock.standing_at(start - timedelta(hours=20)):
        assert await asked.open() == []
        await refused("too_late", asked.desk.move("student", booked.id, start + timedelta(days=7)))
        await refused("proposal_closed", asked.accept(booked.id, proposal_id))
        later = next(one for one in offers if one > start + timedelta(days=1))
        again = await asked.propose(booked.id, later)
        assert [one.id for one in await asked.open()] == [again]
        assert (await asked.accept(booked.id, again)).start == later
    assert await asked.states() == ["withdrawn", "accepted"]


async def test_the_24_hours_do_not_bind_whom_the_mentor_asks(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    later = next(start for start in offers if start > booked.start + timedelta(days=2))
    with clock.standing_at(booked.start - timedelta(hours=2)):
        await refused("too_late", asked.desk.move("student", booked.id, later))
        proposal_id = await asked.propose(booked.id, later)
        elsewhere = (await asked.desk.offers("student"))[-1]
        moved = await asked.desk.move("student", booked.id, elsewhere)
        assert (moved.start, await asked.states()) == (elsewhere, ["withdrawn"])
    with clock.standing_at(elsewhere - timedelta(hours=2)):
        again = (await asked.desk.offers("student"))[3]
        proposal_id = await asked.propose(booked.id, again)
        assert (await asked.accept(booked.id, proposal_id)).start == again


async def test_once_it_has_started_nothing_moves(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    later = next(start for start in offers if start > booked.start + timedelta(days=3))
    proposal_id = await asked.propose(booked.id, later)
    with clock.standing_at(booked.start):
        assert await asked.open() == []
        await refused("already_started", asked.accept(booked.id, proposal_id))
        await refused("already_started", asked.propose(booked.id, later + timedelta(minutes=30)))


async def test_only_what_the_student_could_book_is_proposed(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    desk = asked.desk
    taken, own = offers[6], next(start for start in offers if start > offers[0] + timedelta(days=2))
    await desk.book(await desk.student(), taken)
    await desk.grant("student", mentor="other_mentor")
    every_hour = "(select jsonb_object_agg(day, cast('[[0, 1440]]' as jsonb)) from generate_series(1, 7) day)"
    await desk.sql(f"update mentors set working_hours = {every_hour} where slug = 'other-mentor'")
    await desk.book("student", own, mentor="other_mentor")
    await refused("slot_taken", asked.propose(booked.id, taken))
    await refused("own_session", asked.propose(booked.id, own))
    await refused("slot_not_offered", asked.propose(booked.id, booked.start))
    await refused("slot_not_offered", asked.propose(booked.id, offers[4] + timedelta(minutes=7)))
    ends = (await desk.pack(booked.pack_id)).expires_at
    await desk.sql(
        "update session_packs set expires_at = :ends where id = :id", ends=offers[-1], id=booked.pack_id
    )
    await refused("pack_expired", asked.propose(booked.id, offers[-1]))
    await desk.sql(
        "update session_packs set frozen = true, expires_at = :ends where id = :id",
        ends=ends,
        id=booked.pack_id,
    )
    await refused("pack_not_active", asked.propose(booked.id, offers[4]))
    assert await asked.states() == []


async def test_a_slot_that_is_gone_leaves_session_and_proposal(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    proposal_id = await asked.propose(booked.id, offers[4])
    await asked.desk.book(await asked.desk.student(), offers[4])
    await refused("slot_taken", asked.accept(booked.id, proposal_id))
    assert (await asked.states(), (await asked.desk.session(booked.id)).scheduled_at) == (
        ["open"],
        booked.start,
    )
    assert (await asked.desk.move("student", booked.id, offers[8])).start == offers[8]


async def test_everybody_else_is_nobody(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    for who in ("student", "admin"):
        with pytest.raises(Forbidden):
            await asked.propose(booked.id, offers[4], who)
        with pytest.raises(Forbidden):
            await asked.withdraw(booked.id, who)
    with pytest.raises(NotFound):
        await asked.propose(booked.id, offers[4], "other_mentor")
    proposal_id = await asked.propose(booked.id, offers[4])
    for other in ("mentor", "admin"):
        with pytest.raises(Forbidden):
            await asked.accept(booked.id, proposal_id, other)
        with pytest.raises(Forbidden):
            await asked.decline(booked.id, proposal_id, other)
    for attempt in (asked.accept, asked.decline):
        with pytest.raises(NotFound):
            await attempt(booked.id, proposal_id, "other_student")
    with pytest.raises(NotFound):
        await asked.withdraw(booked.id, "other_mentor")
    assert (await asked.states(), await asked.open("other_student")) == (["open"], [])


@pytest.mark.parametrize(
    ("who", "sees"),
    [("student", True), ("mentor", True), ("admin", True), ("other_mentor", False), ("anonymous", False)],
)
async def test_when_a_student_is_taken_only_those_hear_who_meet_them(
    asked: ProposalDesk, booked: SessionFacts, who: str, sees: bool
) -> None:
    query = sa.text("select student_times(:id, :since, :until)")
    values = {"id": booked.student_id, "since": booked.start, "until": booked.end}
    hour = f"[{int(booked.start.timestamp())},{int(booked.end.timestamp())}]"
    async with asked.desk.database.unit_of_work(asked.desk.principal(who)) as uow:
        assert (await uow.session.execute(query, values)).scalar_one() == (hour if sees else "")


async def mails(asked: ProposalDesk, settings: Settings, kind: str) -> list[dict[str, Any]]:
    """What is sent of that kind now, rendered once to see that it can be."""
    found = []
    for payload in await asked.told(kind):
        async with asked.desk.database.service(ServiceDoor.JOB) as uow:
            for message in await NOTICES[kind](uow, settings, payload):
                if message.skip is not None:
                    continue
                Mailer.of(settings).compose(kind, message.address, message.context)
                found.append({"to": message.address, **message.context})
    return found


async def test_mails_about_proposals(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime], settings: Settings
) -> None:
    cast = asked.desk.cast
    proposal_id = await asked.propose(booked.id, offers[4])
    (mail,) = await mails(asked, settings, "move_proposed")
    assert (mail["to"], mail["start"], mail["proposed_start"], mail["zone"]) == (
        cast.email("student"),
        booked.start,
        offers[4],
        "America/New_York",
    )
    assert mail["link"] == f"{settings.public_url}/sessions/{booked.id}/proposal"
    await asked.decline(booked.id, proposal_id)
    assert await mails(asked, settings, "move_proposed") == []
    (mail,) = await mails(asked, settings, "proposal_declined")
    assert (mail["to"], mail["other_name"], mail["role"]) == (cast.email("mentor"), "Student", "mentor")
    await asked.propose(booked.id, offers[6])
    await asked.withdraw(booked.id)
    (mail,) = await mails(asked, settings, "proposal_withdrawn")
    assert (mail["to"], mail["proposed_start"]) == (cast.email("student"), offers[6])


async def test_who_answered_a_proposal_can_leave_for_good(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime]
) -> None:
    desk = asked.desk
    await asked.propose(booked.id, offers[4])
    await desk.cancel("student", booked.id)
    await desk.sql("update session_packs set expires_at = now() - interval '1 day'")
    await forgetting.leave(desk.database, desk.google, desk.principal("student"), booked.student_id)
    assert await asked.states() == ["withdrawn"]
    async with desk.database.service(ServiceDoor.JOB) as uow:
        assert (await uow.session.get_one(User, booked.student_id)).deleted_at is not None
