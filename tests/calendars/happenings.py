"""What may happen to a mentor's calendar, drawn at random and done twice: in the calendar, and in a twin.

The twin lacks only what we wrote, so that Google's own free/busy answer about it is the truth about
everything but ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st

from tests.support.sandbox import Control

ZONES = ("Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Beirut", "UTC")
MINUTES = st.integers(-2 * 24 * 4, 62 * 24 * 4).map(lambda quarters: quarters * 15)
LENGTHS = st.sampled_from((15, 60, 90, 8 * 60, 26 * 60, 0))
RULES = (
    "RRULE:FREQ=DAILY;COUNT=5",
    "RRULE:FREQ=DAILY;INTERVAL=3",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,TH",
    "RRULE:FREQ=WEEKLY;COUNT=8",
    "RRULE:FREQ=MONTHLY",
)
TRAITS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"status": "tentative"},
    {"transparency": "transparent"},
    {"attendees": [{"email": "SELF", "responseStatus": "declined"}]},
    {"attendees": [{"email": "SELF", "responseStatus": "needsAction"}]},
    {"attendees": [{"email": "guest@example.test", "responseStatus": "declined"}]},
)


@dataclass
class Twins:
    """The calendar and its twin; `ids` are the mentor's events in both, `ours` those in the first alone."""

    control: Control
    address: str
    twin: str
    base: datetime
    ids: list[str] = field(default_factory=list)
    series: list[str] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)

    def both(self, act: Any) -> None:
        """Do the same in both calendars."""
        for address in (self.address, self.twin):
            act(address)

    def insert(self, body: dict[str, Any]) -> None:
        """The mentor adds an event."""
        id_ = f"mentors{uuid4().hex}"
        self.both(lambda address: self.control.add_event({**naming(body, address), "id": id_}, address))
        self.ids.append(id_)
        if "recurrence" in body:
            self.series.append(id_)

    def insert_ours(self, body: dict[str, Any]) -> None:
        """We write an event."""
        mark = {"extendedProperties": {"private": {"session_id": str(uuid4()), "version": "0"}}}
        id_ = f"session{uuid4().hex}"
        self.control.add_event({**naming(body, self.address), **mark, "id": id_}, self.address)
        self.ours.append(id_)

    def change(self, id_: str, body: dict[str, Any]) -> None:
        """The mentor changes one of their events."""
        self.both(lambda address: self.control.change_event(id_, naming(body, address), address))

    def delete(self, id_: str) -> None:
        """The mentor deletes one of their events."""
        self.both(lambda address: self.control.delete_event(id_, address))
        self.ids = [known for known in self.ids if known != id_]
        self.series = [known for known in self.series if known != id_]

    def instances(self, id_: str) -> list[str]:
        """The ids of a series' instances that are left."""
        events = self.control.events(
            self.twin, singleEvents=True, timeMax=rfc(self.base + timedelta(days=70))
        )
        return sorted(event["id"] for event in events if event.get("recurringEventId") == id_)


def rfc(instant: datetime) -> str:
    """As Google wants instants."""
    return instant.isoformat(timespec="seconds")


def naming(body: dict[str, Any], address: str) -> dict[str, Any]:
    """The event with the calendar's owner among the guests where it says SELF."""
    if "attendees" not in body:
        return body
    people = [
        {**person, "email": address if person["email"] == "SELF" else person["email"]}
        for person in body["attendees"]
    ]
    return {**body, "attendees": people}


@st.composite
def whens(draw: st.DrawFn, base: datetime, *, all_day: bool | None = None) -> dict[str, Any]:
    """Start and end: timed in some zone, or whole days."""
    start = base + timedelta(minutes=draw(MINUTES))
    if draw(st.booleans()) if all_day is None else all_day:
        last = start.date() + timedelta(days=draw(st.integers(1, 3)))
        return {
            "start": {"date": start.date().isoformat(), "dateTime": None, "timeZone": None},
            "end": {"date": last.isoformat(), "dateTime": None, "timeZone": None},
        }
    zone = draw(st.sampled_from(ZONES))
    end = start + timedelta(minutes=draw(LENGTHS))
    return {
        "start": {"dateTime": rfc(start), "timeZone": zone, "date": None},
        "end": {"dateTime": rfc(end), "timeZone": zone, "date": None},
    }


def events(base: datetime) -> st.SearchStrategy[dict[str, Any]]:
    """An event of the mentor's."""
    traits = st.sampled_from(TRAITS)
    return st.builds(lambda when, more: {"summary": "Own", **when, **more}, whens(base), traits)


def serieses(base: datetime) -> st.SearchStrategy[dict[str, Any]]:
    """A recurring event of the mentor's."""
    rules = st.sampled_from(RULES).map(lambda rule: {"recurrence": [rule]})
    return st.builds(lambda event, rule: {**event, **rule}, events(base), rules)


def happen(data: st.DataObject, twins: Twins) -> None:
    """One thing happens."""
    choices = ["insert", "insert", "series", "ours"]
    choices += ["change", "change", "delete"] if twins.ids else []
    choices += ["instance", "instance", "instance_gone"] if twins.series else []
    choices += ["ours_moved", "ours_gone"] if twins.ours else []
    what = data.draw(st.sampled_from(choices))
    if what == "insert":
        twins.insert(data.draw(events(twins.base)))
    elif what == "series":
        twins.insert(data.draw(serieses(twins.base)))
    elif what == "ours":
        twins.insert_ours(data.draw(whens(twins.base, all_day=False)))
    elif what.startswith("ours_"):
        happen_to_ours(data, twins, what)
    elif what.startswith("instance"):
        happen_to_instance(data, twins, what)
    else:
        happen_to_own(data, twins, what)


def happen_to_own(data: st.DataObject, twins: Twins, what: str) -> None:
    """The mentor changes or deletes an event, or a whole series."""
    id_ = data.draw(st.sampled_from(twins.ids))
    if what == "delete":
        twins.delete(id_)
        return
    change = data.draw(st.one_of(whens(twins.base), st.sampled_from([{"summary": "Renamed"}, *TRAITS])))
    twins.change(id_, change)


def happen_to_instance(data: st.DataObject, twins: Twins, what: str) -> None:
    """The mentor moves one instance of a series, or leaves it out."""
    instances = twins.instances(data.draw(st.sampled_from(twins.series)))
    if not instances:
        return
    id_ = data.draw(st.sampled_from(instances[:12]))
    if what == "instance":
        twins.change(id_, data.draw(whens(twins.base)))
    else:
        twins.both(lambda address: twins.control.delete_event(id_, address))


def happen_to_ours(data: st.DataObject, twins: Twins, what: str) -> None:
    """The mentor moves or deletes an event that we wrote."""
    id_ = data.draw(st.sampled_from(twins.ours))
    if what == "ours_moved":
        twins.control.change_event(id_, data.draw(whens(twins.base)), twins.address)
    else:
        twins.control.delete_event(id_, twins.address)
        twins.ours.remove(id_)
