"""One socket of the room, from its first word to its end: comes in with a token, tells and is told, is seen out.

The database is asked before anybody comes in and every few seconds after; what is called out between processes is only
there to be quick.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from app.accounts.authentication import authenticate
from app.booking import recordings, visits
from app.core import clock
from app.core.db import Database
from app.core.ids import hash_secret, new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal
from app.core.web import Viewer
from app.video import frames, repository, rules
from app.video.frames import Ending, Frame, FromPage
from app.video.pacing import Bucket
from app.video.rooms import Pace, Rooms, TakenSeat
from app.video.rules import Meeting
from app.video.seats import LookUpConsent, Say, Seat, Tell
from app.video.words import Word, payloads

logger = logging.getLogger(__name__)


class LineLost(Exception):
    """The socket is closed, or its network is gone."""


class Over(Exception):
    """The socket ends now."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending
        super().__init__(str(ending.code))


@dataclass(frozen=True)
class Line:
    """An accepted socket: both raise LineLost. `secret` and `address`: the cookie that it came with, and where from."""

    receive: Callable[[], Awaitable[str]]
    send: Callable[[str], Awaitable[None]]
    secret: str | None
    address: str | None


async def hold(database: Database, rooms: Rooms, session_id: UUID, line: Line) -> Ending:
    """Serve a socket until it ends; how it is to be closed."""
    try:
        return await _Call(database, rooms, session_id, line).hold()
    except Over as over:
        return over.ending
    except LineLost:
        return frames.LOST


