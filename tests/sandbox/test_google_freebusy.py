"""Free/busy by Google's own client. The Tokyo mentor's calendar is empty at the start."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.google import calendar, connected
from tests.sandbox.test_google_events import refusal
from tests.sandbox.test_google_sync import TOKYO, local
from tests.support.sandbox import MENTOR, RunningSandbox

DAY = {"timeMin": "2027-03-10T00:00:00Z", "timeMax": "2027-03-11T00:00:00Z"}
NINE = ("2027-03-10T09:00:00", "2027-03-10T10:00:00")
BUSY_AT_NINE = [("2027-03-10T09:00:00Z", "2027-03-10T10:00:00Z")]
AT_HOME = {"type": "homeOffice", "homeOffice": {}}
WEEKLY = ("2027-02-10T09:00:00", "2027-02-10T10:00:00")
RULE = "RRULE:FREQ=WEEKLY"


@pytest.fixture
def service(sandbox: RunningSandbox) -> Any:
    return calendar(sandbox, connected(sandbox, TOKYO))


def busy(service: Any, **more: Any) -> list[tuple[str, str]]:
    body = {**DAY, "items": [{"id": "primary"}], **more}
    found = service.freebusy().query(body=body).execute()["calendars"]["primary"]["busy"]
    return [(span["start"], span["end"]) for span in found]


def invited(response: str, who: str = TOKYO) -> dict[str, Any]:
    return {"attendees": [{"email": who, "responseStatus": response}]}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(local(*NINE), BUSY_AT_NINE, id="opaque"),
        pytest.param(local(*NINE, status="tentative"), BUSY_AT_NINE, id="tentative"),
        pytest.param(local(*NINE, transparency="transparent"), [], id="transparent"),
        pytest.param(local(*NINE, **invited("declined")), [], id="declined"),
        pytest.param(local(*NINE, **invited("tentative")), BUSY_AT_NINE, id="perhaps attended"),
        pytest.param(local(*NINE, **invited("declined", MENTOR)), BUSY_AT_NINE, id="declined by a guest"),
        pytest.param(local(*NINE, eventType="outOfOffice"), BUSY_AT_NINE, id="out of office"),
        pytest.param(local(*NINE, eventType="focusTime"), BUSY_AT_NINE, id="focus time"),
        pytest.param(
            local(
                *NINE,
                eventType="workingLocation",
                transparency="transparent",
                visibility="public",
                workingLocationProperties=AT_HOME,
            ),
            [],
            id="working location",
        ),
        pytest.param(local(NINE[0], NINE[0]), [], id="of no length"),
        pytest.param(
            local("2027-03-09T23:00:00", "2027-03-10T01:00:00"),
            [("2027-03-10T00:00:00Z", "2027-03-10T01:00:00Z")],
            id="cut to the range",
        ),
        pytest.param(local(*WEEKLY, recurrence=[RULE]), BUSY_AT_NINE, id="weekly"),
        pytest.param(
            local(*WEEKLY, recurrence=[RULE, "EXDATE;TZID=Europe/Lisbon:20270310T090000"]), [], id="left out"
        ),
        pytest.param(
            {"start": {"date": "2027-03-10"}, "end": {"date": "2027-03-11"}},
            [("2027-03-10T00:00:00Z", "2027-03-10T15:00:00Z")],
            id="all day, in Tokyo",
        ),
    ],
)
def test_what_counts_as_busy(
    sandbox: RunningSandbox, service: Any, event: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    sandbox.control.add_event(event, TOKYO)
    assert busy(service) == expected


def test_moved_and_deleted_events_follow(sandbox: RunningSandbox, service: Any) -> None:
    series = sandbox.control.add_event(local(*WEEKLY, recurrence=[RULE]), TOKYO)["id"]
    instance = f"{series}_20270310T090000Z"
    later = local("2027-03-10T15:00:00", "2027-03-10T16:00:00")
    sandbox.control.change_event(instance, later, TOKYO)
    assert busy(service) == [("2027-03-10T15:00:00Z", "2027-03-10T16:00:00Z")]
    sandbox.control.delete_event(instance, TOKYO)
    assert busy(service) == []


def test_ranges_that_overlap_or_touch_are_one(sandbox: RunningSandbox, service: Any) -> None:
    for start, end in (("09:00", "10:00"), ("09:30", "10:30"), ("10:30", "11:00"), ("12:00", "13:00")):
        sandbox.control.add_event(local(f"2027-03-10T{start}:00", f"2027-03-10T{end}:00"), TOKYO)
    assert busy(service) == [
        ("2027-03-10T09:00:00Z", "2027-03-10T11:00:00Z"),
        ("2027-03-10T12:00:00Z", "2027-03-10T13:00:00Z"),
    ]


def test_times_are_shown_in_the_asked_zone(sandbox: RunningSandbox, service: Any) -> None:
    sandbox.control.add_event(local(*NINE), TOKYO)
    assert busy(service, timeZone="Asia/Tokyo") == [
        ("2027-03-10T18:00:00+09:00", "2027-03-10T19:00:00+09:00")
    ]


def test_calendars_of_others_are_named_as_not_found(service: Any) -> None:
    body = {**DAY, "items": [{"id": MENTOR}, {"id": TOKYO}], "calendarExpansionMax": 1}
    calendars = service.freebusy().query(body=body).execute()["calendars"]
    assert calendars[MENTOR]["errors"] == [{"domain": "global", "reason": "notFound"}]
    assert calendars[TOKYO]["errors"] == [{"domain": "global", "reason": "tooManyCalendarsRequested"}]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"timeMin": DAY["timeMin"]}, "required"),
        ({**DAY, "timeMax": DAY["timeMin"]}, "timeRangeEmpty"),
        ({**DAY, "timeMax": "2027-07-01T00:00:00Z"}, "timeRangeTooLong"),
        ({**DAY, "timeMin": "2027-03-10"}, "badRequest"),
        ({**DAY, "timeZone": "Mars/North"}, "invalid"),
        ({**DAY, "calendarExpansionMax": 51}, "invalid"),
        ({**DAY, "calendars": []}, "badRequest"),
    ],
)
def test_bad_questions_are_refused(service: Any, body: dict[str, Any], reason: str) -> None:
    assert refusal(service.freebusy().query(body=body)) == (400, reason)
