"""Events by Google's own client: insert, read, change, delete, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.sandbox.google import calendar, connected
from tests.support.sandbox import MENTOR, RunningSandbox

SECOND = "studio0shows0and0fairs@group.calendar.google.com"


def timed(
    start: str = "2027-03-01T10:00:00Z", end: str = "2027-03-01T11:00:00Z", **more: Any
) -> dict[str, Any]:
    return {"summary": "Session", "start": {"dateTime": start}, "end": {"dateTime": end}, **more}


def refusal(request: Any) -> tuple[int, str]:
    """The status and reason with which Google refuses; its body has Google's shape."""
    with pytest.raises(HttpError) as raised:
        request.execute()
    error = json.loads(raised.value.content)["error"]
    assert error["code"] == raised.value.resp.status
    assert error["message"]
    assert error["status"].isupper()
    return raised.value.resp.status, error["errors"][0]["reason"]


@pytest.fixture
def events(sandbox: RunningSandbox) -> Any:
    return calendar(sandbox).events()


def test_the_calendar_list_names_both_calendars(sandbox: RunningSandbox) -> None:
    service = calendar(sandbox)
    first, second = service.calendarList().list().execute()["items"]
    assert (first["id"], first["primary"], first["timeZone"]) == (MENTOR, True, "Europe/Lisbon")
    assert second["id"] == SECOND
    assert "primary" not in second
    page = service.calendarList().list(maxResults=1).execute()
    rest = service.calendarList().list(maxResults=1, pageToken=page["nextPageToken"]).execute()
    assert [page["items"][0]["id"], rest["items"][0]["id"]] == [MENTOR, SECOND]
    assert service.calendars().get(calendarId="primary").execute()["id"] == MENTOR


def test_an_event_is_inserted_read_moved_and_deleted(events: Any) -> None:
    made = events.insert(calendarId="primary", body=timed(id="session0001"), sendUpdates="none").execute()
    assert made["id"] == "session0001"
    assert made["status"] == "confirmed"
    assert made["iCalUID"] == "session0001@google.com"
    assert made["sequence"] == 0
    assert made["organizer"] == {"email": MENTOR, "self": True}
    assert made["start"] == {"dateTime": "2027-03-01T10:00:00Z", "timeZone": "Europe/Lisbon"}
    assert events.get(calendarId=MENTOR, eventId="session0001").execute() == made
    later = {"start": {"dateTime": "2027-06-01T10:00:00Z"}, "end": {"dateTime": "2027-06-01T11:00:00Z"}}
    moved = events.patch(calendarId="primary", eventId="session0001", body=later).execute()
    assert moved["start"]["dateTime"] == "2027-06-01T11:00:00+01:00", (
        "shown in the calendar's zone, now in summer"
    )
    assert moved["summary"] == "Session"
    assert moved["sequence"] == 1
    assert moved["etag"] != made["etag"]
    assert events.delete(calendarId="primary", eventId="session0001").execute() == ""
    gone = events.get(calendarId="primary", eventId="session0001").execute()
    assert gone["status"] == "cancelled"
    assert refusal(events.delete(calendarId="primary", eventId="session0001")) == (410, "deleted")


def test_an_id_is_used_once_even_after_deletion(events: Any) -> None:
    events.insert(calendarId="primary", body=timed(id="session0001")).execute()
    assert refusal(events.insert(calendarId="primary", body=timed(id="session0001"))) == (409, "duplicate")
    events.delete(calendarId="primary", eventId="session0001").execute()
    assert refusal(events.insert(calendarId="primary", body=timed(id="session0001"))) == (409, "duplicate")
    restored = events.update(calendarId="primary", eventId="session0001", body=timed()).execute()
    assert restored["status"] == "confirmed", "the only way back is to replace the deleted one"
    assert restored["iCalUID"] == "session0001@google.com"


def test_a_stale_etag_is_refused_and_a_fresh_one_taken(events: Any) -> None:
    made = events.insert(calendarId="primary", body=timed(id="session0001")).execute()

    def rename(etag: str, name: str) -> Any:
        request = events.patch(calendarId="primary", eventId="session0001", body={"summary": name})
        request.headers["If-Match"] = etag
        return request

    renamed = rename(made["etag"], "Talk").execute()
    assert renamed["sequence"] == 0, "a new title is nothing guests must look at"
    assert refusal(rename(made["etag"], "Walk")) == (412, "conditionNotMet")
    assert rename(renamed["etag"], "Walk").execute()["summary"] == "Walk"
    assert rename("*", "Run").execute()["summary"] == "Run"
    removal = events.delete(calendarId="primary", eventId="session0001")
    removal.headers["If-Match"] = made["etag"]
    assert refusal(removal) == (412, "conditionNotMet")


