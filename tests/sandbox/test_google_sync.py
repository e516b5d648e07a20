"""events.list by Google's own client: expansion, pages, sync tokens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.google import calendar
from tests.sandbox.test_google_events import refusal
from tests.support.sandbox import MENTOR, RunningSandbox

TOKYO = "mentor-tokyo@example.test"
LISBON = "Europe/Lisbon"


@pytest.fixture
def events(sandbox: RunningSandbox) -> Any:
    """The mentor's events, the calendar emptied."""
    sandbox.control.empty_calendar()
    return calendar(sandbox).events()


def local(start: str, end: str, zone: str = LISBON, **more: Any) -> dict[str, Any]:
    when = {"start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}
    return {"summary": "Own event", **when, **more}


def add(events: Any, body: dict[str, Any]) -> str:
    made: str = events.insert(calendarId="primary", body=body).execute()["id"]
    return made


def weekly(events: Any, **more: Any) -> str:
    body = local("2027-03-17T09:00:00", "2027-03-17T10:00:00", recurrence=["RRULE:FREQ=WEEKLY"], **more)
    return add(events, body)


def single(events: Any, **query: Any) -> dict[str, Any]:
    asked = {
        "timeMin": "2027-03-01T00:00:00Z",
        "timeMax": "2027-05-01T00:00:00Z",
        "singleEvents": True,
        **query,
    }
    answer: dict[str, Any] = events.list(calendarId="primary", **asked).execute()
    return answer


def changes(events: Any, token: str, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = events.list(
        calendarId="primary", syncToken=token, **{"singleEvents": True, **query}
    ).execute()
    return answer


def starts(answer: dict[str, Any]) -> list[str]:
    return [event["start"]["dateTime"] for event in answer["items"]]


def test_the_start_state_has_a_weekly_event_with_an_exception(sandbox: RunningSandbox) -> None:
    events = calendar(sandbox).events()
    (series,) = [e for e in events.list(calendarId="primary").execute()["items"] if "recurrence" in e]
    instances = events.list(calendarId="primary", singleEvents=True, iCalUID=series["iCalUID"]).execute()[
        "items"
    ]
    assert len(instances) > 50
    assert {e["recurringEventId"] for e in instances} == {series["id"]}
    moved = [e for e in instances if e["start"]["dateTime"] != e["originalStartTime"]["dateTime"]]
    assert len(moved) == 1


def test_a_series_keeps_its_wall_time_when_the_clocks_change(events: Any) -> None:
    series = weekly(events)
    answer = single(events, orderBy="startTime")
    assert starts(answer)[:3] == [
        "2027-03-17T09:00:00Z",
        "2027-03-24T09:00:00Z",
        "2027-03-31T09:00:00+01:00",
    ]
    assert answer["items"][2]["id"] == f"{series}_20270331T080000Z"
    assert answer["items"][2]["originalStartTime"]["dateTime"] == "2027-03-31T09:00:00+01:00"
    assert "recurrence" not in answer["items"][0]


def test_a_gap_moves_an_instance_and_a_fold_takes_the_first(events: Any) -> None:
    add(events, local("2027-03-27T01:30:00", "2027-03-27T02:00:00", recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    add(events, local("2026-10-24T01:30:00", "2026-10-24T02:00:00", recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    gap = single(events, orderBy="startTime")
    assert starts(gap) == ["2027-03-27T01:30:00Z", "2027-03-28T02:30:00+01:00", "2027-03-29T01:30:00+01:00"]
    window = {"timeMin": "2026-10-01T00:00:00Z", "timeMax": "2026-11-01T00:00:00Z"}
    fold = single(events, orderBy="startTime", **window)
    assert starts(fold) == [
        "2026-10-24T01:30:00+01:00",
        "2026-10-25T01:30:00+01:00",
        "2026-10-26T01:30:00Z",
    ]


def test_rules_with_until_dates_and_exclusions(events: Any) -> None:
    rules = [
        "RRULE:FREQ=WEEKLY;UNTIL=20270407T080000Z",
        "EXDATE;TZID=Europe/Lisbon:20270324T090000",
        "RDATE;TZID=Europe/Lisbon:20270401T150000",
    ]
    add(events, local("2027-03-17T09:00:00", "2027-03-17T10:00:00", recurrence=rules))
    assert starts(single(events, orderBy="startTime")) == [
        "2027-03-17T09:00:00Z",
        "2027-03-31T09:00:00+01:00",
        "2027-04-01T15:00:00+01:00",
        "2027-04-07T09:00:00+01:00",
    ]


def test_an_all_day_series_counts_days_not_hours(events: Any) -> None:
    days = {"start": {"date": "2027-03-27"}, "end": {"date": "2027-03-29"}}
    add(events, {**days, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"]})
    found = single(events, orderBy="startTime")["items"]
    assert [(e["start"]["date"], e["end"]["date"]) for e in found] == [
        ("2027-03-27", "2027-03-29"),
        ("2027-04-03", "2027-04-05"),
    ]
    assert found[0]["id"].endswith("_20270327")


def test_moved_and_cancelled_instances_leave_the_series(events: Any) -> None:
    series = weekly(events)
    second, third = f"{series}_20270324T090000Z", f"{series}_20270331T080000Z"
    body = local("2027-03-25T14:00:00", "2027-03-25T15:00:00")
    moved = events.patch(calendarId="primary", eventId=second, body=body).execute()
    assert moved["recurringEventId"] == series
    assert moved["originalStartTime"]["dateTime"] == "2027-03-24T09:00:00Z"
    events.delete(calendarId="primary", eventId=third).execute()
    assert starts(single(events, orderBy="startTime"))[:3] == [
        "2027-03-17T09:00:00Z",
        "2027-03-25T14:00:00Z",
        "2027-04-07T09:00:00+01:00",
    ]
    shown = {e["id"]: e["status"] for e in single(events, showDeleted=True)["items"]}
    assert shown[third] == "cancelled"
    unexpanded = events.list(calendarId="primary", timeMin="2027-03-01T00:00:00Z").execute()["items"]
    assert {e["id"]: e["status"] for e in unexpanded} == {
        series: "confirmed",
        second: "confirmed",
        third: "cancelled",
    }
    assert refusal(events.delete(calendarId="primary", eventId=third)) == (410, "deleted")


def test_changes_come_by_token_deletions_included(events: Any) -> None:
    kept = add(events, local("2027-03-10T09:00:00", "2027-03-10T10:00:00"))
    gone = add(events, local("2027-03-11T09:00:00", "2027-03-11T10:00:00"))
    token = single(events)["nextSyncToken"]
    assert changes(events, token)["items"] == []
    events.delete(calendarId="primary", eventId=gone).execute()
    events.patch(calendarId="primary", eventId=kept, body={"summary": "Renamed"}).execute()
    new = add(events, local("2027-03-12T09:00:00", "2027-03-12T10:00:00"))
    answer = changes(events, token)
    by_id = {event["id"]: event for event in answer["items"]}
    assert by_id.keys() == {kept, gone, new}
    assert by_id[gone].keys() == {"kind", "etag", "id", "status"}, "of a deleted event only that is certain"
    assert by_id[kept]["summary"] == "Renamed"
    assert changes(events, answer["nextSyncToken"])["items"] == []


def test_a_changed_series_tells_its_instances_by_token(events: Any) -> None:
    series = weekly(events)
    token = single(events)["nextSyncToken"]
    until = {"recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20270331T235959Z"]}
    events.patch(calendarId="primary", eventId=series, body=until).execute()
    answer = changes(events, token)
    told = {event["id"]: event["status"] for event in answer["items"]}
    assert told[f"{series}_20270317T090000Z"] == "confirmed"
    assert told[f"{series}_20270407T080000Z"] == "cancelled", "cut off by the new end"
    assert [e["status"] for e in single(events)["items"]] == ["confirmed"] * 3
    events.patch(calendarId="primary", eventId=series, body={"recurrence": ["RRULE:FREQ=WEEKLY"]}).execute()
    told = {event["id"]: event["status"] for event in changes(events, answer["nextSyncToken"])["items"]}
    assert told[f"{series}_20270407T080000Z"] == "confirmed", "back again"
    assert set(told.values()) == {"confirmed"}


def test_a_deleted_series_tells_every_instance_by_token(events: Any) -> None:
    series = weekly(events)
    before = single(events)
    events.delete(calendarId="primary", eventId=series).execute()
    told = {event["id"]: event["status"] for event in changes(events, before["nextSyncToken"])["items"]}
    assert {event["id"] for event in before["items"]} <= told.keys()
    assert set(told.values()) == {"cancelled"}
    assert single(events)["items"] == []
    assert refusal(events.get(calendarId="primary", eventId=f"{series}_20270324T1")) == (404, "notFound")


def test_a_moved_series_drops_exceptions_it_no_longer_has(events: Any) -> None:
    series = weekly(events)
    second = f"{series}_20270324T090000Z"
    events.patch(calendarId="primary", eventId=second, body={"summary": "Special"}).execute()
    token = single(events)["nextSyncToken"]
    later = local("2027-03-17T16:00:00", "2027-03-17T17:00:00")
    events.patch(calendarId="primary", eventId=series, body=later).execute()
    told = {event["id"]: event["status"] for event in changes(events, token)["items"]}
    assert told[second] == "cancelled"
    assert told[f"{series}_20270324T160000Z"] == "confirmed"
    assert all("Special" not in str(event) for event in single(events)["items"])


def test_pages_are_stable_and_only_the_last_has_the_token(events: Any) -> None:
    made = {
        add(events, local(f"2027-03-{day:02}T09:00:00", f"2027-03-{day:02}T10:00:00")) for day in range(1, 8)
    }
    first = single(events, maxResults=3)
    assert "nextSyncToken" not in first
    meanwhile = add(events, local("2027-03-20T09:00:00", "2027-03-20T10:00:00"))
    found, page = [*first["items"]], first
    while "nextPageToken" in page:
        page = single(events, maxResults=3, pageToken=page["nextPageToken"])
        found += page["items"]
    assert made <= {event["id"] for event in found}
    assert len({event["id"] for event in found}) == len(found)
    told = [event["id"] for event in changes(events, page["nextSyncToken"])["items"]]
    assert told == [meanwhile], "what changed while paging is told by the token"
    other = events.list(calendarId="primary", maxResults=3, pageToken=first["nextPageToken"])
    assert refusal(other) == (400, "invalid")


def test_changes_come_in_pages_too(events: Any) -> None:
    token = single(events)["nextSyncToken"]
    series = weekly(events)
    page = changes(events, token, maxResults=2)
    found = [*page["items"]]
    while "nextPageToken" in page:
        page = changes(events, token, maxResults=2, pageToken=page["nextPageToken"])
        found += page["items"]
    assert len(found) == 7, "the window of the first list still holds: March and April"
    assert {event["recurringEventId"] for event in found} == {series}
    assert page["nextSyncToken"]


@pytest.mark.parametrize(
    "query",
    [
        {"timeMin": "2027-03-01T00:00:00Z"},
        {"timeMax": "2027-03-01T00:00:00Z"},
        {"orderBy": "updated"},
        {"q": "own"},
        {"iCalUID": "x"},
        {"updatedMin": "2027-03-01T00:00:00Z"},
        {"privateExtendedProperty": "session_id=1"},
        {"sharedExtendedProperty": "a=b"},
        {"showDeleted": False},
        {"singleEvents": False},
    ],
)
def test_a_token_goes_with_nothing_that_restricts(events: Any, query: dict[str, Any]) -> None:
    token = single(events)["nextSyncToken"]
    asked = {"singleEvents": True, "syncToken": token, **query}
    assert refusal(events.list(calendarId="primary", **asked)) == (400, "invalid")


def test_a_stale_token_asks_for_a_full_list(sandbox: RunningSandbox, events: Any) -> None:
    token = single(events)["nextSyncToken"]
    other = events.list(calendarId="primary", syncToken="bm9uc2Vuc2U=")
    assert refusal(other) == (400, "invalid")
    sandbox.control.call("POST", f"/google/calendars/{MENTOR}/stale")
    stale = events.list(calendarId="primary", singleEvents=True, syncToken=token)
    assert refusal(stale) == (410, "fullSyncRequired")
    assert changes(events, single(events)["nextSyncToken"])["items"] == []


def test_a_reset_makes_tokens_stale(sandbox: RunningSandbox, events: Any) -> None:
    token = single(events)["nextSyncToken"]
    sandbox.control.reset()
    again = calendar(sandbox).events().list(calendarId="primary", singleEvents=True, syncToken=token)
    assert refusal(again) == (410, "fullSyncRequired")


@pytest.mark.parametrize("query", [{"orderBy": "startTime"}, {"q": "x"}, {"privateExtendedProperty": "a=b"}])
def test_restricted_lists_give_no_token(events: Any, query: dict[str, Any]) -> None:
    assert "nextSyncToken" not in single(events, **query)


def test_events_are_found_by_private_property_text_and_time(events: Any) -> None:
    ours = local(
        "2027-03-10T09:00:00",
        "2027-03-10T10:00:00",
        summary="Ours",
        extendedProperties={"private": {"session_id": "7"}},
    )
    mine, other = add(events, ours), add(events, local("2027-03-10T10:00:00", "2027-03-10T11:00:00"))

    def ids(**query: Any) -> set[str]:
        return {event["id"] for event in single(events, **query)["items"]}

    assert ids(privateExtendedProperty="session_id=7") == {mine}
    assert ids(privateExtendedProperty=["session_id=7", "session_id=8"]) == set()
    assert ids(q="OUR") == {mine}
    assert ids(timeMin="2027-03-10T10:00:00Z") == {other}, "the bound is exclusive: what ends at it is over"
    assert ids(timeMax="2027-03-10T10:00:00Z") == {mine}
    assert ids(eventTypes="focusTime") == set()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"timeMin": "2027-03-01"}, "badRequest"),
        ({"timeMin": "2027-03-01T00:00:00"}, "badRequest"),
        ({"timeMax": "2027-02-01T00:00:00Z"}, "timeRangeEmpty"),
        ({"orderBy": "startTime", "singleEvents": False}, "invalid"),
        ({"timeZone": "Mars/North"}, "invalid"),
        ({"privateExtendedProperty": "nonsense"}, "invalid"),
        ({"maxResults": 0}, "invalidParameter"),
        ({"pageToken": "nonsense"}, "invalid"),
    ],
)
def test_bad_questions_are_refused(events: Any, query: dict[str, Any], reason: str) -> None:
    add(events, local("2027-03-10T09:00:00", "2027-03-10T10:00:00"))
    asked = {
        "timeMin": "2027-03-01T00:00:00Z",
        "timeMax": "2027-05-01T00:00:00Z",
        "singleEvents": True,
        **query,
    }
    assert refusal(events.list(calendarId="primary", **asked)) == (400, reason)
