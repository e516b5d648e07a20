"""Mails about absences and proposals through the real job: each once, however often it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from uuid import UUID

import pytest

from app import wiring
from app.core.db import Database
from app.core.outbox import Event
from app.settings import Settings
from app.wiring import Platform
from jobs.events import send_notification
from tests.absences.support import AwayDesk
from tests.notifications.conftest import sandbox, served
from tests.support.sandbox import RunningSandbox

__all__ = ["sandbox", "served"]


@pytest.fixture
def platform(settings: Settings, database: Database, sandbox: RunningSandbox) -> Iterator[Platform]:
    addressed = dataclasses.replace(settings, resend_url=f"{sandbox.url}/resend")
    built = wiring.build(addressed)
    yield dataclasses.replace(built, database=database)
    built.google.close()


async def run_twice(away: AwayDesk, platform: Platform, kind: str) -> int:
    """Run the job of every event of that kind twice; how many events there are."""
    query = "select id, payload from outbox where payload ->> 'kind' = :kind order by id"
    rows = await away.desk.sql(query, kind=kind)
    for row in rows * 2:
        await send_notification(platform, Event(UUID(str(row.id)), "notification/send", row.payload, 1))
    return len(rows)


async def test_each_mail_arrives_once(away: AwayDesk, platform: Platform, sandbox: RunningSandbox) -> None:
    days = away.days()
    booked = await away.booked_on(days)
    idle = await away.desk.student()
    await away.confirm(days, extend=True)
    assert await run_twice(away, platform, "mentor_away") == 2
    (mail,) = sandbox.control.mailbox(away.desk.cast.email("student"))
    assert mail["subject"] == f"Mentor is away {days.said}"
    assert f"/sessions/{booked.id}/proposal" in mail["text"]
    assert f"/sessions/{booked.id}/proposal" in mail["html"]
    assert "your pack lasts 7 days longer" in mail["text"]
    assert len(sandbox.control.mailbox()) == 2
    await away.end((await away.absences())[0].id)
    assert await run_twice(away, platform, "mentor_back") == 1
    assert [one["subject"] for one in sandbox.control.mailbox(away.desk.cast.email("student"))].count(
        f"Mentor is there after all {days.said}"
    ) == 1
    assert len(sandbox.control.mailbox()) == 3
    assert idle != booked.student_id