def test_a_patch_merges_and_an_update_replaces(events: Any) -> None:
    private = {"session_id": "7", "generation": "1"}
    body = timed(id="session0001", location="Online", extendedProperties={"private": private})
    events.insert(calendarId="primary", body=body).execute()
    patch = {"location": None, "extendedProperties": {"private": {"generation": "2"}}}
    patched = events.patch(calendarId="primary", eventId="session0001", body=patch).execute()
    assert "location" not in patched
    assert patched["extendedProperties"]["private"] == {"session_id": "7", "generation": "2"}
    replaced = events.update(calendarId="primary", eventId="session0001", body=timed()).execute()
    assert "extendedProperties" not in replaced
    assert replaced["created"] == patched["created"]


def test_a_sequence_never_goes_back(events: Any) -> None:
    events.insert(calendarId="primary", body=timed(id="session0001", sequence=4)).execute()
    old = events.patch(calendarId="primary", eventId="session0001", body={"sequence": 3})
    assert refusal(old) == (400, "invalid")
    without = events.patch(calendarId="primary", eventId="session0001", body={"sequence": None})
    assert without.execute()["sequence"] == 4
    new = events.patch(calendarId="primary", eventId="session0001", body={"sequence": 9, "location": "Here"})
    assert new.execute()["sequence"] == 10


def test_a_conference_is_made_only_when_supported(events: Any) -> None:
    wish = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    without = events.insert(calendarId="primary", body=timed(conferenceData=wish)).execute()
    assert "conferenceData" not in without
    made = events.insert(
        calendarId="primary", body=timed(conferenceData=wish), conferenceDataVersion=1
    ).execute()
    assert made["hangoutLink"].startswith("https://meet.google.com/")
    assert made["conferenceData"]["createRequest"]["status"] == {"statusCode": "success"}
    kept = events.patch(calendarId="primary", eventId=made["id"], body={"conferenceData": None}).execute()
    assert kept["hangoutLink"] == made["hangoutLink"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"end": {"dateTime": "2027-03-01T11:00:00Z"}}, "required"),
        ({"start": {"dateTime": "2027-03-01T11:00:00Z"}}, "required"),
        (timed("2027-03-01T10:00:00", "2027-03-01T11:00:00"), "required"),
        (timed("2027-03-01T11:00:00Z", "2027-03-01T10:00:00Z"), "timeRangeEmpty"),
        (timed("tomorrow", "later"), "invalid"),
        (timed("2027-02-30T10:00:00Z", "2027-03-01T10:00:00Z"), "invalid"),
        ({"start": {"date": "2027-03-01"}, "end": {"dateTime": "2027-03-01T10:00:00Z"}}, "invalid"),
        ({"start": {"date": "2027-03-01"}, "end": {"date": "2027-03-01"}}, "timeRangeEmpty"),
        ({"start": {"date": "first of March"}, "end": {"date": "2027-03-02"}}, "invalid"),
        (timed(id="abc"), "invalid"),
        (timed(id="session-0001"), "invalid"),
        (timed(id="sessionxyz"), "invalid"),
        (timed(status="perhaps"), "invalid"),
        (timed(transparency="glassy"), "invalid"),
        (timed(attendees=[{"email": "nobody"}]), "invalid"),
        (timed(attendees=[{"displayName": "Nobody"}]), "invalid"),
        (timed(attendees=[{"email": None}]), "invalid"),
        (timed(attendees=[None]), "invalid"),
        (timed("9999-12-31T10:00:00Z", "9999-12-31T11:00:00Z"), "invalid"),
        (timed(recurrence=["RRULE:FREQ=WEEKLY"]), "required"),
        (timed(summary=5), "invalid"),
        (timed(sumary="misspelt"), "badRequest"),
        (timed(reminders={"useDefault": True, "overrides": [{"method": "popup", "minutes": 5}]}), "invalid"),
        (timed(reminders={"overrides": [{"method": "pigeon", "minutes": 5}]}), "invalid"),
        (timed(eventType="fromGmail"), "invalid"),
        (timed(eventType="workingLocation"), "malformed"),
        ({**timed(), "start": {"dateTime": "2027-03-01T10:00:00", "timeZone": "Mars/North"}}, "invalid"),
    ],
)
def test_bad_events_are_refused(events: Any, body: dict[str, Any], reason: str) -> None:
    assert refusal(events.insert(calendarId="primary", body=body)) == (400, reason)


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=HOURLY",
        "RRULE:FREQ=WEEKLY;BYDAY=XX",
        "RRULE:COUNT=3",
        "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270401",
        "RRULE:FREQ=DAILY;INTERVAL=0",
        "RRULE:FREQ=DAILY;BYSETPOS=400",
        "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=32",
        "RRULE:FREQ=YEARLY;BYMONTH=0",
        "RRULE:FREQ=DAILY;BYMONTH=-3",
        "RDATE:99991231T235959Z",
        "EXDATE;TZID=Mars/North:20270301T100000",
        "Weekly",
    ],
)
def test_bad_rules_are_refused(events: Any, rule: str) -> None:
    when = {"dateTime": "2027-03-01T10:00:00", "timeZone": "Europe/Lisbon"}
    body = {"start": when, "end": {**when, "dateTime": "2027-03-01T11:00:00"}, "recurrence": [rule]}
    assert refusal(events.insert(calendarId="primary", body=body)) == (400, "invalid")


