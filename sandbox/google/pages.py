"""Google's pages for people: consent, and a calendar to see, add, move and delete events in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.google import consent, times
from sandbox.google.accounts import Asked, Calendar
from sandbox.google.agenda import days_of, fields_of, times_of
from sandbox.google.contract import check_body
from sandbox.google.errors import GoogleError
from sandbox.google.lookup import find
from sandbox.google.service import Google
from sandbox.google.writes import change, insert, remove
from sandbox.http import HttpRequest, HttpResponse, form, form_pairs, see_other
from sandbox.pages import Pages

SCOPES = {
    "openid": "Know who you are on Google",
    consent.EMAIL: "See your e-mail address",
    consent.PROFILE: "See your name and picture",
    "https://www.googleapis.com/auth/calendar": "See, edit, share and delete all your calendars",
    "https://www.googleapis.com/auth/calendar.readonly": "See all your calendars",
    "https://www.googleapis.com/auth/calendar.events": "See and edit the events of all your calendars",
    "https://www.googleapis.com/auth/calendar.events.owned": "See and edit events of calendars you own",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly": "See the list of your calendars",
    "https://www.googleapis.com/auth/calendar.freebusy": "See when you are busy",
}


@get("/consent")
async def ask(
    request: HttpRequest, google: NamedDependency[Google], pages: NamedDependency[Pages]
) -> HttpResponse:
    """Ask which account to use and what to allow."""
    asked = google.accounts.asked.get(request.query_params.get("request") or "")
    return _gone(pages) if asked is None else _asking(google, pages, asked)


@post("/consent")
async def answer(
    request: HttpRequest, google: NamedDependency[Google], pages: NamedDependency[Pages]
) -> HttpResponse:
    """Send the browser back with a code or a refusal."""
    pairs = await form_pairs(request)
    values = dict(pairs)
    asked = google.accounts.asked.get(values.get("request", ""))
    if asked is None:
        return _gone(pages)
    if values.get("decision") != "allow":
        return see_other(consent.deny(google, asked))
    try:
        scopes = [value for name, value in pairs if name == "scope"]
        return see_other(consent.allow(google, asked, values.get("account", ""), scopes))
    except consent.ConsentError as error:
        return _asking(google, pages, asked, error.message, 400)


def _asking(google: Google, pages: Pages, asked: Asked, problem: str = "", status: int = 200) -> HttpResponse:
    people = google.accounts.people.values()
    chosen = asked.login_hint if asked.login_hint in google.accounts.people else people[0].address
    return pages.show(
        "google/consent.html",
        status,
        asked=asked,
        people=people,
        chosen=chosen,
        wishes=[(s, SCOPES.get(s, s)) for s in asked.scopes if s not in consent.IDENTITY],
        identity=[SCOPES[s] for s in asked.scopes if s in consent.IDENTITY],
        problem=problem,
    )


def _gone(pages: Pages) -> HttpResponse:
    message = "This request was answered already, or the sandbox was reset. Start again from the application."
    return pages.show("google/blocked.html", 400, error="invalid_request", message=message)


@get("/calendar/{address:str}")
async def show_calendar(
    request: HttpRequest,
    google: NamedDependency[Google],
    pages: NamedDependency[Pages],
    address: FromPath[str],
) -> HttpResponse:
    """A week of a calendar from `?from=2026-12-01`, else from today in business time, in the calendar's zone."""
    calendar = google.accounts.calendars.get(address)
    if calendar is None:
        return pages.show("google/missing.html", 404, address=address)
    return _week(google, pages, calendar, request.query_params.get("from") or "")


@post("/calendar/{address:str}")
async def act(
    request: HttpRequest,
    google: NamedDependency[Google],
    pages: NamedDependency[Pages],
    address: FromPath[str],
) -> HttpResponse:
    """Add, move or delete an event by its owner's hand, then show the week again."""
    calendar = google.accounts.calendars.get(address)
    if calendar is None:
        return pages.show("google/missing.html", 404, address=address)
    values = await form(request)
    try:
        first = _carry_out(google, calendar, values)
    except GoogleError as error:
        return _week(google, pages, calendar, values.get("from", ""), error.message, 422)
    return see_other(f"{request.url.path}?from={first}")


def _carry_out(google: Google, calendar: Calendar, values: dict[str, str]) -> str:
    """Do what the form says; gives the day from which the week is shown afterwards."""
    shown = values.get("from", "")
    if values.get("do") == "add":
        insert(google, calendar, check_body("Event", fields_of(values, calendar.time_zone)))
        return shown
    event_id = values.get("event", "")
    if values.get("do") == "delete":
        before = find(google, calendar, event_id)
        remove(google, calendar, before.master if "series" in values and before.master else event_id)
        return shown
    change(google, calendar, event_id, check_body("Event", times_of(values, calendar.time_zone)), whole=False)
    return shown


def _week(
    google: Google, pages: Pages, calendar: Calendar, first: str, problem: str = "", status: int = 200
) -> HttpResponse:
    zone = calendar.time_zone
    today = times.wall_of(int(google.clock.now().timestamp()), zone)
    try:
        start = datetime.fromisoformat(first).replace(tzinfo=None) if first else today
        start = start.replace(hour=0, minute=0, second=0, microsecond=0)
        weeks: dict[str, Any] = {
            "days": days_of(google, calendar, start),
            "before": (start - timedelta(days=7)).date().isoformat(),
            "after": (start + timedelta(days=7)).date().isoformat(),
        }
    except (ValueError, OverflowError):
        return pages.show("google/missing.html", 400, address=f"{calendar.id} from {first}")
    return pages.show(
        "google/calendar.html",
        status,
        calendar=calendar,
        others=[c for c in google.accounts.calendars_of(calendar.owner) if c.id != calendar.id],
        today=today.date().isoformat(),
        start=start.date().isoformat(),
        problem=problem,
        **weeks,
    )


HANDLERS = [ask, answer, show_calendar, act]
