"""Sends mails to the cast, and looks at rows, requests and mailbox afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.notifications import service
from app.notifications.mailer import Mailer
from app.notifications.models import Delivery
from app.notifications.service import Attachment, Message
from tests.cast import Cast
from tests.notifications.examples import REQUIRED
from tests.support.sandbox import RunningSandbox

KIND = "session_booked"


@dataclass
class Desk:
    """One event and its mails."""

    database: Database
    mailer: Mailer
    sandbox: RunningSandbox
    cast: Cast
    event_id: UUID = field(default_factory=new_id)

    def message(
        self, who: str, /, kind: str = KIND, attachments: Sequence[Attachment] = (), **context: Any
    ) -> Message:
        """A mail to somebody of the cast."""
        return Message(self.cast[who], self.cast.email(who), REQUIRED[kind] | context, attachments)

    async def send(self, *messages: Message, kind: str = KIND, mailer: Mailer | None = None) -> None:
        """Send the event's messages, by default one to the student and one to the mentor."""
        told = messages or (self.message("student"), self.message("mentor", role="mentor"))
        await service.send(self.database, mailer or self.mailer, self.event_id, kind, told)

    async def rows(self) -> list[Delivery]:
        """The event's deliveries."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(Delivery).where(Delivery.event_id == self.event_id).order_by(Delivery.id)
            return list(await uow.session.scalars(query))

    async def row(self) -> Delivery:
        """The event's only delivery."""
        (row,) = await self.rows()
        return row

    async def change(self, **values: Any) -> None:
        """Arrange the event's deliveries: values are SQL expressions."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            texts = {name: sa.text(value) for name, value in values.items()}
            await uow.session.execute(
                sa.update(Delivery).where(Delivery.event_id == self.event_id).values(texts)
            )
            await uow.commit()

    def requests(self) -> list[dict[str, Any]]:
        """What Resend was asked."""
        return self.sandbox.control.requests("resend")

    def mailbox(self, name: str = "") -> list[dict[str, Any]]:
        """What arrived, for somebody or for all."""
        return self.sandbox.control.mailbox(self.cast.email(name) if name else "")