def test_times_without_offset_are_read_in_their_zone(events: Any) -> None:
    body = timed()
    body["start"] = {"dateTime": "2027-03-01T10:00:00", "timeZone": "Asia/Kolkata"}
    body["end"] = {"dateTime": "2027-03-01T11:00:00", "timeZone": "Asia/Kolkata"}
    made = events.insert(calendarId="primary", body=body).execute()
    assert made["start"] == {"dateTime": "2027-03-01T04:30:00Z", "timeZone": "Asia/Kolkata"}
    shown = events.get(calendarId="primary", eventId=made["id"], timeZone="Asia/Tokyo").execute()
    assert shown["start"]["dateTime"] == "2027-03-01T13:30:00+09:00"


def test_unknown_things_are_not_found(events: Any) -> None:
    assert refusal(events.get(calendarId="primary", eventId="nothing0here")) == (404, "notFound")
    assert refusal(events.list(calendarId="student@example.test")) == (404, "notFound")
    assert refusal(events.delete(calendarId="primary", eventId="nothing0here")) == (404, "notFound")
    assert refusal(events.patch(calendarId="nowhere", eventId="x", body={})) == (404, "notFound")


def test_a_scope_that_was_not_granted_is_forbidden(sandbox: RunningSandbox) -> None:
    reader = calendar(
        sandbox, connected(sandbox, scopes=["https://www.googleapis.com/auth/calendar.readonly"])
    )
    assert reader.events().list(calendarId="primary").execute()["items"]
    insert = reader.events().insert(calendarId="primary", body=timed())
    assert refusal(insert) == (403, "insufficientPermissions")


def test_an_expired_access_token_is_refreshed_by_the_client(sandbox: RunningSandbox) -> None:
    service = calendar(sandbox)
    service.events().list(calendarId="primary").execute()
    sandbox.control.call("POST", "/google/tokens/expire")
    assert service.events().list(calendarId="primary").execute()["items"]
    statuses = [r["status"] for r in sandbox.control.requests("google") if r["path"].startswith("/calendar")]
    assert statuses == [200, 401, 200]


def test_the_answer_is_cut_down_to_the_asked_fields(events: Any) -> None:
    made = events.insert(calendarId="primary", body=timed(), fields="id,start/dateTime").execute()
    assert made == {"id": made["id"], "start": {"dateTime": "2027-03-01T10:00:00Z"}}
    answer = events.list(calendarId="primary", q="Session", fields="items(id),timeZone").execute()
    assert answer == {"items": [{"id": made["id"]}], "timeZone": "Europe/Lisbon"}
    everything = events.list(calendarId="primary", fields="*").execute()
    assert {"nextSyncToken", "items", "kind"} < everything.keys()
    assert refusal(events.list(calendarId="primary", fields="items(id")) == (400, "invalidParameter")


def test_the_discovery_of_a_misspelt_parameter(sandbox: RunningSandbox) -> None:
    service = calendar(sandbox)
    request = service.events().list(calendarId="primary")
    request.uri += "&maxResult=3"
    assert refusal(request) == (400, "badRequest")
