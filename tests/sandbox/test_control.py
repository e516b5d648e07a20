"""Control calls: records, chaos, clock, reset, and what survives a restart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from googleapiclient.errors import HttpError

from tests.sandbox.google import calendar, connected
from tests.sandbox.test_google_events import timed
from tests.sandbox.test_resend import MAIL
from tests.support.sandbox import CALENDAR, MENTOR, RunningSandbox, running_sandbox

KEY = {"Authorization": "Bearer re_sandbox"}


def refused(sandbox: RunningSandbox, method: str, path: str, body: Any = None, status: int = 400) -> str:
    """The reason with which a control call is refused."""
    content = body if isinstance(body, bytes) else None
    answer = sandbox.control.http.request(method, path, content=content, json=None if content else body)
    assert answer.status_code == status, answer.text
    reason: str = answer.json()["error"]
    assert reason
    return reason


def test_requests_are_recorded_with_body_and_answer_without_secrets(sandbox: RunningSandbox) -> None:
    tokens = sandbox.google_tokens(MENTOR, ("openid", *CALENDAR))
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    sandbox.http.get(
        "/google/calendar/v3/calendars/mentor%40example.test/events?maxResults=1", headers=bearer
    )
    sandbox.http.post("/resend/emails", json=MAIL, headers=KEY | {"Idempotency-Key": "delivery-1"})
    items = sandbox.control.requests()
    assert [item["vendor"] for item in items] == ["google", "google", "resend"]
    token, listing, mail = items
    assert (token["method"], token["path"], token["status"]) == ("POST", "/token", 200)
    assert token["body"]["grant_type"] == "authorization_code"
    assert listing["path"] == "/calendar/v3/calendars/mentor%40example.test/events"
    assert listing["query"] == "maxResults=1"
    assert len(listing["answer"]["items"]) == 1
    assert mail["body"] == MAIL
    assert mail["headers"]["idempotency-key"] == "delivery-1"
    assert mail["answer"]["id"] == sandbox.control.mailbox()[0]["id"]
    told = json.dumps(items)
    secrets = [*(tokens[name] for name in ("access_token", "refresh_token", "id_token")), "re_sandbox"]
    assert not [secret for secret in (*secrets, sandbox.settings.google_client_secret) if secret in told]
    assert token["answer"]["access_token"] == listing["headers"]["authorization"].removeprefix("Bearer ")
    assert sandbox.control.requests("resend") == [mail]
    assert sandbox.control.requests(after=token["id"]) == [listing, mail]
    assert "vendor" in refused(sandbox, "GET", "/requests?vendor=nobody")
    assert "after" in refused(sandbox, "GET", "/requests?after=soon")


def test_pages_are_not_recorded(sandbox: RunningSandbox) -> None:
    for path in ("/", "/mailbox", f"/google/calendar/{MENTOR}", "/google/consent", "/control/mailbox"):
        sandbox.http.get(path)
    assert sandbox.control.requests() == []


def test_the_calendars_own_events_are_put_changed_and_deleted(sandbox: RunningSandbox) -> None:
    host = {"email": "gallery@example.test"}
    made = sandbox.control.add_event(timed(organizer=host, attendees=[{"email": MENTOR}]))
    assert made["organizer"] == host
    assert made["attendees"] == [{"email": MENTOR, "responseStatus": "needsAction", "self": True}]
    changed = sandbox.control.change_event(made["id"], {"summary": "Opening"})
    assert changed["summary"] == "Opening"
    assert changed in sandbox.control.events()
    sandbox.control.delete_event(made["id"])
    assert made["id"] not in [event["id"] for event in sandbox.control.events()]
    (gone,) = sandbox.control.events(showDeleted="true", iCalUID=made["iCalUID"])
    assert gone["status"] == "cancelled"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", f"/google/calendars/{MENTOR}/events", {"summary": "No times"}, 400),
        ("POST", f"/google/calendars/{MENTOR}/events", {"sumary": "x"}, 400),
        ("POST", f"/google/calendars/{MENTOR}/events", b"{", 400),
        ("POST", f"/google/calendars/{MENTOR}/events", b"[1]", 400),
        ("POST", "/google/calendars/nobody@example.test/events", {}, 404),
        ("GET", "/google/calendars/nobody@example.test/events", None, 404),
        ("GET", f"/google/calendars/{MENTOR}/events?colour=blue", None, 400),
        ("DELETE", f"/google/calendars/{MENTOR}/events/nothing0here", None, 404),
        ("PATCH", f"/google/calendars/{MENTOR}/events/nothing0here", {}, 404),
        ("POST", "/google/accounts", {"address": "nobody"}, 400),
        ("POST", "/google/accounts", {"address": "a@example.test", "time_zone": "Mars"}, 400),
        ("POST", "/google/accounts", {"address": MENTOR, "time_zone": "Asia/Tokyo"}, 400),
        ("POST", "/google/accounts", {"colour": "blue"}, 400),
        ("POST", "/google/consent", {"url": "http://x/", "address": MENTOR}, 400),
        ("POST", "/google/consent", {}, 400),
        ("POST", "/chaos", {"nobody": {}}, 400),
        ("POST", "/chaos", {"vendor": "nobody"}, 400),
        ("POST", "/chaos", {"vendor": ["google"]}, 400),
        ("POST", "/chaos", {"google": {"latency": 5}}, 400),
        ("POST", "/chaos", {"google": {"latency_ms": "long"}}, 400),
        ("POST", "/chaos", {"google": {"latency_ms": -1}}, 400),
        ("POST", "/chaos", {"google": {"error_rate": 2}}, 400),
        ("POST", "/chaos", {"google": {"status": 200}}, 400),
        ("POST", "/chaos", {"google": {"count": -1}}, 400),
        ("POST", "/chaos", {"google": 5}, 400),
        ("POST", "/chaos", b"[]", 400),
        ("POST", "/chaos", b"\xff", 400),
        ("POST", "/clock", {}, 400),
        ("POST", "/clock", {"advance": "P1D", "set": "2099-01-01T00:00:00Z"}, 400),
        ("POST", "/clock", {"advance": "three days"}, 400),
        ("POST", "/clock", {"advance": "-P1D"}, 400),
        ("POST", "/clock", {"advance": "P9999999D"}, 400),
        ("POST", "/clock", {"advance": "P999Y"}, 400),
        ("POST", "/clock", {"set": "2020-01-01T00:00:00Z"}, 400),
        ("POST", "/clock", {"set": "tomorrow"}, 400),
        ("POST", "/clock", {"set": "2099-01-01"}, 400),
        ("POST", "/clock", {"advance": "P1D", "jump": "yes"}, 400),
        ("POST", "/clock", {"rewind": "P1D"}, 400),
        ("POST", "/nothing", {}, 404),
        ("DELETE", "/clock", None, 405),
    ],
)
def test_bad_calls_are_refused_with_a_reason(
    sandbox: RunningSandbox, method: str, path: str, body: Any, status: int
) -> None:
    refused(sandbox, method, path, body, status)


def test_reset_brings_back_the_start(sandbox: RunningSandbox) -> None:
    def seen() -> Any:
        events = sandbox.control.events(orderBy="startTime", singleEvents="true", maxResults=30)
        accounts = sandbox.control.call("GET", "/google/accounts")
        return [(e["summary"], e["start"]) for e in events], accounts

    before = seen()
    sandbox.control.account("new@example.test")
    sandbox.control.add_event(timed())
    sandbox.http.post("/resend/emails", json=MAIL, headers=KEY)
    sandbox.control.chaos("resend", error_rate=1)
    sandbox.control.reset()
    assert seen() == before
    assert sandbox.control.requests() == sandbox.control.mailbox() == []
    assert sandbox.http.post("/resend/emails", json=MAIL, headers=KEY).status_code == 200


def test_the_start_leaves_the_cast_connectable(sandbox: RunningSandbox) -> None:
    items = sandbox.control.call("GET", "/google/accounts")["items"]
    assert {item["address"]: item["time_zone"] for item in items} == {
        MENTOR: "Europe/Lisbon",
        "mentor-tokyo@example.test": "Asia/Tokyo",
        "student@example.test": "America/New_York",
        "student-new@example.test": "Europe/Berlin",
    }
    soon = datetime.now(UTC) + timedelta(days=21)
    events = sandbox.control.events(
        singleEvents="true", timeMin=datetime.now(UTC).isoformat(), timeMax=soon.isoformat()
    )
    assert len(events) >= 8
    assert {"tentative", "confirmed"} == {event["status"] for event in events}


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first:
        tokens = first.google_tokens()
        made = first.control.add_event(timed())
        listed = calendar(first).events().list(calendarId="primary").execute()
        sent = first.http.post("/resend/emails", json=MAIL, headers=KEY | {"Idempotency-Key": "k"}).json()
        first.control.chaos("resend", latency_ms=1)
        recorded = first.control.requests()
        keys = first.http.get("/google/oauth2/v3/certs").json()
    with running_sandbox(tmp_path) as second:
        assert second.control.requests()[: len(recorded)] == recorded
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        events = "/google/calendar/v3/calendars/primary/events"
        assert second.http.get(f"{events}/{made['id']}", headers=headers).json() == made
        query = {"syncToken": listed["nextSyncToken"]}
        assert second.http.get(events, headers=headers, params=query).json()["items"] == []
        again = second.http.post("/resend/emails", json=MAIL, headers=KEY | {"Idempotency-Key": "k"})
        assert again.json() == sent
        assert second.control.call("GET", "/chaos")["resend"]["latency_ms"] == 1
        assert second.http.get("/google/oauth2/v3/certs").json() == keys


def test_chaos_is_turned_in_three_ways_and_reset(sandbox: RunningSandbox) -> None:
    call = sandbox.control.call
    assert call("POST", "/chaos", {"google": {"latency_ms": 5}})["google"]["latency_ms"] == 5
    assert call("POST", "/chaos", {"vendor": "resend", "latency_ms": 7})["resend"]["latency_ms"] == 7
    both = call("POST", "/chaos", {"error_rate": 0.5, "seed": 3}, vendor="google")
    assert (both["google"]["error_rate"], both["google"]["latency_ms"]) == (0.5, 0), (
        "a dial is replaced whole"
    )
    assert call("POST", "/chaos", {"google": {}})["google"]["error_rate"] == 0
    assert call("GET", "/chaos")["resend"]["latency_ms"] == 7
    assert call("POST", "/chaos", {})["resend"]["latency_ms"] == 0


def test_chaos_repeats_itself_by_seed(sandbox: RunningSandbox) -> None:
    def statuses(seed: int) -> list[int]:
        sandbox.control.chaos("resend", error_rate=0.5, status=503, seed=seed)
        return [sandbox.http.post("/resend/emails", json=MAIL, headers=KEY).status_code for _ in range(20)]

    first = statuses(7)
    assert {200, 503} == set(first)
    assert statuses(7) == first
    assert statuses(8) != first


def test_chaos_can_do_the_work_and_lose_the_answer(sandbox: RunningSandbox) -> None:
    service = calendar(sandbox)
    sandbox.control.chaos("google", error_rate=1, after=True, match="POST /calendar/v3/calendars", count=1)
    with pytest.raises(HttpError) as raised:
        service.events().insert(calendarId="primary", body=timed(id="session0001")).execute()
    assert raised.value.resp.status == 500
    with pytest.raises(HttpError) as raised:
        service.events().insert(calendarId="primary", body=timed(id="session0001")).execute()
    assert raised.value.resp.status == 409, "it was done the first time"
    notes = [r["chaos"] for r in sandbox.control.requests("google") if r["method"] == "POST"][-2:]
    assert notes == ["after", ""]


def test_chaos_can_refuse_before_the_work(sandbox: RunningSandbox) -> None:
    service = calendar(sandbox, connected(sandbox))
    sandbox.control.chaos("google", error_rate=1, status=429, match="/events")
    with pytest.raises(HttpError) as raised:
        service.events().insert(calendarId="primary", body=timed(id="session0001")).execute()
    assert json.loads(raised.value.content)["error"]["errors"][0]["reason"] == "rateLimitExceeded"
    assert service.calendarList().list().execute()["items"]
    sandbox.control.chaos("google")
    assert service.events().insert(calendarId="primary", body=timed(id="session0001")).execute()


def test_chaos_holds_answers_back(sandbox: RunningSandbox) -> None:
    sandbox.google_tokens()
    sandbox.control.chaos("google", latency_ms=60_000, match="freeBusy")
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post("/google/calendar/v3/freeBusy", json={}, timeout=0.3)
    assert sandbox.http.post("/google/calendar/v3/calendars/primary/events", json={}).status_code == 401


def test_the_clock_moves_forward_and_says_so_in_its_file(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, clock_file=tmp_path / "elsewhere" / "clock.json") as sandbox:
        assert sandbox.control.call("GET", "/clock")["offset_seconds"] == 0
        sandbox.control.advance("P3DT2H")
        told = json.loads(sandbox.settings.clock_file.read_text())
        assert told == {"offset_seconds": pytest.approx(3 * 86400 + 7200, abs=1)}
        later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=40)
        moved = sandbox.control.set_clock(later.isoformat())
        assert abs(datetime.fromisoformat(moved["now"]) - later) < timedelta(seconds=5)
        assert moved["stops"] == []
        assert "never goes back" in refused(sandbox, "POST", "/clock", {"set": datetime.now(UTC).isoformat()})
        sandbox.control.reset()
        assert sandbox.control.call("GET", "/clock")["offset_seconds"] == pytest.approx(40 * 86400, abs=5)
        (series,) = [e for e in sandbox.control.events() if "recurrence" in e]
        assert datetime.fromisoformat(series["start"]["dateTime"]) > later - timedelta(days=7)
