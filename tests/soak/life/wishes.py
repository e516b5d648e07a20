"""How people want to be told, and the rest of what they do: waiting, Discord, what they turn off, newcomers."""

from __future__ import annotations

import asyncio
import re
from uuid import UUID

from app.accounts import discord, sign_up, student_profile
from app.accounts.discord import DiscordAccount
from app.core import clock
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.notifications import preferences
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import ALL_CHANNELS
from app.packs import waitlist
from tests.soak.life.at_packs import AtPacks
from tests.soak.life.doing import NothingToDo

_VERIFY = re.compile(r"/verify/(\S+)")


class Wishes(AtPacks):
    """Further deeds."""

    async def join(self) -> None:
        mentor_id, student_id = self.rng.choice(self.world.mentors), self.rng.choice(self.world.students)
        async with self._acting(self.world.as_student(student_id)) as uow:
            await waitlist.join(uow, mentor_id, student_id)
        self.history.note(clock.now(), "join", mentor_id=mentor_id, student_id=student_id)

    async def leave(self) -> None:
        row = await self._one("select * from waitlist where left_at is null")
        async with self._acting(self.world.as_student(row.student_id)) as uow:
            await waitlist.leave(uow, row.mentor_id, row.student_id)
        self.history.note(clock.now(), "leave", entry_id=row.id)

    async def remove(self) -> None:
        row = await self._one("select * from waitlist where left_at is null")
        async with self._acting(self.world.as_mentor(row.mentor_id)) as uow:
            await waitlist.remove(uow, row.id)
        self.history.note(clock.now(), "removed", entry_id=row.id, student_id=row.student_id)

    async def turn_off(self) -> None:
        """A kind on a channel, also one that can't be: then nothing must come of it."""
        user_id = self._anybody()
        kind, channel = self.rng.choice(sorted(CATALOGUE)), self.rng.choice(ALL_CHANNELS)
        async with self._acting(self._as(user_id)) as uow:
            await preferences.turn_off(uow, user_id, [(kind, channel)])
        self.history.note(clock.now(), "turn off", user_id=user_id, kind=kind, channel=channel.value)

    async def turn_on(self) -> None:
        row = await self._one("select * from notification_opt_outs")
        async with self._acting(self._as(row.user_id)) as uow:
            await preferences.turn_on(uow, row.user_id, [(row.kind, row.channel)])
        self.history.note(
            clock.now(), "turn on", user_id=row.user_id, kind=row.kind, channel=str(row.channel)
        )

    async def link(self) -> None:
        user_id = self._anybody()
        if await self.sql("select 1 from user_identities where user_id = :id", id=user_id):
            raise NothingToDo
        member = await asyncio.to_thread(self.world.sandbox.control.discord_member)
        account = DiscordAccount(member["id"], member["name"])
        async with self.world.database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            await discord.link(uow, self._as(user_id), account)
        self.history.note(clock.now(), "link", user_id=user_id, discord_id=member["id"])

    async def unlink(self) -> None:
        row = await self._one("select * from user_identities where provider = 'discord'")
        async with self._acting(self._as(row.user_id)) as uow:
            await discord.unlink(uow)
        self.history.note(clock.now(), "unlink", user_id=row.user_id, discord_id=row.subject)

    async def close_messages(self) -> None:
        await self._set_messages(open_=False)

    async def open_messages(self) -> None:
        await self._set_messages(open_=True)

    async def _set_messages(self, *, open_: bool) -> None:
        row = await self._one("select * from user_identities where provider = 'discord'")
        await asyncio.to_thread(self.world.sandbox.control.discord_member, row.subject, open=open_)
        self.history.note(clock.now(), "messages", discord_id=row.subject, open=open_)

    async def arrive(self) -> None:
        """Somebody new signs up and follows the link in the mail; needs workers."""
        number = len(self.world.students)
        email = f"student-{number:02}@example.test"
        zone = self.rng.choice(("Europe/Berlin", "America/New_York", "Asia/Kolkata"))
        async with self.world.database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            await sign_up.sign_up(
                uow,
                self.world.settings,
                name=f"Student {number:02}",
                email=email,
                password=f"a-long-password-{number}",
                time_zone=zone,
            )
        (user,) = await self.sql("select id from users where email = :email", email=email)
        self.world.students.append(user.id)
        self.history.note(clock.now(), "sign up", user_id=user.id)

    async def verify(self) -> None:
        """They follow the link."""
        row = await self._one(
            "select * from users where email_verified_at is null and created_at > :now - interval '20 hours'"
        )
        mails = await asyncio.to_thread(self.world.sandbox.control.mailbox, row.email)
        links = [match[1] for mail in mails if (match := _VERIFY.search(mail["text"]))]
        if not links:
            raise NothingToDo
        async with self.world.database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            if await sign_up.verify(uow, links[-1]) is None:
                raise NothingToDo
        self.history.note(clock.now(), "account", user_id=row.id)

    async def get_started(self) -> None:
        """A newcomer finishes what they are asked, or puts it aside."""
        waiting = {event.user_id for event in self.history.of("account")}
        waiting -= {event.user_id for event in self.history.of("put aside")}
        if not waiting:
            raise NothingToDo
        user_id = self.rng.choice(sorted(waiting))
        async with self._acting(self._as(user_id)) as uow:
            await student_profile.put_aside(uow)
        self.history.note(clock.now(), "put aside", user_id=user_id)

    def _anybody(self) -> UUID:
        return self.rng.choice(self.world.students + self.world.mentors)

    def _as(self, user_id: UUID) -> Principal:
        return Principal(user_id, Role.MENTOR if user_id in self.world.mentors else Role.STUDENT)


WEIGHTS = {
    "book": 30,
    "move": 8,
    "move_back": 3,
    "cancel_as_student": 4,
    "cancel_as_mentor": 3,
    "mark": 14,
    "mark_otherwise": 1,
    "undo": 3,
    "buy": 2,
    "renew": 1,
    "renew_by_hand": 3,
    "take_offer": 3,
    "grant": 5,
    "adjust": 3,
    "move_expiry": 2,
    "refund": 1,
    "take_seat_away": 1,
    "give_seat": 1,
    "join": 5,
    "leave": 1,
    "remove": 1,
    "turn_off": 4,
    "turn_on": 2,
    "link": 3,
    "unlink": 1,
    "close_messages": 1,
    "open_messages": 1,
    "arrive": 1,
    "verify": 2,
    "get_started": 1,
}
