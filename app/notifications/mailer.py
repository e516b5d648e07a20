"""What it takes to write and send a mail: templates, sender, and Resend where a key is set."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from jinja2 import Environment

from app.core.templating import environment
from app.notifications import unsubscribe
from app.notifications.errors import Postponed
from app.notifications.messages import Attachment, Contact, Message
from app.notifications.rendering import render
from app.notifications.resend import Resend
from app.notifications.rules import LEASE_MARGIN, RESEND_WINDOW
from app.settings import Settings


@dataclass(frozen=True)
class Mailer:
    """`resend` is None without a key: mails are recorded as skipped, the platform works on.

    `lease`: how long one attempt may take at most before another worker may repeat it. `window`: how long Resend
    knows a mail again.
    """

    settings: Settings
    templates: Environment
    resend: Resend | None
    lease: timedelta
    window: timedelta = RESEND_WINDOW

    @classmethod
    def of(cls, settings: Settings) -> Mailer:
        """The mailer that `settings` describe."""
        return cls(
            settings=settings,
            templates=environment(settings),
            resend=Resend(settings) if settings.resend_api_key else None,
            lease=timedelta(seconds=settings.resend_timeout_seconds) + LEASE_MARGIN,
        )

    @property
    def is_on(self) -> bool:
        """True if mails can be sent."""
        return self.resend is not None

    def write(self, kind: str, message: Message, contact: Contact) -> dict[str, Any]:
        """The mail for one recipient, as it is kept and sent."""
        body = self.compose(kind, message.address, message.context, message.recipient_id)
        if message.attachments:
            body["attachments"] = [_file(attachment) for attachment in message.attachments]
        return body

    def compose(
        self, kind: str, address: str, context: Mapping[str, Any], recipient_id: UUID | None = None
    ) -> dict[str, Any]:
        """The body of Resend's `POST /emails` for a mail of `kind`: whole, so that every retry sends the same.

        With `recipient_id` it says how to turn the kind off, where that can be.
        """
        way_out = unsubscribe.footer_for(self.settings, recipient_id, kind) if recipient_id else {}
        words = render(self.templates, kind, {**context, **way_out})
        body: dict[str, Any] = {
            "from": self.settings.email_from,
            "to": [address],
            "subject": words.subject,
            "text": words.text,
            "html": words.html,
        }
        if self.settings.email_reply_to:
            body["reply_to"] = self.settings.email_reply_to
        headers = unsubscribe.headers_for(self.settings, recipient_id, kind) if recipient_id else {}
        if headers:
            body["headers"] = headers
        return body

    async def send(self, body: dict[str, Any], delivery_id: UUID) -> str:
        """Send what `write` wrote; returns Resend's id. Raises Refused, Postponed, Unknown."""
        if self.resend is None:
            raise Postponed("no key for Resend is set")
        return await self.resend.send(body, str(delivery_id))


def _file(attachment: Attachment) -> dict[str, str]:
    return {
        "filename": attachment.filename,
        "content": base64.b64encode(attachment.content).decode(),
        "content_type": attachment.content_type,
    }