class _Call:
    def __init__(self, database: Database, rooms: Rooms, session_id: UUID, line: Line) -> None:
        self._database = database
        self._rooms = rooms
        self._pace: Pace = rooms.pace
        self._session_id = session_id
        self._line = line
        self._frames = Bucket(self._pace.burst, self._pace.frames_per_second, time.monotonic())

    async def hold(self) -> Ending:
        join = await self._first_frame()
        viewer, meeting = await self._look()
        impersonated = viewer.impersonator_id is not None
        no = rules.no_entry(meeting, viewer.id, clock.now(), impersonated=impersonated)
        if meeting is None or no is not None:
            raise _turned_away(no or rules.refusal("not_yours"))
        seat = Seat(meeting.id, viewer.id, new_id(), join.page)
        with self._rooms.taken(seat) as taken:
            await self._come_in(seat, join.token)
            return await self._stay(taken, viewer, meeting)

    async def _stay(self, taken: TakenSeat, viewer: Viewer, meeting: Meeting) -> Ending:
        ending, seat = frames.LOST, taken.seat
        initiator = seat.user_id == meeting.mentor_id
        try:
            await self._tell(frames.Joined(seat.visit, initiator, meeting.end, meeting.closes_at))
            await self._tell_consent(viewer, meeting)
            await _first_of(
                self._read(seat), self._follow(taken, viewer, meeting), self._keep(taken, meeting)
            )
        except Over as over:
            ending = over.ending
        finally:
            await asyncio.shield(self._go_out(seat, left=ending.left))
        return ending

    async def _first_frame(self) -> frames.Join:
        try:
            async with asyncio.timeout(self._pace.join_seconds):
                frame = await self._receive()
        except TimeoutError:
            raise Over(frames.refused("no_token", "Nobody said who is there.")) from None
        if not isinstance(frame, frames.Join):
            raise Over(frames.refused("no_token", "The first word is a token."))
        return frame

    async def _look(self) -> tuple[Viewer, Meeting | None]:
        """Who holds the cookie now, and the meeting as they may see it. Raises Over where nobody does any more."""
        async with self._database.unit_of_work() as uow:
            viewer = await authenticate(uow, self._line.secret, False, address=self._line.address)
            if viewer is None:
                no = rules.refusal("signed_out")
                raise Over(frames.closed(no.code, no.detail))
            meeting = await repository.meeting(uow, self._session_id)
            await uow.commit()
            return viewer, meeting

    async def _come_in(self, seat: Seat, token: str) -> None:
        """Use up the token, write down the stay and call it out, all or nothing."""
        async with self._database.service(ServiceDoor.CALL) as uow:
            now = clock.now()
            if not await repository.use_token(uow, seat.session_id, seat.user_id, hash_secret(token), now):
                raise _turned_away(rules.refusal("bad_token"))
            await visits.joined(uow, seat.visit, seat.session_id, seat.user_id, now)
            await repository.call_out(uow, payloads(seat.here(asking=True), new_id()))
            await uow.commit()

    async def _go_out(self, seat: Seat, *, left: bool) -> None:
        """Write down the end of the stay. Without the database it ends when it was last seen."""
        try:
            async with self._database.service(ServiceDoor.CALL) as uow:
                await visits.left(uow, seat.visit, clock.now())
                await repository.call_out(uow, payloads(seat.gone(left=left), new_id()))
                await uow.commit()
        except SQLAlchemyError as error:
            logger.warning("the end of a stay isn't written down: %s", type(error).__name__)

    async def _read(self, seat: Seat) -> None:
        """What the page says."""
        while True:
            match await self._receive():
                case frames.Signal(data=data):
                    word = seat.signal(msgspec.json.encode(data))
                    if word is not None:
                        await self._say(word)
                case frames.Leave():
                    raise Over(frames.LEFT)
                case frames.Join():
                    raise Over(frames.refused("bad_message", "You are in already."))

    async def _follow(self, taken: TakenSeat, viewer: Viewer, meeting: Meeting) -> None:
        """What the seat hears."""
        while True:
            match await taken.steps.get():
                case Tell(frame=frame):
                    await self._tell(frame)
                case Say(word=word):
                    await self._say(word)
                case LookUpConsent():
                    await self._tell_consent(viewer, meeting)
                case Ending() as ending:
                    raise Over(ending)

    async def _keep(self, taken: TakenSeat, came_for: Meeting) -> None:
        """Look every few seconds, and when the door closes, whether they may still be here, and who is."""
        closes_at = came_for.closes_at
        while True:
            until_closed = (closes_at - clock.now()).total_seconds()
            await asyncio.sleep(min(self._pace.beat_seconds, max(until_closed, 0)))
            try:
                closes_at = (await self._beat(taken, came_for)).closes_at
            except SQLAlchemyError as error:
                logger.warning("a room waits for the database: %s", type(error).__name__)
                await asyncio.sleep(self._pace.beat_seconds)

    async def _beat(self, taken: TakenSeat, came_for: Meeting) -> Meeting:
        viewer, meeting = await self._look()
        seat, now = taken.seat, clock.now()
        no = rules.no_stay(meeting, viewer.id, now, came_for=came_for.start)
        if meeting is None or no is not None:
            no = no or rules.refusal("not_yours")
            raise Over(frames.closed(no.code, no.detail))
        before = seat.other
        async with self._database.service(ServiceDoor.CALL) as uow:
            await visits.seen(uow, seat.visit, now)
            other = meeting.other_than(seat.user_id)
            present = await visits.present(uow, seat.session_id, other, now - self._pace.lost_after)
            await uow.commit()
        for step in seat.compare(before, present):
            taken.put(step)
        return meeting

    async def _receive(self) -> FromPage:
        text = await self._line.receive()
        if not self._frames.take(time.monotonic()):
            raise Over(frames.closed("too_much", "This page said too much at once."))
        if len(text.encode()) > frames.LONGEST_BYTES:
            raise Over(frames.TOO_LARGE)
        try:
            return frames.read(text)
        except frames.NotUnderstood:
            raise Over(frames.refused("bad_message", "That was not understood.")) from None

    async def _tell(self, frame: Frame) -> None:
        await self._line.send(msgspec.json.encode(frame).decode())

    async def _tell_consent(self, viewer: Viewer, meeting: Meeting) -> None:
        async with self._database.unit_of_work(Principal(viewer.id, viewer.role)) as uow:
            agreed = await recordings.agreed(uow, meeting.id)
        mine = agreed.mentor if viewer.id == meeting.mentor_id else agreed.student
        await self._tell(frames.Consent(mine=mine, both=agreed.both))

    async def _say(self, word: Word) -> None:
        """Call a word out. What is lost without the database is made good when it is back: pages begin anew."""
        try:
            async with self._database.unit_of_work() as uow:
                await repository.call_out(uow, payloads(word, new_id()))
                await uow.commit()
        except SQLAlchemyError as error:
            logger.warning("a word isn't called out: %s", type(error).__name__)


def _turned_away(no: rules.Refusal) -> Over:
    return Over(frames.refused(no.code, no.detail))


async def _first_of(*doing: Coroutine[Any, Any, None]) -> None:
    """Do all of it until one ends or fails, and stop the others."""
    tasks = [asyncio.create_task(one) for one in doing]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
