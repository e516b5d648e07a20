"""An admin sees that something waits for too long, is told by mail, and sees when all is well again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa
from playwright.async_api import expect

from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.settings import Settings
from e2e.support.browser import Windows
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

ADMIN = "admin@example.test"
PUT_OFF = sa.text(
    "insert into outbox (id, type, payload, key, state, attempts, last_error, created_at, available_at, due_at)"
    " select :id, 'notification/send', jsonb_build_object('kind', 'session_booked'), :key, 'new', 4,"
    " 'Retry: no answer', n - interval '25 minutes', n + interval '1 hour', n - interval '25 minutes'"
    " from (select max(created_at) as n from outbox) newest"
)
GONE = sa.text("delete from outbox where id = :id")


async def work(platform: RunningPlatform, what: Any) -> None:
    """Something in the service's name."""
    database = Database(Settings.from_env(platform.env))
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            await what(uow)
            await uow.commit()
    finally:
        await database.dispose()


async def metric(platform: RunningPlatform, name: str) -> float | None:
    """A gauge of the running platform."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{platform.url}/metrics")
    assert answer.status_code == 200
    values = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return float(values[name]) if name in values else None


async def alert(platform: RunningPlatform) -> dict[str, Any] | None:
    """The mail that an admin got, as soon as it is there."""
    async with httpx.AsyncClient() as http:
        mails = (await http.get(f"{platform.sandbox}/control/mailbox", params={"to": ADMIN})).json()["items"]
    return next((mail for mail in mails if mail["subject"].startswith("Messages have waited")), None)


async def test_what_waits_for_too_long_is_seen_and_told(windows: Windows, platform: RunningPlatform) -> None:
    id_ = uuid4()

    async def put_off(uow: UnitOfWork) -> None:
        await uow.session.execute(PUT_OFF, {"id": id_, "key": str(id_)})
        await uow.emit("watchdog/look", {})

    async def done(uow: UnitOfWork) -> None:
        await uow.session.execute(GONE, {"id": id_})

    page = await windows.open(ADMIN)
    await work(platform, put_off)
    mail = await until(lambda: alert(platform))
    assert "A session was booked" in mail["text"]
    assert await metric(platform, "mentorships_sending_stuck") == 1
    assert (await metric(platform, "mentorships_workers_alive") or 0) >= 1
    await page.goto("/admin")
    await page.get_by_role("link", name="See how sending stands").click()
    await expect(page.locator(".health")).to_contain_text(
        "The oldest (“A session was booked”) was due 25 minutes"
    )
    await work(platform, done)
    await page.reload()
    await expect(page.locator(".health")).not_to_contain_text("was due 25 minutes")
    assert await metric(platform, "mentorships_sending_stuck") == 0
