"""Push channels: who wants to hear that a calendar changed."""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from sandbox.google.accounts import Calendar, fingerprint
from sandbox.google.errors import GoogleError, invalid
from sandbox.google.eventbook import Body
from sandbox.state import Collection, Store
from sandbox.webhooks import Courier

WEEK_SECONDS = 7 * 86400
LONGEST_SECONDS = 30 * 86400
_CHANNEL_ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}")


class Channel(msgspec.Struct, frozen=True):
    """One channel; `expires` in epoch seconds of machine time, `message` is the number of its last message."""

    id: str
    calendar: str
    account: str
    address: str
    token: str
    resource_id: str
    resource_uri: str
    expires: float
    message: int


class Push:
    """All channels. Each change of a calendar is told to each of its live channels."""

    def __init__(self, store: Store, courier: Courier, allow_http: bool) -> None:
        self._channels: Collection[Channel] = store.collection("google.channels", Channel)
        self._courier = courier
        self._allow_http = allow_http

    def watch(self, calendar: Calendar, body: Body) -> Body:
        """Open a channel and greet it; gives Google's answer. Raises GoogleError 400."""
        for name in ("id", "type", "address"):
            if not body.get(name):
                raise GoogleError(400, "required", f"entity.{name} required")
        if body["type"] not in ("web_hook", "webhook"):
            raise invalid("Unknown channel type")
        if not _CHANNEL_ID.fullmatch(body["id"]):
            raise invalid("Invalid channel id", reason="channelIdInvalid")
        if body["id"] in self._channels:
            raise invalid(f"Channel id {body['id']} not unique", reason="channelIdNotUnique")
        if len(body.get("token", "")) > 256:
            raise invalid("Invalid token: at most 256 characters")
        self._check_address(body["address"])
        channel = Channel(
            id=body["id"],
            calendar=calendar.id,
            account=calendar.owner,
            address=body["address"],
            token=body.get("token", ""),
            resource_id=fingerprint(calendar.id)[:27],
            resource_uri=f"https://www.googleapis.com/calendar/v3/calendars/{quote(calendar.id)}/events?alt=json",
            expires=_expiry(body),
            message=0,
        )
        self._tell(channel, "sync")
        return _shown(channel)

    def _check_address(self, address: str) -> None:
        parts = urlsplit(address)
        if not parts.hostname or (
            parts.scheme != "https" and not (self._allow_http and parts.scheme == "http")
        ):
            raise invalid(f"WebHook callback must be HTTPS: {address}", reason="push.webhookUrlNotHttps")

    def stop(self, account: str, body: Body) -> None:
        """Close a channel. Raises GoogleError 400 for missing ids, 404 for one the account does not have."""
        for name in ("id", "resourceId"):
            if not body.get(name):
                raise GoogleError(400, "required", f"entity.{name} required")
        channel = self._channels.get(body["id"])
        if channel is None or channel.account != account or channel.resource_id != body["resourceId"]:
            raise GoogleError(404, "channelIdNotFound", f"Channel '{body['id']}' not found for project")
        self._channels.drop(channel.id)

    def changed(self, calendar_id: str) -> None:
        """Tell every live channel of the calendar that something changed."""
        now = time.time()
        for channel in self._channels.values():
            if channel.expires <= now:
                self._channels.drop(channel.id)
            elif channel.calendar == calendar_id:
                self._tell(channel, "exists")

    def channels(self, calendar_id: str = "") -> list[dict[str, Any]]:
        """The channels of a calendar (empty: of all), with the address each one posts to."""
        return [
            _shown(channel)
            | {"address": channel.address, "calendar": channel.calendar, "messages": channel.message}
            for channel in self._channels.values()
            if calendar_id in ("", channel.calendar)
        ]

    def drop_account(self, account: str) -> None:
        """Close the channels of an account (empty: all), as a revoked grant does."""
        for channel in self._channels.values():
            if account in ("", channel.account):
                self._channels.drop(channel.id)

    def _tell(self, channel: Channel, state: str) -> None:
        number = channel.message + 1
        self._channels.put(channel.id, msgspec.structs.replace(channel, message=number))
        headers = {
            "Content-Type": "application/json; utf-8",
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Expiration": formatdate(channel.expires, usegmt=True),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-URI": channel.resource_uri,
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(number),
        }
        if channel.token:
            headers["X-Goog-Channel-Token"] = channel.token
        self._courier.send("google", channel.address, headers)


def _expiry(body: Body) -> float:
    now = time.time()
    try:
        if body.get("expiration") is not None:
            wanted = int(body["expiration"]) / 1000
        else:
            wanted = now + float(body.get("params", {}).get("ttl") or WEEK_SECONDS)
    except ValueError:
        raise invalid("Invalid channel expiration") from None
    if wanted <= now:
        raise invalid("Channel expiration is in the past", reason="channelExpirationInvalid")
    return min(wanted, now + LONGEST_SECONDS)


def _shown(channel: Channel) -> Body:
    shown = {
        "kind": "api#channel",
        "id": channel.id,
        "resourceId": channel.resource_id,
        "resourceUri": channel.resource_uri,
        "expiration": str(int(channel.expires * 1000)),
    }
    return shown | ({"token": channel.token} if channel.token else {})
