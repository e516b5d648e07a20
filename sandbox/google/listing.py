"""events.list: what a calendar holds or what changed in it, page by page."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.google import times
from sandbox.google.accounts import Calendar
from sandbox.google.errors import GoogleError, invalid
from sandbox.google.eventbook import Body, StoredEvent
from sandbox.google.lookup import instances, is_back
from sandbox.google.resources import rendered

if TYPE_CHECKING:
    from sandbox.google.service import Google

NOT_WITH_TOKEN = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)
NO_TOKEN_AFTER = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "updatedMin",
)
Key = tuple[Any, ...]


class SyncToken(msgspec.Struct, frozen=True, array_like=True):
    """Up to which change a client knows the calendar, and what it had asked for."""

    epoch: str
    calendar: str
    seq: int
    single: bool
    low: int | None
    high: int | None


class PageToken(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the last key, the change number at the first page, and a digest of the question."""

    key: list[Any]
    seq: int
    question: str


def listed(google: Google, calendar: Calendar, query: dict[str, Any]) -> Body:
    """The answer to events.list; `query` as checked against the discovery document.

    Raises GoogleError: 400 for what can't be combined or read, 410 for a sync token that is too old.
    """
    zone = query.get("timeZone") or calendar.time_zone
    if not times.is_zone(zone):
        raise invalid("Invalid time zone.", "timeZone")
    if query.get("orderBy") == "startTime" and not query.get("singleEvents"):
        raise invalid("The requested ordering is not available for the particular query.", "orderBy")
    known = _sync_token(google, calendar, query) if "syncToken" in query else None
    page = _page_token(query)
    seq = page.seq if page else google.book.last
    low, high = _window(query, known)
    chosen = _changed(google, calendar, known, seq) if known else _held(google, calendar, query, low, high)
    found = sorted((e for e in chosen if _matches(e, query)), key=_order(query))
    if page:
        found = [event for event in found if list(_order(query)(event)) > page.key]
    size = min(query.get("maxResults", 250), 2500)
    answer = _head(google, calendar)
    answer["items"] = [_trimmed(rendered(event, calendar, zone, brief=True), query) for event in found[:size]]
    if len(found) > size:
        last = list(_order(query)(found[size - 1]))
        answer["nextPageToken"] = _encoded(PageToken(last, seq, _question(query)))
    elif not any(name in query for name in NO_TOKEN_AFTER):
        single = bool(query.get("singleEvents"))
        token = SyncToken(google.book.epoch(calendar.id), calendar.id, seq, single, low, high)
        answer["nextSyncToken"] = _encoded(token)
    return answer


def _head(google: Google, calendar: Calendar) -> Body:
    newest = max(google.book.all(calendar.id), key=lambda event: event.seq, default=None)
    return {
        "kind": "calendar#events",
        "etag": f'"p{newest.seq if newest else 0}"',
        "summary": calendar.summary,
        "description": "",
        "updated": newest.body.get("updated", google.born) if newest else google.born,
        "timeZone": calendar.time_zone,
        "accessRole": "owner",
        "defaultReminders": [{"method": "popup", "minutes": 10}] if calendar.primary else [],
    }


def _window(query: dict[str, Any], known: SyncToken | None) -> tuple[int | None, int | None]:
    if known:
        return known.low, known.high
    bounds: list[int | None] = []
    for name in ("timeMin", "timeMax"):
        try:
            bounds.append(times.parse_instant(query[name]) if name in query else None)
        except ValueError:
            raise invalid("Bad Request", name, "badRequest") from None
    low, high = bounds
    if low is not None and high is not None and high <= low:
        raise invalid("The specified time range is empty.", "timeMax", "timeRangeEmpty")
    return low, high


def _held(
    google: Google, calendar: Calendar, query: dict[str, Any], low: int | None, high: int | None
) -> Iterator[StoredEvent]:
    """What the calendar holds between two instants (None: unbounded; series are followed for two years)."""
    single, deleted = bool(query.get("singleEvents")), bool(query.get("showDeleted")) or "updatedMin" in query
    for event in google.book.all(calendar.id):
        if event.recurring and not event.cancelled:
            found = instances(google, calendar, event, *_span(google, low, high))
            yield from found if single else found[:1] and [event]
        elif _overlaps(event, low, high) and _is_shown(google, calendar, event, single, deleted):
            yield event


def _is_shown(google: Google, calendar: Calendar, event: StoredEvent, single: bool, deleted: bool) -> bool:
    if event.gone:
        return single and deleted and not is_back(google, calendar, event)
    if not event.cancelled:
        return True
    if event.recurring:
        return deleted and not single
    return deleted or (bool(event.master) and not single)


