"""Resend as a whole: the mails it took, and which idempotency key stands for which of them."""

from __future__ import annotations

import hashlib
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.resend.errors import ResendError
from sandbox.resend.events import FATES, Events
from sandbox.resend.mails import Mail
from sandbox.settings import Settings
from sandbox.state import Collection, Store
from sandbox.webhooks import Courier

KEY_SECONDS = 24 * 3600


class Used(msgspec.Struct, frozen=True):
    """A used idempotency key: digest of the body it came with, the mail it made, until when (machine time) it holds."""

    digest: str
    mail: str
    until: float


class Resend:
    """The stand-in's state."""

    def __init__(self, settings: Settings, store: Store, courier: Courier) -> None:
        self.events = Events(settings, store, courier)
        self.fates: Collection[str] = store.collection("resend.fates", str)
        self.mails: Collection[Mail] = store.collection("resend.mails", Mail)
        self._used: Collection[Used] = store.collection("resend.keys", Used)
        self._under_way: set[str] = set()

    def reset(self) -> None:
        """The state as after a first start: an empty mailbox, and every address well."""
        self.mails.clear()
        self.fates.clear()
        self.events.told.clear()
        self._used.clear()

    def begin(self, api_key: str, key: str, body: Any) -> str | None:
        """Claim an idempotency key; gives the id of the mail it already stands for, if there is one.

        Raises ResendError 409 if it came with another body or its first request is still under way. Without an
        error and without an id, `finish` or `abandon` must follow.
        """
        if not key:
            return None
        name, digest = _name(api_key, key), _digest(body)
        if name in self._under_way:
            raise ResendError(
                409,
                "concurrent_idempotent_requests",
                "Same idempotency key used while original request is still in progress.",
            )
        used = self._used.get(name)
        if used is not None and used.until > time.time():
            if used.digest != digest:
                raise ResendError(
                    409,
                    "invalid_idempotent_request",
                    "Same idempotency key used with a different request payload.",
                )
            return used.mail
        self._under_way.add(name)
        return None

    def finish(self, api_key: str, key: str, body: Any, members: dict[str, Any]) -> Mail:
        """Take the mail and let the key stand for it for 24 hours."""
        now = datetime.now(UTC).isoformat()
        mail = Mail(id=str(uuid.uuid4()), created_at=now, idempotency_key=key, **members)
        self.mails.put(mail.id, mail)
        if key:
            self._used.put(_name(api_key, key), Used(_digest(body), mail.id, time.time() + KEY_SECONDS))
            self.abandon(api_key, key)
        fate = next((found for found in map(self.fate_of, mail.to) if found), "")
        return self.befall(mail, fate) if fate else mail

    def set_fate(self, address: str, fate: str) -> None:
        """Decide what becomes of mails to an address from now on; "" lets them arrive."""
        bare = _bare(address)
        if fate:
            self.fates.put(bare, fate)
        else:
            self.fates.drop(bare)

    def fate_of(self, address: str) -> str:
        """What becomes of mails to an address, "" for nothing worth telling; Resend's own test addresses are known."""
        bare = _bare(address)
        name, _, domain = bare.partition("@")
        at_resend = name.partition("+")[0] if domain == "resend.dev" else ""
        return self.fates.get(bare) or (at_resend if at_resend in FATES else "")

    def befall(self, mail: Mail, fate: str) -> Mail:
        """Let something become of a mail, and tell the platform."""
        event = self.events.tell(mail, fate)
        changed = msgspec.structs.replace(mail, last_event=event.type.removeprefix("email."))
        return self.mails.put(mail.id, changed)

    def abandon(self, api_key: str, key: str) -> None:
        """Let go of a claimed key without a mail."""
        self._under_way.discard(_name(api_key, key))

    def expire_keys(self) -> int:
        """Let every idempotency key be forgotten, as after 24 hours; gives their number."""
        count = len(self._used)
        self._used.clear()
        return count


def _bare(address: str) -> str:
    return address.rpartition("<")[2].rstrip(">").strip().lower()


def _name(api_key: str, key: str) -> str:
    return hashlib.sha256(f"{api_key}\n{key}".encode()).hexdigest()


def _digest(body: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(body, order="deterministic")).hexdigest()
