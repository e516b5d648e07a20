"""The JSON interface: shapes, codes, what malformed input gets."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest
from litestar import Litestar

from app.core import clock
from app.core.templating import iso
from tests.booking.programs import availability, window
from tests.booking.support import Desk


async def slots(student: httpx.AsyncClient, desk: Desk) -> list[str]:
    answer = await student.get(availability(desk, **window()))
    return [slot["start"] for slot in answer.json()["slots"]]


async def test_availability_has_the_documented_shape(student: httpx.AsyncClient, desk: Desk) -> None:
    answer = (await student.get(availability(desk, **window()))).json()
    offers = await desk.offers("student")
    assert answer == {
        "mentor_id": str(desk.cast["mentor"]),
        "time_zone": "Europe/Lisbon",
        "session_minutes": 60,
        "mirror_age_s": None,
        "bookable": True,
        "refusal": None,
        "slots": [{"start": iso(start), "end": iso(start + timedelta(hours=1))} for start in offers],
    }


async def test_explain_tells_every_candidate_once(student: httpx.AsyncClient, desk: Desk) -> None:
    now = clock.now()
    start = (now + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    query = {"start": iso(start), "end": iso(start + timedelta(days=3)), "explain": 1}
    answer = (await student.get(availability(desk, **query))).json()
    told = [slot["start"] for slot in answer["slots"]] + [slot["start"] for slot in answer["closed"]]
    assert len(told) == len(set(told)) == 3 * 48
    assert {slot["reason"] for slot in answer["closed"]} <= {"outside_hours", "too_soon"}


async def test_booking_answers_with_the_session(student: httpx.AsyncClient, desk: Desk) -> None:
    start = (await slots(student, desk))[0]
    wish = {"mentor_id": str(desk.cast["mentor"]), "start": start}
    answer = await student.post("/api/sessions", json=wish)
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "id": body["id"],
        "mentor_id": wish["mentor_id"],
        "student_id": str(desk.cast["student"]),
        "pack_id": str(desk.cast.packs["student"]),
        "start": start,
        "end": iso(datetime.fromisoformat(start) + timedelta(hours=1)),
        "status": "scheduled",
    }
    again = await student.post("/api/sessions", json=wish)
    assert (again.status_code, again.json()) == (200, body)


async def test_the_idempotency_header(student: httpx.AsyncClient, desk: Desk) -> None:
    free = await slots(student, desk)
    wish = {"mentor_id": str(desk.cast["mentor"]), "start": free[0]}
    key = {"Idempotency-Key": "one"}
    first = await student.post("/api/sessions", json=wish, headers=key)
    again = await student.post("/api/sessions", json=wish, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = await student.post("/api/sessions", json=wish | {"start": free[4]}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    bad = await student.post("/api/sessions", json=wish, headers={"Idempotency-Key": "x" * 201})
    assert bad.status_code == 400


async def test_a_slot_just_taken_comes_with_the_slots_as_they_are_now(
    student: httpx.AsyncClient, desk: Desk
) -> None:
    free = await slots(student, desk)
    await desk.book(await desk.student(), datetime.fromisoformat(free[0]))
    answer = await student.post(
        "/api/sessions", json={"mentor_id": str(desk.cast["mentor"]), "start": free[0]}
    )
    body = answer.json()
    assert (answer.status_code, body["code"], body["reason"]) == (409, "slot_taken", "booked")
    assert "Nothing was booked" in body["detail"]
    fresh = [slot["start"] for slot in body["slots"]]
    assert free[0] not in fresh
    assert set(fresh) <= set(free)
    assert fresh


async def test_move_and_cancel_by_patch(student: httpx.AsyncClient, desk: Desk) -> None:
    free = await slots(student, desk)
    wish = {"mentor_id": str(desk.cast["mentor"]), "start": free[0]}
    path = f"/api/sessions/{(await student.post('/api/sessions', json=wish)).json()['id']}"
    moved = await student.patch(path, json={"start": free[4]})
    assert (moved.status_code, moved.json()["start"]) == (200, free[4])
    canceled = await student.patch(path, json={"status": "canceled"})
    assert canceled.json()["status"] == "canceled"
    twice = await student.patch(path, json={"status": "canceled"})
    assert (twice.status_code, twice.json()["code"]) == (409, "not_scheduled")


async def test_a_mentor_edits_all_or_nothing(programs: dict[str, httpx.AsyncClient], desk: Desk) -> None:
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    path = f"/api/instructor/sessions/{booked.id}"
    mentor = programs["mentor"]
    early = await mentor.patch(path, json={"status": "completed", "notes": "Etching"})
    assert (early.status_code, early.json()["code"]) == (409, "not_started")
    assert (await desk.session(booked.id)).notes == ""
    link = "https://example.com/recording?x=1"
    alone = await mentor.patch(path, json={"notes": "Etching", "recording_url": link})
    assert (alone.status_code, alone.json()["code"]) == (409, "no_recording_consent")
    assert (await desk.session(booked.id)).notes == ""
    await desk.agree(booked.id)
    done = await mentor.patch(path, json={"notes": "Etching", "recording_url": link})
    assert done.status_code == 200
    row = await desk.session(booked.id)
    assert (row.notes, row.recording_url) == ("Etching", link)
    kept = done.json()
    assert (kept["recording_consent"], kept["recording_expires_at"]) == (True, iso(row.recording_expires_at))
    assert (await mentor.patch(path, json={"recording_url": None})).status_code == 200
    assert (await desk.session(booked.id)).recording_url is None
    bad = await mentor.patch(path, json={"recording_url": "javascript:alert(1)"})
    assert (bad.status_code, list(bad.json()["errors"])) == (422, ["recording_url"])
    canceled = await mentor.patch(path, json={"status": "canceled"})
    assert canceled.json()["status"] == "canceled"


async def test_those_who_cannot_book_hear_why(programs: dict[str, httpx.AsyncClient], desk: Desk) -> None:
    answer = (await programs["new_student"].get(availability(desk))).json()
    assert (answer["bookable"], answer["refusal"]["code"]) == (False, "pack_not_active")
    public = (await programs["anonymous"].get(availability(desk))).json()
    assert (public["bookable"], public["refusal"]) == (False, None)
    assert public["slots"] == answer["slots"] != []


async def test_a_revoked_calendar_offers_nothing(programs: dict[str, httpx.AsyncClient], desk: Desk) -> None:
    await desk.sql(
        "insert into calendar_connections (mentor_id, state, google_email, google_calendar_id, calendars,"
        " google_refresh_token, mirror_version, mirrored_at, connected_at)"
        " values (:id, 'revoked', 'm@example.test', 'm', '[]', '', 0, now() - interval '90 seconds', now())",
        id=desk.cast["mentor"],
    )
    answer = (await programs["student"].get(availability(desk, explain=1))).json()
    assert (answer["slots"], answer["refusal"]["code"]) == ([], "calendar_revoked")
    assert 90 <= answer["mirror_age_s"] <= 120
    assert "calendar_revoked" in {slot["reason"] for slot in answer["closed"]}


ACCESS = [
    ("GET", "/api/mentors/{mentor}/availability", dict.fromkeys(
        ("anonymous", "student", "other_student", "mentor", "other_mentor", "admin"), 200)),
    ("POST", "/api/sessions", {
        "anonymous": 401, "student": 422, "other_student": 422, "mentor": 403, "other_mentor": 403, "admin": 403}),
    ("PATCH", "/api/sessions/{session}", {
        "anonymous": 401, "student": 200, "other_student": 404, "mentor": 200, "other_mentor": 404, "admin": 403}),
    ("PATCH", "/api/instructor/sessions/{session}", {
        "anonymous": 401, "student": 403, "other_student": 403, "mentor": 200, "other_mentor": 404, "admin": 403}),
]  # fmt: skip
BODIES = {
    "POST /api/sessions": {"start": "2026-01-01T00:00:00Z"},
    "PATCH /api/sessions/{session}": {"status": "canceled"},
    "PATCH /api/instructor/sessions/{session}": {"notes": "x"},
}


@pytest.mark.parametrize(
    ("method", "path", "person", "status"),
    [(method, path, person, status) for method, path, who in ACCESS for person, status in who.items()],
)
async def test_who_may(
    programs: dict[str, httpx.AsyncClient], desk: Desk, method: str, path: str, person: str, status: int
) -> None:
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    body = BODIES.get(f"{method} {path}")
    if body and "start" in body:
        body = body | {"mentor_id": str(desk.cast["mentor"])}
    where = path.format(mentor=desk.cast["mentor"], session=booked.id)
    answer = await programs[person].request(method, where, json=body)
    assert answer.status_code == status, answer.text
    if status == 404:
        assert "student" not in answer.text


async def test_the_interface_is_described(app: Litestar) -> None:
    described = app.openapi_schema.to_schema()
    paths = described["paths"]
    assert set(paths["/api/mentors/{mentor_id}/availability"]) == {"get"}
    assert set(paths["/api/sessions"]) >= {"post"}
    assert {"409", "422"} <= set(paths["/api/sessions"]["post"]["responses"])
    assert set(paths["/api/sessions/{session_id}"]) == {"patch"}
    assert set(paths["/api/instructor/sessions/{session_id}"]) == {"patch"}
    assert not any(path.startswith("/calendar") for path in paths)
