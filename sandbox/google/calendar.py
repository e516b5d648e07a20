"""Calendar v3 over HTTP: who may call, the calendar list, free/busy and channels."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.google import fields, freebusy
from sandbox.google.accounts import Calendar, Token, fingerprint
from sandbox.google.contract import check_body, check_query, scopes_of
from sandbox.google.errors import GoogleError, invalid, not_found
from sandbox.google.eventbook import Body
from sandbox.google.service import Google
from sandbox.http import HttpRequest, HttpResponse, json_answer, query_pairs

COLOURS = ("#9fe1e7", "#f691b2", "#b3dc6c", "#fad165")


class Call:
    """One authorized call: the account it is for and its checked query."""

    def __init__(self, google: Google, operation: str, request: HttpRequest) -> None:
        """Raises GoogleError 401, 403 or 400."""
        token = bearer(google, request.headers.get("authorization", ""))
        self.query: dict[str, Any] = check_query(operation, query_pairs(request))
        if not scopes_of(operation).intersection(token.scopes):
            raise GoogleError(
                403, "insufficientPermissions", "Request had insufficient authentication scopes."
            )
        self.account = token.account
        self._google = google
        self._request = request

    def calendar(self, calendar_id: str) -> Calendar:
        """One of the account's calendars. Raises GoogleError 404."""
        found = self._google.accounts.calendar_of(self.account, calendar_id)
        if found is None:
            raise not_found()
        return found

    async def body(self, schema: str) -> Body:
        """The JSON body, checked against a schema of the discovery document. Raises GoogleError 400."""
        try:
            value = msgspec.json.decode(await self._request.body())
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise invalid("Parse Error", reason="parseError") from None
        checked = check_body(schema, value)
        return checked if schema == "Event" else {k: v for k, v in checked.items() if v is not None}

    def answer(self, body: Body) -> HttpResponse:
        """The answer, cut down to the asked `fields`."""
        if "fields" in self.query:
            return json_answer(fields.apply(fields.parse(self.query["fields"]), body))
        return json_answer(body, headers={"etag": body["etag"]} if "etag" in body else {})


def bearer(google: Google, header: str) -> Token:
    """The live access token of an Authorization header. Raises GoogleError 401."""
    scheme, _, secret = header.partition(" ")
    token = google.accounts.access.get(fingerprint(secret)) if scheme.lower() == "bearer" else None
    if token is None or (token.expires is not None and token.expires <= time.time()):
        raise GoogleError(
            401,
            "authError",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential.",
            location="Authorization",
            location_type="header",
        )
    return token


def listed_calendar(calendar: Calendar, place: int) -> Body:
    """A calendar as an entry of the account's list."""
    entry: Body = {
        "kind": "calendar#calendarListEntry",
        "etag": f'"{fingerprint(calendar.id)[:16]}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "colorId": str(14 + place),
        "backgroundColor": COLOURS[place % len(COLOURS)],
        "foregroundColor": "#000000",
        "selected": True,
        "accessRole": "owner",
        "defaultReminders": [{"method": "popup", "minutes": 10}] if calendar.primary else [],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    return entry | ({"primary": True} if calendar.primary else {})


@get("/users/me/calendarList")
async def calendar_list(request: HttpRequest, google: NamedDependency[Google]) -> HttpResponse:
    """calendarList.list; synchronising the list itself is not part of this subset."""
    call = Call(google, "calendarList.list", request)
    if "syncToken" in call.query:
        raise GoogleError(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
    size, page = call.query.get("maxResults", 100), call.query.get("pageToken", "0")
    if not page.isdecimal() or size < 1:
        raise invalid("Invalid page token value.", "pageToken")
    mine = google.accounts.calendars_of(call.account)
    first = int(page)
    body: Body = {
        "kind": "calendar#calendarList",
        "etag": f'"p{len(mine)}"',
        "items": [listed_calendar(c, first + i) for i, c in enumerate(mine[first : first + size])],
    }
    if first + size < len(mine):
        body["nextPageToken"] = str(first + size)
    return call.answer(body)


@get("/calendars/{calendar_id:str}")
async def get_calendar(
    request: HttpRequest, google: NamedDependency[Google], calendar_id: FromPath[str]
) -> HttpResponse:
    """calendars.get"""
    call = Call(google, "calendars.get", request)
    calendar = call.calendar(calendar_id)
    return call.answer(
        {
            "kind": "calendar#calendar",
            "etag": f'"{fingerprint(calendar.id)[:16]}"',
            "id": calendar.id,
            "summary": calendar.summary,
            "timeZone": calendar.time_zone,
            "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
        }
    )


@post("/freeBusy", status_code=200)
async def query_freebusy(request: HttpRequest, google: NamedDependency[Google]) -> HttpResponse:
    """freebusy.query"""
    call = Call(google, "freebusy.query", request)
    return call.answer(freebusy.answered(google, call.account, await call.body("FreeBusyRequest")))


@post("/calendars/{calendar_id:str}/events/watch", status_code=200)
async def watch_events(
    request: HttpRequest, google: NamedDependency[Google], calendar_id: FromPath[str]
) -> HttpResponse:
    """events.watch"""
    call = Call(google, "events.watch", request)
    calendar = call.calendar(calendar_id)
    return call.answer(google.push.watch(calendar, await call.body("Channel")))


@post("/channels/stop", status_code=204)
async def stop_channel(request: HttpRequest, google: NamedDependency[Google]) -> None:
    """channels.stop"""
    call = Call(google, "channels.stop", request)
    google.push.stop(call.account, await call.body("Channel"))


HANDLERS = [calendar_list, get_calendar, query_freebusy, watch_events, stop_channel]
