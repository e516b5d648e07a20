"""Sends notifications to the cast, and looks at rows, requests, mailbox and Discord afterwards."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.accounts.contacts import contacts
from app.accounts.models import MailPause, Provider, User, UserIdentity
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.notifications import service
from app.notifications.mailer import Mailer
from app.notifications.models import Channel, Delivery, DeliveryState, NotificationOptOut
from app.notifications.outlets import Outlets
from app.notifications.service import Attachment, Message
from tests.cast import Cast, link_discord
from tests.notifications.examples import REQUIRED
from tests.support.sandbox import RunningSandbox

KIND = "session_booked"
# Accounts on the sandbox's Discord for people of the cast who link one.
ACCOUNTS = {"student": "200000000000000001", "mentor": "200000000000000002"}


@dataclass
class Desk:
    """One event and its messages."""

    database: Database
    outlets: Outlets
    sandbox: RunningSandbox
    cast: Cast
    event_id: UUID = field(default_factory=new_id)

    @property
    def mailer(self) -> Mailer:
        """What writes and sends mails."""
        return self.outlets.mailer

    def message(
        self, who: str, /, kind: str = KIND, attachments: Sequence[Attachment] = (), **context: Any
    ) -> Message:
        """A message to somebody of the cast."""
        return Message(self.cast[who], self.cast.email(who), REQUIRED[kind] | context, attachments)

    async def send(self, *messages: Message, kind: str = KIND, mailer: Mailer | None = None) -> None:
        """Send the event's messages, by default one to the student and one to the mentor."""
        await self.record(*messages, kind=kind, mailer=mailer)
        await self.deliver(mailer=mailer)

    async def record(self, *messages: Message, kind: str = KIND, mailer: Mailer | None = None) -> None:
        """Write the event's messages down, unless that was done."""
        told = messages or (self.message("student"), self.message("mentor", role="mentor"))
        async with self.database.service(ServiceDoor.JOB) as uow:
            if not await service.recorded(uow, self.event_id):
                reached = await contacts(uow, [message.recipient_id for message in told])
                await service.record(uow, self._with(mailer), self.event_id, kind, told, reached)
                await uow.commit()

    async def deliver(self, mailer: Mailer | None = None) -> None:
        """Send what is written down and not sent yet."""
        await service.deliver(self.database, self._with(mailer), self.event_id)

    def _with(self, mailer: Mailer | None) -> Outlets:
        return dataclasses.replace(self.outlets, mailer=mailer) if mailer else self.outlets

    async def link(self, who: str = "student", **member: Any) -> str:
        """Give somebody an account on Discord (`open`, `here` as the sandbox takes them), linked; its id."""
        self.sandbox.control.discord_member(ACCOUNTS[who], **member)
        async with self.database.service(ServiceDoor.SEED) as uow:
            await link_discord(uow, self.cast[who], ACCOUNTS[who])
            await uow.commit()
        return ACCOUNTS[who]

    async def turn_off(self, *channels: Channel, kind: str = KIND, who: str = "student") -> None:
        """Somebody doesn't want a kind there."""
        for channel in channels:
            values = {"user_id": self.cast[who], "kind": kind, "channel": channel, "since": clock.now()}
            await self.do(sa.insert(NotificationOptOut).values(values))

    async def pause(self, who: str = "student") -> None:
        """Somebody's address bounces."""
        paused = {"mail_paused_at": clock.now(), "mail_paused_reason": MailPause.BOUNCED}
        await self.do(sa.update(User).where(User.id == self.cast[who]).values(paused))

    async def rows(self, channel: Channel | None = None) -> list[Delivery]:
        """The event's deliveries."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(Delivery).where(Delivery.event_id == self.event_id).order_by(Delivery.id)
            return [row for row in await uow.session.scalars(query) if channel in (None, row.channel)]

    async def outcome(self) -> dict[Channel, tuple[DeliveryState, str | None]]:
        """What became of the event's deliveries, one a channel: state, reason."""
        return {row.channel: (row.state, row.reason) for row in await self.rows()}

    async def tell(self, kind: str = KIND) -> dict[Channel, tuple[DeliveryState, str | None]]:
        """Send one notification to the student; what became of it."""
        await self.send(self.message("student", kind), kind=kind)
        return await self.outcome()

    async def row(self, channel: Channel | None = None) -> Delivery:
        """The event's only delivery, on a channel or at all."""
        (row,) = await self.rows(channel)
        return row

    async def change(self, channel: Channel | None = None, **values: Any) -> None:
        """Arrange the event's deliveries: values are SQL expressions."""
        texts = {name: sa.text(value) for name, value in values.items()}
        change = sa.update(Delivery).where(Delivery.event_id == self.event_id)
        if channel:
            change = change.where(Delivery.channel == channel)
        await self.do(change.values(texts))

    async def do(self, statement: sa.Executable) -> None:
        """Arrange rows."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            await uow.session.execute(statement)
            await uow.commit()

    async def closed_at(self, who: str = "student") -> datetime | None:
        """Since when somebody's Discord account takes no messages from us."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(UserIdentity.closed_at).where(
                UserIdentity.user_id == self.cast[who], UserIdentity.provider == Provider.DISCORD
            )
            return await uow.session.scalar(query)

    def requests(self, vendor: str = "resend") -> list[dict[str, Any]]:
        """What a vendor was asked."""
        return self.sandbox.control.requests(vendor)

    def mailbox(self, name: str = "") -> list[dict[str, Any]]:
        """What arrived by mail, for somebody or for all."""
        return self.sandbox.control.mailbox(self.cast.email(name) if name else "")

    def direct(self, name: str = "") -> list[dict[str, Any]]:
        """What arrived on Discord, for somebody or for all."""
        return self.sandbox.control.discord_messages(ACCOUNTS[name] if name else "")
