"""Calendar v3 over HTTP: events."""

from __future__ import annotations

from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.google import times
from sandbox.google.calendar import Call
from sandbox.google.errors import invalid
from sandbox.google.listing import listed
from sandbox.google.lookup import find
from sandbox.google.resources import rendered
from sandbox.google.service import Google
from sandbox.google.writes import change, insert, remove
from sandbox.http import HttpRequest, HttpResponse

EVENTS = "/calendars/{calendar_id:str}/events"
EVENT = EVENTS + "/{event_id:str}"


@get(EVENTS)
async def list_events(
    request: HttpRequest, google: NamedDependency[Google], calendar_id: FromPath[str]
) -> HttpResponse:
    """events.list"""
    call = Call(google, "events.list", request)
    return call.answer(listed(google, call.calendar(calendar_id), call.query))


@post(EVENTS, status_code=200)
async def insert_event(
    request: HttpRequest, google: NamedDependency[Google], calendar_id: FromPath[str]
) -> HttpResponse:
    """events.insert; guests are not written to, whatever `sendUpdates` says."""
    call = Call(google, "events.insert", request)
    calendar = call.calendar(calendar_id)
    event = insert(google, calendar, await call.body("Event"), conference=_conference(call))
    return call.answer(rendered(event, calendar, calendar.time_zone))


@get(EVENT)
async def get_event(
    request: HttpRequest, google: NamedDependency[Google], calendar_id: FromPath[str], event_id: FromPath[str]
) -> HttpResponse:
    """events.get; a deleted event is still there, with the status cancelled."""
    call = Call(google, "events.get", request)
    calendar = call.calendar(calendar_id)
    zone = call.query.get("timeZone") or calendar.time_zone
    if not times.is_zone(zone):
        raise invalid("Invalid time zone.", "timeZone")
    return call.answer(rendered(find(google, calendar, event_id), calendar, zone))


@patch(EVENT)
async def patch_event(
    request: HttpRequest, google: NamedDependency[Google], calendar_id: FromPath[str], event_id: FromPath[str]
) -> HttpResponse:
    """events.patch"""
    return await _changed(request, google, "events.patch", calendar_id, event_id)


@put(EVENT)
async def update_event(
    request: HttpRequest, google: NamedDependency[Google], calendar_id: FromPath[str], event_id: FromPath[str]
) -> HttpResponse:
    """events.update"""
    return await _changed(request, google, "events.update", calendar_id, event_id)


async def _changed(
    request: HttpRequest, google: Google, operation: str, calendar_id: str, event_id: str
) -> HttpResponse:
    call = Call(google, operation, request)
    calendar = call.calendar(calendar_id)
    event = change(
        google,
        calendar,
        event_id,
        await call.body("Event"),
        whole=operation == "events.update",
        match=request.headers.get("if-match", ""),
        conference=_conference(call),
    )
    return call.answer(rendered(event, calendar, calendar.time_zone))


@delete(EVENT)
async def delete_event(
    request: HttpRequest, google: NamedDependency[Google], calendar_id: FromPath[str], event_id: FromPath[str]
) -> None:
    """events.delete"""
    call = Call(google, "events.delete", request)
    remove(google, call.calendar(calendar_id), event_id, request.headers.get("if-match", ""))


def _conference(call: Call) -> bool:
    return bool(call.query.get("conferenceDataVersion", 0))


HANDLERS = [list_events, insert_event, get_event, patch_event, update_event, delete_event]
