"""Control calls that act at Google: as a person with an account, or as Google itself."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.control.errors import ControlError, body_of
from sandbox.google import consent, times
from sandbox.google.accounts import Calendar
from sandbox.google.contract import check_body, check_query
from sandbox.google.listing import listed
from sandbox.google.resources import rendered
from sandbox.google.service import Google
from sandbox.google.writes import change, insert, remove
from sandbox.http import HttpRequest, HttpResponse, json_answer, query_pairs

EVENTS = "/google/calendars/{address:str}/events"


class AccountWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to make or change; what is not given stays, or for a new one is made up."""

    address: str
    name: str | None = None
    time_zone: str | None = None
    email_verified: bool | None = None
    picture: str | None = None


class ConsentWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's decision about an authorize address; `scopes` may leave out some of the asked ones."""

    url: str
    address: str
    allow: bool = True
    scopes: list[str] | None = None


def calendar_at(google: Google, address: str) -> Calendar:
    """A calendar by its id, which for a primary one is the account's address. Raises ControlError 404."""
    calendar = google.accounts.calendars.get(address)
    if calendar is None:
        raise ControlError(
            404, f"there is no calendar {address!r}; POST /control/google/accounts makes accounts"
        )
    return calendar


@get(EVENTS)
async def show_events(
    request: HttpRequest, google: NamedDependency[Google], address: FromPath[str]
) -> HttpResponse:
    """What a calendar holds, as events.list answers it and with the same parameters; all of it on one page."""
    query = {"maxResults": 2500, **check_query("events.list", query_pairs(request))}
    return json_answer(listed(google, calendar_at(google, address), query))


@post(EVENTS, status_code=201)
async def add_event(
    request: HttpRequest, google: NamedDependency[Google], address: FromPath[str]
) -> HttpResponse:
    """Put an event (Google's Event resource) in a calendar by its owner's hand; `organizer` may be somebody else."""
    calendar = calendar_at(google, address)
    body = check_body("Event", await body_of(request, dict[str, Any]))
    event = insert(google, calendar, body, conference=True, by=body.get("organizer"))
    return json_answer(rendered(event, calendar, calendar.time_zone), 201)


@delete(EVENTS)
async def empty_calendar(google: NamedDependency[Google], address: FromPath[str]) -> None:
    """Let a calendar hold nothing, as if it never had; clients have to synchronise in full again."""
    calendar = calendar_at(google, address)
    google.book.empty(calendar.id)
    google.push.changed(calendar.id)


@patch(EVENTS + "/{event_id:str}")
async def change_event(
    request: HttpRequest, google: NamedDependency[Google], address: FromPath[str], event_id: FromPath[str]
) -> HttpResponse:
    """Change an event, or one instance of a series, by its owner's hand."""
    calendar = calendar_at(google, address)
    body = check_body("Event", await body_of(request, dict[str, Any]))
    event = change(google, calendar, event_id, body, whole=False, conference=True)
    return json_answer(rendered(event, calendar, calendar.time_zone))


@delete(EVENTS + "/{event_id:str}")
async def delete_event(
    google: NamedDependency[Google], address: FromPath[str], event_id: FromPath[str]
) -> None:
    """Delete an event, a series, or one instance of a series, by its owner's hand."""
    remove(google, calendar_at(google, address), event_id)


@post("/google/calendars/{address:str}/stale", status_code=200)
async def make_stale(google: NamedDependency[Google], address: FromPath[str]) -> HttpResponse:
    """Make every sync token of a calendar too old: the next use is answered 410."""
    google.book.make_stale(calendar_at(google, address).id)
    return json_answer({})


@get("/google/channels")
async def show_channels(google: NamedDependency[Google]) -> HttpResponse:
    """The push channels that are open."""
    return json_answer({"items": google.push.channels()})


@get("/google/accounts")
async def show_accounts(google: NamedDependency[Google]) -> HttpResponse:
    """The accounts with their calendars."""
    items = [
        {
            **msgspec.to_builtins(account),
            "calendars": [c.id for c in google.accounts.calendars_of(account.address)],
        }
        for account in google.accounts.people.values()
    ]
    return json_answer({"items": items})


@post("/google/accounts", status_code=200)
async def put_account(request: HttpRequest, google: NamedDependency[Google]) -> HttpResponse:
    """Make an account, or change one: {address, name?, time_zone?, email_verified?, picture?}."""
    wish = await body_of(request, AccountWish)
    if not re.fullmatch(r"[^@\s/]+@[^@\s/]+", wish.address):
        raise ControlError(400, f"address={wish.address!r} is no e-mail address")
    if wish.time_zone is not None and not times.is_zone(wish.time_zone):
        raise ControlError(400, f"time_zone={wish.time_zone!r} is no IANA zone")
    account = google.accounts.people.get(wish.address)
    if account is None:
        zone = wish.time_zone or "UTC"
        account = google.add_account(wish.address, wish.name or wish.address.split("@")[0], zone)
    elif wish.time_zone not in (None, account.time_zone):
        raise ControlError(400, f"time_zone of {wish.address} is {account.time_zone} and can't be changed")
    changes = {"name": wish.name, "email_verified": wish.email_verified, "picture": wish.picture}
    return json_answer(google.change_account(account, **{k: v for k, v in changes.items() if v is not None}))


@post("/google/consent", status_code=200)
async def decide(request: HttpRequest, google: NamedDependency[Google]) -> HttpResponse:
    """Decide on an authorize address as a person would; {"location": where the browser would be sent}."""
    wish = await body_of(request, ConsentWish)
    try:
        asked = consent.ask(google, dict(parse_qsl(urlsplit(wish.url).query)))
        if not wish.allow:
            return json_answer({"location": consent.deny(google, asked)})
        scopes = asked.scopes if wish.scopes is None else wish.scopes
        return json_answer({"location": consent.allow(google, asked, wish.address, scopes)})
    except consent.ConsentError as error:
        raise ControlError(400, f"{error.error}: {error.message}") from error


@post("/google/tokens/expire", status_code=200)
async def expire_tokens(google: NamedDependency[Google]) -> HttpResponse:
    """Let every access token be out of date, as after an hour."""
    return json_answer({"expired": google.accounts.expire_access()})


HANDLERS = [
    show_events,
    add_event,
    empty_calendar,
    change_event,
    delete_event,
    make_stale,
    show_channels,
    show_accounts,
    put_account,
    decide,
    expire_tokens,
]
