"""Google Calendar as the platform uses it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from app.calendars.errors import (
    CalendarGone,
    EventChanged,
    EventExists,
    EventGone,
    GoogleUnavailable,
    SyncTokenExpired,
)
from app.calendars.events import FIELDS, Event, EventToWrite, Listing, body_of, parse_event, patch_of
from app.calendars.sharing import Shared
from app.calendars.transport import Transport
from app.core.crypto import Cipher, cipher
from app.core.templating import iso
from app.settings import Settings

PAGE = 500
_AUTH = "https://www.googleapis.com/auth/"
SCOPES = (f"{_AUTH}calendar.events", f"{_AUTH}calendar.calendarlist.readonly")
"""What a mentor is asked to allow: reading and writing events, and choosing among the calendars."""
_BROADER = (
    {f"{_AUTH}calendar"},
    {f"{_AUTH}calendar", f"{_AUTH}calendar.readonly", f"{_AUTH}calendar.calendarlist"},
)
_EVENT = {404: EventGone, 410: EventGone, 412: EventChanged}


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar that the account may write to."""

    id: str
    name: str
    primary: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """A push channel; `expires_at` by Google's clock, UTC."""

    id: str
    resource_id: str
    expires_at: datetime


class Google:
    """The one adapter. Every method takes the refresh token of the grant it acts for.

    Every method raises GrantRevoked, GoogleUnavailable and GoogleRefused, those on a calendar also
    CalendarGone. `cipher` opens the refresh tokens that the database keeps; `live_checks` are under way in
    this process.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cipher: Cipher = cipher(settings)
        self.live_checks: Shared[tuple[UUID, int, int], list[tuple[int, int]]] = Shared()
        self._transport = Transport(settings)

    async def calendars(self, token: str) -> list[Calendar]:
        """The account's calendars that may be written to, the primary one first."""
        found: list[Calendar] = []
        page: str | None = None
        while True:
            answer = await self._transport.call(
                token,
                self._transport.calendars.list(
                    minAccessRole="writer",
                    pageToken=page,
                    fields="items(id,summary,summaryOverride,primary),nextPageToken",
                ),
            )
            found += [_calendar(item) for item in answer.get("items", [])]
            page = answer.get("nextPageToken")
            if page is None:
                return sorted(found, key=lambda calendar: (not calendar.primary, calendar.name))

    async def list_events(self, token: str, calendar_id: str, start: datetime, end: datetime) -> Listing:
        """Every event that touches [start, end), series as instances, deleted ones too, with a sync token."""
        return await self._listing(token, calendar_id, {"timeMin": iso(start), "timeMax": iso(end)})

    async def changed_events(self, token: str, calendar_id: str, sync_token: str) -> Listing:
        """What changed since `sync_token`. Raises SyncTokenExpired."""
        return await self._listing(token, calendar_id, {"syncToken": sync_token})

    async def insert_event(self, token: str, calendar_id: str, event: EventToWrite) -> Event:
        """Write a new event under its own id. Raises EventExists."""
        request = self._transport.events.insert(
            calendarId=calendar_id, body={"id": event.id, **body_of(event)}, sendUpdates="none"
        )
        answer = await self._transport.call(token, request, {404: CalendarGone, 409: EventExists})
        return parse_event(answer, "UTC")

    async def get_event(self, token: str, calendar_id: str, event_id: str) -> Event:
        """The event as it is now, a deleted one too. Raises EventGone."""
        request = self._transport.events.get(calendarId=calendar_id, eventId=event_id, timeZone="UTC")
        return parse_event(await self._transport.call(token, request, _EVENT), "UTC")

    async def patch_event(self, token: str, calendar_id: str, event: EventToWrite, held: Event) -> Event:
        """Bring an event to the wanted state, if it still is as `held`. Raises EventGone or EventChanged."""
        request = self._transport.events.patch(
            calendarId=calendar_id, eventId=event.id, body=patch_of(event, held), sendUpdates="none"
        )
        request.headers["If-Match"] = held.etag
        return parse_event(await self._transport.call(token, request, _EVENT), "UTC")

    async def delete_event(self, token: str, calendar_id: str, event_id: str) -> None:
        """Delete an event. Raises EventGone if there is none any more."""
        request = self._transport.events.delete(calendarId=calendar_id, eventId=event_id, sendUpdates="none")
        await self._transport.call(token, request, _EVENT)

    async def watch(
        self, token: str, calendar_id: str, channel_id: str, secret: str, address: str
    ) -> Channel:
        """Have Google post to `address`, with `secret`, whenever the calendar changes."""
        body = {"id": channel_id, "type": "web_hook", "address": address, "token": secret}
        request = self._transport.events.watch(calendarId=calendar_id, body=body)
        answer = await self._transport.call(token, request, {404: CalendarGone})
        expires_at = datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC)
        return Channel(channel_id, answer["resourceId"], expires_at)

    async def stop_channel(self, token: str, channel_id: str, resource_id: str) -> None:
        """End a push channel. Raises EventGone if it has ended already."""
        request = self._transport.channels.stop(body={"id": channel_id, "resourceId": resource_id})
        await self._transport.call(token, request, {404: EventGone})

    async def revoke(self, token: str) -> None:
        """Give the grant back to Google.

        Raises GoogleUnavailable; a grant that is gone already is fine (400).
        """
        self.forget(token)
        status = await self._transport.post_form(self.settings.google_revoke_url, urlencode({"token": token}))
        if status not in (200, 400):
            raise GoogleUnavailable(f"{status} from the revocation endpoint")

    def forget(self, token: str) -> None:
        """Keep no access token of this grant in memory."""
        self._transport.forget(token)

    def close(self) -> None:
        """Stop what runs in the background."""
        self._transport.close()

    async def _listing(self, token: str, calendar_id: str, window: dict[str, str]) -> Listing:
        """All pages.

        Deleted events are asked for each time: parameters may not differ between synchronisations.
        """
        events: list[Event] = []
        page: str | None = None
        while True:
            request = self._transport.events.list(
                calendarId=calendar_id,
                singleEvents=True,
                showDeleted=True,
                maxResults=PAGE,
                pageToken=page,
                fields=FIELDS,
                **window,
            )
            answer = await self._transport.call(token, request, {404: CalendarGone, 410: SyncTokenExpired})
            events += [parse_event(item, answer["timeZone"]) for item in answer.get("items", [])]
            page = answer.get("nextPageToken")
            if page is None:
                return Listing(events, answer["timeZone"], answer.get("nextSyncToken"))


def allows_all(scopes: Collection[str]) -> bool:
    """True if what was granted covers SCOPES; broader scopes, granted before, include them."""
    return all(({needed} | broader) & set(scopes) for needed, broader in zip(SCOPES, _BROADER, strict=True))


def _calendar(item: dict[str, Any]) -> Calendar:
    name = item.get("summaryOverride") or item.get("summary") or item["id"]
    return Calendar(item["id"], name, item.get("primary", False))