def _changed(google: Google, calendar: Calendar, known: SyncToken, upto: int) -> Iterator[StoredEvent]:
    """What changed after the token was given, deleted events always among it."""
    for event in google.book.changed_since(calendar.id, known.seq):
        if event.seq > upto or (event.gone and (not known.single or is_back(google, calendar, event))):
            continue
        if not (event.recurring and known.single):
            yield event
        elif not event.cancelled:
            yield from instances(google, calendar, event, *_span(google, known.low, known.high))


def _span(google: Google, low: int | None, high: int | None) -> tuple[int, int]:
    horizon = google.horizon()
    return min(max(low or 0, 0), horizon), min(high if high is not None else horizon, horizon)


def _overlaps(event: StoredEvent, low: int | None, high: int | None) -> bool:
    return (low is None or event.end > low) and (high is None or event.start < high)


def _matches(event: StoredEvent, query: dict[str, Any]) -> bool:
    body = event.body
    if "eventTypes" in query and body.get("eventType") not in query["eventTypes"]:
        return False
    if "iCalUID" in query and body.get("iCalUID") != query["iCalUID"]:
        return False
    for name, scope in (("privateExtendedProperty", "private"), ("sharedExtendedProperty", "shared")):
        held = body.get("extendedProperties", {}).get(scope, {})
        for wanted in query.get(name, ()):
            key, equals, value = wanted.partition("=")
            if not equals:
                raise invalid("Invalid Value", name)
            if held.get(key) != value:
                return False
    if "updatedMin" in query and body.get("updated", "") < _utc_text(query["updatedMin"]):
        return False
    return _mentions(body, query.get("q", ""))


def _utc_text(text: str) -> str:
    try:
        return times.text_of(times.parse_instant(text), "UTC").removesuffix("Z")
    except ValueError:
        raise invalid("Bad Request", "updatedMin", "badRequest") from None


def _mentions(body: Body, words: str) -> bool:
    people = " ".join(f"{p.get('email')} {p.get('displayName', '')}" for p in body.get("attendees", ()))
    text = " ".join(
        [*(str(body.get(name, "")) for name in ("summary", "description", "location")), people]
    ).lower()
    return all(word in text for word in words.lower().split())


def _order(query: dict[str, Any]) -> Callable[[StoredEvent], Key]:
    if query.get("orderBy") == "startTime":
        return lambda event: (event.start, event.id)
    if query.get("orderBy") == "updated":
        return lambda event: (event.seq, event.id)
    return lambda event: (event.id,)


def _trimmed(body: Body, query: dict[str, Any]) -> Body:
    people = body.get("attendees", [])
    if "maxAttendees" in query and len(people) > query["maxAttendees"]:
        return body | {"attendees": [p for p in people if p.get("self")], "attendeesOmitted": True}
    return body


def _question(query: dict[str, Any]) -> str:
    asked = {
        name: value for name, value in query.items() if name not in ("pageToken", "maxResults", "fields")
    }
    return hashlib.sha256(msgspec.json.encode(sorted(asked.items()))).hexdigest()[:16]


def _encoded(token: SyncToken | PageToken) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode()


def _page_token(query: dict[str, Any]) -> PageToken | None:
    if "pageToken" not in query:
        return None
    try:
        token = msgspec.json.decode(base64.urlsafe_b64decode(query["pageToken"]), type=PageToken)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise invalid("Invalid page token value.", "pageToken") from None
    if token.question != _question(query):
        raise invalid("Invalid page token value.", "pageToken")
    return token


def _sync_token(google: Google, calendar: Calendar, query: dict[str, Any]) -> SyncToken:
    mixed = [name for name in NOT_WITH_TOKEN if name in query]
    if mixed or query.get("showDeleted") is False:
        raise invalid(
            f"Sync token cannot be used together with {mixed[0] if mixed else 'showDeleted=false'}.",
            "syncToken",
        )
    try:
        token = msgspec.json.decode(base64.urlsafe_b64decode(query["syncToken"]), type=SyncToken)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise invalid("Invalid sync token value.", "syncToken") from None
    if token.calendar != calendar.id or token.single != bool(query.get("singleEvents")):
        raise invalid("Sync token was given for other parameters.", "syncToken")
    if token.epoch != google.book.epoch(calendar.id):
        raise GoogleError(
            410,
            "fullSyncRequired",
            "Sync token is no longer valid, a full sync is required.",
            location="syncToken",
        )
    return token
