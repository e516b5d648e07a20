"""What the sandbox answers in Google's place, against Google's own description of the Calendar interface."""

from __future__ import annotations

import time
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.contracts.specs import answers_valid, needs_specs, requests_valid, sample, validator
from tests.sandbox.google import calendar
from tests.support.sandbox import MENTOR, RunningSandbox

pytestmark = needs_specs

WHEN = ("2027-03-10T09:00:00Z", "2027-03-10T10:00:00Z")
AT_NINE = {
    "summary": "Own event",
    "start": {"dateTime": WHEN[0], "timeZone": "Europe/Lisbon"},
    "end": {"dateTime": WHEN[1], "timeZone": "Europe/Lisbon"},
}
WEEKLY = {"recurrence": ["RRULE:FREQ=WEEKLY"]}
OURS = {
    "id": "session0001",
    "summary": "Session with a student",
    "description": "Booked on the platform",
    "location": "https://example.test/sessions/1",
    "attendees": [{"email": "student@example.test", "displayName": "Demo Student"}],
    "extendedProperties": {"private": {"session_id": "1"}},
    "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 30}]},
    "conferenceData": {"createRequest": {"requestId": "r1"}},
    "source": {"title": "Session", "url": "https://example.test/sessions/1"},
}


def use_everything(sandbox: RunningSandbox) -> None:
    """Call each operation of the subset, with much and with little in it."""
    service = calendar(sandbox)
    events = service.events()
    events.insert(
        calendarId="primary", body={**AT_NINE, **OURS}, conferenceDataVersion=1, sendUpdates="all"
    ).execute()
    series = events.insert(calendarId="primary", body={**AT_NINE, **WEEKLY}).execute()["id"]
    events.get(calendarId="primary", eventId="session0001").execute()
    events.patch(calendarId="primary", eventId=f"{series}_20270317T090000Z", body={"summary": "x"}).execute()
    events.delete(calendarId="primary", eventId=f"{series}_20270324T090000Z", sendUpdates="none").execute()
    page = events.list(calendarId="primary", singleEvents=True, maxResults=5, showDeleted=True).execute()
    events.list(
        calendarId="primary",
        singleEvents=True,
        maxResults=5,
        showDeleted=True,
        pageToken=page["nextPageToken"],
    ).execute()
    token = events.list(calendarId="primary", maxResults=2500).execute()["nextSyncToken"]
    events.update(calendarId="primary", eventId="session0001", body=AT_NINE).execute()
    events.delete(calendarId="primary", eventId="session0001").execute()
    events.list(calendarId="primary", syncToken=token).execute()
    events.list(
        calendarId="primary", privateExtendedProperty=["session_id=1"], timeZone="Asia/Tokyo"
    ).execute()
    query = {"timeMin": "2027-03-01T00:00:00Z", "timeMax": "2027-04-01T00:00:00Z"}
    service.freebusy().query(
        body={**query, "items": [{"id": "primary"}, {"id": "nobody@example.test"}]}
    ).execute()
    channel = {"id": "channel-1", "type": "web_hook", "address": "http://127.0.0.1:9/push", "token": "t"}
    opened = events.watch(calendarId="primary", body={**channel, "expiration": "2000000000000"}).execute()
    service.channels().stop(body={"id": "channel-1", "resourceId": opened["resourceId"]}).execute()


def test_every_answer_and_the_clients_requests_meet_the_contract(sandbox: RunningSandbox) -> None:
    use_everything(sandbox)
    recorded = sandbox.control.requests("google")
    answers, requests = answers_valid(recorded), requests_valid(recorded)
    assert answers.problems == []
    assert requests.problems == []
    assert answers.checked == requests.checked == 15


def test_the_check_finds_what_is_wrong(sandbox: RunningSandbox) -> None:
    use_everything(sandbox)
    (insert, *_) = [
        r for r in sandbox.control.requests("google") if r["method"] == "POST" and "/events" in r["path"]
    ]
    misspelt = insert | {"body": insert["body"] | {"sumary": "x"}}
    unknown = insert | {"query": "sendUpdate=all"}
    assert len(requests_valid([misspelt, unknown]).problems) == 2
    assert answers_valid(
        [insert | {"answer": insert["answer"] | {"start": "soon", "colour": "blue"}}]
    ).problems


def test_the_sandbox_refuses_what_the_contract_does_not_name(sandbox: RunningSandbox) -> None:
    """Each request that the description calls wrong is refused, so that an adapter can't grow into the stand-in."""
    events = calendar(sandbox).events()
    bad: list[dict[str, Any]] = [
        {"sumary": "x"},
        {"attendees": [{"mail": "a@example.test"}]},
        {"summary": 5},
        {"reminders": []},
    ]
    for wrong in bad:
        with pytest.raises(HttpError) as raised:
            events.insert(calendarId="primary", body={**AT_NINE, **wrong}).execute()
        assert raised.value.resp.status == 400
    refused = [r for r in sandbox.control.requests("google") if r["status"] == 400]
    assert len(refused) == 4
    for item in refused:
        assert requests_valid([item]).problems, item["body"]


def test_pushes_carry_the_documented_headers(sandbox: RunningSandbox) -> None:
    service = calendar(sandbox)
    channel = {"id": "channel-1", "type": "web_hook", "address": f"{sandbox.url}/nowhere", "token": "t"}
    service.events().watch(calendarId="primary", body=channel).execute()
    sandbox.control.add_event(AT_NINE)
    sent = arrived(sandbox, 2)
    documented = sample("google-push-docs-example.json")["push_headers"].keys() - {"Content-Length"}
    for push in sent:
        assert validator().event("google-calendar", headers=push["headers"]) == []
        assert push["headers"].keys() == documented
    assert [push["headers"]["X-Goog-Resource-State"] for push in sent] == ["sync", "exists"]


def arrived(sandbox: RunningSandbox, count: int) -> list[dict[str, Any]]:
    """The pushes once so many have been answered; each look at the sandbox lets it work."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        sent = sandbox.control.webhooks("google")
        if len(sent) >= count:
            return sent
    raise AssertionError(f"only {len(sent)} pushes")


def test_errors_have_googles_shape(sandbox: RunningSandbox) -> None:
    answer = sandbox.http.get(f"/google/calendar/v3/calendars/{MENTOR}/events")
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error.keys() == {"code", "message", "errors", "status"}
    assert (error["code"], error["status"]) == (401, "UNAUTHENTICATED")
    assert error["errors"][0].keys() == {"domain", "reason", "message", "locationType", "location"}
