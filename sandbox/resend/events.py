"""What becomes of mails after Resend took them: kept, and told to the platform's webhook signed as Svix signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.resend.mails import Mail
from sandbox.settings import Settings
from sandbox.state import Collection, Store
from sandbox.webhooks import Courier

PATH = "/api/webhooks/resend"
_REFUSED = "smtp; 550 5.1.1 The email account that you tried to reach does not exist"
# What can become of a mail: the type of its event without `email.`, and what the event says besides.
FATES: dict[str, tuple[str, dict[str, Any]]] = {
    "delivered": ("delivered", {}),
    "opened": ("opened", {}),
    "delayed": ("delivery_delayed", {}),
    "bounced": (
        "bounced",
        {
            "bounce": {
                "type": "Permanent",
                "subType": "NoEmail",
                "message": "The recipient's email server turned the message away: there is no such mailbox.",
                "diagnosticCode": [_REFUSED],
            }
        },
    ),
    "bounced_for_now": (
        "bounced",
        {
            "bounce": {
                "type": "Transient",
                "subType": "MailboxFull",
                "message": "The recipient's mailbox is full.",
                "diagnosticCode": ["smtp; 452 4.2.2 The email account is over quota"],
            }
        },
    ),
    "complained": ("complained", {}),
    "suppressed": (
        "suppressed",
        {
            "suppressed": {
                "type": "OnAccountSuppressionList",
                "reason": "previous_bounce",
                "message": "The address turned an earlier message away.",
                "diagnosticCode": [],
            }
        },
    ),
}


class Event(msgspec.Struct, frozen=True):
    """Something told about a mail: `id` is Svix's, the same for each attempt; `body` is what was signed."""

    id: str
    email_id: str
    type: str
    body: dict[str, Any]


class Events:
    """What was told, and telling it."""

    def __init__(self, settings: Settings, store: Store, courier: Courier) -> None:
        self.told: Collection[Event] = store.collection("resend.events", Event)
        self._courier = courier
        self._url = settings.public_url.rstrip("/") + PATH
        self._key = base64.b64decode(settings.resend_webhook_secret.removeprefix("whsec_"))

    def tell(self, mail: Mail, fate: str) -> Event:
        """Keep and deliver what became of a mail; `fate` is one of FATES."""
        name, details = FATES[fate]
        data: dict[str, Any] = {
            "email_id": mail.id,
            "created_at": mail.created_at,
            "from": mail.sender,
            "to": mail.to,
            "subject": mail.subject,
        }
        if mail.tags:
            data["tags"] = {tag["name"]: tag["value"] for tag in mail.tags}
        if mail.headers:
            data["headers"] = [{"name": name, "value": value} for name, value in mail.headers.items()]
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        type_ = f"email.{name}"
        body = {"type": type_, "created_at": at, "data": data | details}
        event = Event(f"msg_{uuid.uuid4().hex}", mail.id, type_, body)
        self.told.put(event.id, event)
        self.deliver(event)
        return event

    def deliver(self, event: Event) -> None:
        """Deliver an event, as often as this is called; each attempt is signed with the time it is made at."""
        body = msgspec.json.encode(event.body)

        def headers() -> dict[str, str]:
            stamp = str(int(time.time()))
            digest = hmac.digest(self._key, f"{event.id}.{stamp}.".encode() + body, hashlib.sha256)
            return {
                "Content-Type": "application/json",
                "svix-id": event.id,
                "svix-timestamp": stamp,
                "svix-signature": f"v1,{base64.b64encode(digest).decode()}",
            }

        self._courier.send("resend", self._url, headers, body)
