"""What our adapter sends to Google, and what comes back, against Google's own description."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import uuid4

from app.calendars import service
from app.calendars.google import Google
from app.calendars.service import EventToWrite
from tests.calendars.conftest import cast, google, google_settings, world
from tests.calendars.world import World, soon, timed
from tests.contracts.specs import answers_valid, needs_specs, requests_valid
from tests.support.sandbox import MENTOR

__all__ = ["cast", "google", "google_settings", "world"]
pytestmark = needs_specs

SECOND = "studio0shows0and0fairs@group.calendar.google.com"
EVENT = EventToWrite(
    uuid4(), 0, 0, "Session with Ada", "http://127.0.0.1:8000/sessions/1", soon(3), soon(3, 10)
)


async def use_everything(world: World) -> None:
    """Every call that the adapter makes, in the order of a mentor's life with us."""
    parts: Any = (world.database, world.google, world.mentor_id)
    control = world.sandbox.control
    control.add_event(timed(soon(5), attendees=[{"email": MENTOR, "responseStatus": "declined"}]))
    control.add_event({"start": {"date": "2027-03-10"}, "end": {"date": "2027-03-12"}})
    await world.mirror()
    await world.mirror(full=True)
    control.call("POST", f"/google/calendars/{MENTOR}/stale")
    await world.mirror()
    await world.busy_live(soon(3), soon(6))
    await service.write_event(*parts, EVENT)
    await service.write_event(*parts, dataclasses.replace(EVENT, version=1, start=soon(4), end=soon(4, 10)))
    await service.remove_event(*parts, EVENT.id)
    await service.write_event(*parts, EVENT)
    pushed = Google(dataclasses.replace(world.google.settings, public_url="https://127.0.0.1:9"))
    for _ in range(2):
        await service.renew_channel(world.database, pushed, world.mentor_id)
    pushed.close()
    await service.write_event(*parts, dataclasses.replace(EVENT, generation=1))
    await service.choose_calendar(*parts, SECOND)
    await service.leave_calendar(*parts)
    await service.refresh_calendars(*parts)
    await service.disconnect(*parts)


async def test_everything_we_send_meets_the_contract(world: World) -> None:
    await use_everything(world)
    recorded = world.sandbox.control.requests("google")
    requests, answers = requests_valid(recorded), answers_valid(recorded)
    assert requests.problems == []
    assert answers.problems == []
    operations = {(item["method"], item["path"].rpartition("/")[2][:7], item["status"]) for item in recorded}
    assert {
        ("GET", "calenda", 200),
        ("GET", "events", 200),
        ("GET", "events", 410),
        ("POST", "events", 200),
        ("POST", "events", 409),
        ("GET", "session", 200),
        ("PATCH", "session", 200),
        ("DELETE", "session", 204),
        ("POST", "watch", 200),
        ("POST", "stop", 204),
        ("POST", "token", 200),
        ("POST", "revoke", 200),
    } <= operations
    assert requests.checked >= 18


async def test_scopes_that_we_ask_for_allow_every_call(world: World) -> None:
    await use_everything(world)
    assert {item["status"] for item in world.sandbox.control.requests("google")} <= {200, 204, 409, 410}
