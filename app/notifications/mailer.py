"""What it takes to write and send a mail: templates, sender, and Resend where a key is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jinja2 import Environment

from app.core.templating import environment
from app.notifications.rendering import render
from app.notifications.resend import Resend
from app.settings import Settings

_LEASE_MARGIN = timedelta(seconds=2)


@dataclass(frozen=True)
class Mailer:
    """`resend` is None without a key: mails are recorded as skipped, the platform works on.

    `lease`: how long one attempt may take at most before another worker may repeat it.
    """

    templates: Environment
    resend: Resend | None
    sender: str
    reply_to: str
    lease: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Mailer:
        """The mailer that `settings` describe."""
        return cls(
            templates=environment(settings),
            resend=Resend(settings) if settings.resend_api_key else None,
            sender=settings.email_from,
            reply_to=settings.email_reply_to,
            lease=timedelta(seconds=settings.resend_timeout_seconds) + _LEASE_MARGIN,
        )

    def compose(self, kind: str, address: str, context: Mapping[str, Any]) -> dict[str, Any]:
        """The body of Resend's `POST /emails` for a mail of `kind`: whole, so that every retry sends the same."""
        words = render(self.templates, kind, context)
        body: dict[str, Any] = {
            "from": self.sender,
            "to": [address],
            "subject": words.subject,
            "text": words.text,
            "html": words.html,
        }
        if self.reply_to:
            body["reply_to"] = self.reply_to
        return body
