"""What malformed input to the JSON interface gets: 400 with the reason, 404 for what is unknown, and no change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.core import clock
from app.core.ids import new_id
from app.core.templating import iso
from tests.booking.programs import availability, window
from tests.booking.support import Desk


@pytest.mark.parametrize(
    "start",
    [
        "tomorrow",
        "2026-11-24",
        "2026-11-24T14:30:00",
        "2026-11-24T25:30:00Z",
        "2026-02-30T10:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "2026-11-24T14:30:00+99:00",
        "2026-11-24T14:30:00 00:00",
        "١٩٩٩-11-24T14:30:00Z",
        "",
    ],
)
async def test_malformed_instants_are_400_with_the_reason(
    student: httpx.AsyncClient, desk: Desk, start: str
) -> None:
    if start:
        answer = await student.get(availability(desk, start=start))
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert "start" in answer.json()["detail"]
    wish = {"mentor_id": str(desk.cast["mentor"]), "start": start}
    answer = await student.post("/api/sessions", json=wish)
    assert (answer.status_code, "start" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("id_", ["x", "123", "00000000000000000000000000000000", "%00", "{}"])
async def test_malformed_ids_are_400_unknown_ones_404(
    programs: dict[str, httpx.AsyncClient], desk: Desk, id_: str
) -> None:
    student, mentor = programs["student"], programs["mentor"]
    assert (await student.get(f"/api/mentors/{id_}/availability")).status_code == 400
    assert (await student.patch(f"/api/sessions/{id_}", json={"status": "canceled"})).status_code == 400
    assert (await mentor.patch(f"/api/instructor/sessions/{id_}", json={"notes": ""})).status_code == 400
    unknown = new_id()
    assert (await student.get(f"/api/mentors/{unknown}/availability")).status_code == 404
    wish = {"mentor_id": str(unknown), "start": iso(clock.now())}
    assert (await student.post("/api/sessions", json=wish)).status_code == 404
    assert (await student.patch(f"/api/sessions/{unknown}", json={"status": "canceled"})).status_code == 404
    assert (await mentor.patch(f"/api/instructor/sessions/{unknown}", json={"notes": ""})).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"start": "2026-11-24T14:30:00Z", "status": "canceled"},
        {"status": "completed"},
        {"begin": "now"},
        [],
        "x",
        None,
    ],
)
async def test_a_change_that_says_nothing_clear_is_400(
    student: httpx.AsyncClient, desk: Desk, body: Any
) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    answer = await student.patch(f"/api/sessions/{booked.id}", json=body)
    assert answer.status_code == 400
    assert (await desk.session(booked.id)).version == 0


async def test_no_json_at_all_is_400(student: httpx.AsyncClient) -> None:
    answer = await student.post("/api/sessions", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400


async def test_a_range_by_default_and_its_limits(student: httpx.AsyncClient, desk: Desk) -> None:
    assert (await student.get(availability(desk))).status_code == 200
    assert (await student.get(availability(desk, **window(62)))).status_code == 200
    too_long = await student.get(availability(desk, **window(63)))
    assert (too_long.status_code, "62 days" in too_long.json()["detail"]) == (400, True)
    backwards = {"start": iso(clock.now()), "end": iso(clock.now() - timedelta(days=1))}
    assert (await student.get(availability(desk, **backwards))).status_code == 400
