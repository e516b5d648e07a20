"""Absences as the tests of this slice arrange them: in the name of the mentor of the cast, at the time of the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.absences import service
from app.absences.models import Absence
from app.absences.notices import NOTICES
from app.absences.plan import Choice, Wish
from app.absences.preview import Preview
from app.absences.rules import Days
from app.absences.service import Changed
from app.booking.models import MoveProposal
from app.booking.service import SessionFacts
from app.core import clock
from app.core.rls import ServiceDoor
from app.mentors.service import today
from app.notifications.mailer import Mailer
from app.notifications.service import Message
from app.settings import Settings
from tests.booking.support import Desk

ZONE = "Europe/Lisbon"


@dataclass(frozen=True)
class AwayDesk:
    """Does what mentors and students of the cast want about absences."""

    desk: Desk

    def days(self, after: int = 7, count: int = 7) -> Days:
        """`count` days, the first so many days after the mentor's today; a week of them has five working days."""
        first = today(ZONE) + dt.timedelta(days=after)
        return Days(first, first + dt.timedelta(days=count - 1))

    async def booked_on(self, days: Days, who: str | UUID = "student", number: int = 0) -> SessionFacts:
        """A session of the student's on one of the days: the `number`th time that is offered to them there."""
        span = days.span(ZONE)
        assert span is not None
        offers = await self.desk.offers(who, days=50)
        there = [start for start in offers if span[0] <= start.timestamp() < span[1]]
        return (await self.desk.book(who, there[number])).session

    async def preview(self, days: Days, *, extend: bool = False, who: str = "mentor") -> Preview:
        async with self.desk.database.unit_of_work(self.desk.principal(who)) as uow:
            return await service.preview(uow, Wish(days, extend))

    async def confirm(
        self,
        days: Days,
        *,
        extend: bool = False,
        seen: Mapping[UUID, int] | None = None,
        choices: Mapping[UUID, Choice] | None = None,
        who: str = "mentor",
    ) -> Preview:
        """Go away; without `seen` as somebody does who has just looked."""
        if seen is None:
            seen = shown(await self.preview(days, extend=extend, who=who))
        async with self.desk.database.unit_of_work(self.desk.principal(who)) as uow:
            return await service.confirm(uow, Wish(days, extend), seen, choices or {})

    async def end(self, absence_id: UUID, who: str = "mentor") -> None:
        async with self.desk.database.unit_of_work(self.desk.principal(who)) as uow:
            await service.end(uow, absence_id)

    async def absences(self) -> list[Any]:
        async with self.desk.database.service(ServiceDoor.JOB) as uow:
            return list((await uow.session.execute(sa.select(Absence).order_by(Absence.id))).scalars())

    async def proposals(self) -> list[tuple[UUID, datetime, str]]:
        """(session, proposed start, status) of every proposal, in the order they were made."""
        async with self.desk.database.service(ServiceDoor.JOB) as uow:
            rows = (await uow.session.execute(sa.select(MoveProposal).order_by(MoveProposal.id))).scalars()
            return [(row.session_id, row.starts_at, row.status.value) for row in rows]

    async def told(self, kind: str) -> list[dict[str, Any]]:
        """Payloads of that kind of notification."""
        query = "select payload from outbox where type = 'notification/send' and payload ->> 'kind' = :kind order by id"
        return [row.payload for row in await self.desk.sql(query, kind=kind)]

    async def mails(self, settings: Settings, kind: str) -> list[Message]:
        """What is sent of that kind, rendered once to see that it can be."""
        messages: list[Message] = []
        for payload in await self.told(kind):
            async with self.desk.database.service(ServiceDoor.JOB) as uow:
                found = await NOTICES[kind](uow, settings, payload)
            messages += [message for message in found if message.skip is None]
        for message in messages:
            Mailer.of(settings).compose(kind, message.address, message.context)
        return messages


def shown(preview: Preview) -> dict[UUID, int]:
    """What somebody saw who looked at the preview."""
    return {one.concerned.session.id: one.concerned.session.start for one in preview.planned}


async def changed(attempt: Any) -> Changed:
    """The answer to somebody who looked too long ago."""
    with pytest.raises(Changed) as caught:
        await attempt
    return caught.value


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def soon(days: float) -> datetime:
    return clock.now() + timedelta(days=days)
