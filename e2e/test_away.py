"""A mentor goes away for a week: its sessions move by their students' own hands, and nobody can book there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from playwright.async_api import Page, expect
from whenever import Instant

from app.accounts import service as accounts
from app.booking import service as booking
from app.booking.offers import instant, offers
from app.booking.service import SessionFacts
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.templating import stamp
from app.core.unit_of_work import Principal, Role
from app.packs.models import SessionPack
from app.settings import Settings
from app.wiring import build
from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.looks import look as look_at
from e2e.support.newcomers import Newcomer, arrive
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Booked:
    """A student of the test's own and their session."""

    student: Newcomer
    session: SessionFacts


@asynccontextmanager
async def database_of(platform: RunningPlatform) -> AsyncIterator[Database]:
    database = Database(Settings.from_env(platform.env))
    yield database
    await database.dispose()


async def book_on(platform: RunningPlatform, mentor_email: str, first: date, count: int) -> list[Booked]:
    """So many new students, each with a session on another day of the week from `first` on."""
    wired = build(Settings.from_env(platform.env))
    students = [await arrive(platform, mentor_email, sessions=2) for _ in range(count)]
    since = datetime.combine(first, datetime.min.time(), clock.now().tzinfo) + timedelta(days=1)
    found: list[Booked] = []
    for number, student in enumerate(students):
        async with wired.database.service(ServiceDoor.JOB) as service:
            mentor = await accounts.find_by_email(service, mentor_email)
            who = await accounts.find_by_email(service, student.email)
        assert mentor is not None
        assert who is not None
        async with wired.database.unit_of_work(Principal(who.id, Role.STUDENT)) as uow:
            day = since + timedelta(days=number * 2)
            seen = await offers(uow, mentor.id, day, day + timedelta(days=2))
            slots = seen.between(int(day.timestamp()), int((day + timedelta(days=2)).timestamp()))
            start = instant(slots[number].start)
            done = await booking.book(uow, wired.database, wired.google, mentor_id=mentor.id, start=start)
            found.append(Booked(student, done.session))
    await wired.close()
    return found


async def pack_ends(platform: RunningPlatform, booked: Booked) -> datetime:
    async with database_of(platform) as database, database.service(ServiceDoor.JOB) as uow:
        query = sa.select(SessionPack.expires_at).where(SessionPack.id == booked.session.pack_id)
        return (await uow.session.execute(query)).scalar_one()


async def mail_about_it(control: httpx.AsyncClient, student: Newcomer) -> str | None:
    items = (await control.get("/control/mailbox", params={"to": student.email})).json()["items"]
    found = [item["text"] for item in items if "is away" in item["subject"]]
    assert len(found) <= 1
    return found[0] if found else None


async def look(page: Page, first: date, booked: list[Booked]) -> None:
    """What a week away would do; nothing is changed yet."""
    await page.goto("/instructor/sessions")
    await page.get_by_role("link", name=re.compile("I am away")).click()
    async with fragments(page) as seen:
        await page.get_by_label("From (first day)").fill(first.isoformat())
        await page.get_by_label("To (last day)").fill((first - timedelta(days=1)).isoformat())
        await page.get_by_role("button", name="See what that means").click()
        await expect(page.locator("#last-day-error")).to_contain_text("comes before the first")
        await page.get_by_label("To (last day)").fill((first + timedelta(days=6)).isoformat())
        await page.get_by_role("button", name="See what that means").click()
        rows = page.locator("li.absence:has(select)")
        await expect(rows).to_have_count(len(booked))
    if seen.answers:
        seen.assert_only_fragments(("GET", "/absences/preview"))
    for one in booked:
        await expect(rows.filter(has_text=one.student.name)).to_have_count(1)
    await expect(page.locator("#absence")).to_contain_text("7 days longer")


async def confirm(page: Page) -> None:
    """Be away as looked at."""
    await page.get_by_role("button", name="Confirm: I am away").click()
    await expect(page.locator("#flash")).to_contain_text("You are away")
    await expect(page.get_by_role("region", name="Coming")).to_contain_text("7 days")


@pytest.mark.parametrize(
    ("mentor", "zone", "javascript"),
    [
        ("mentor-tokyo@example.test", "Asia/Tokyo", True),
        ("mentor-guadalajara@example.test", "America/Mexico_City", False),
    ],
    ids=["htmx", "plain"],
)
async def test_an_away_week_moves_three_sessions(
    windows: Windows,
    platform: RunningPlatform,
    control: httpx.AsyncClient,
    mentor: str,
    zone: str,
    javascript: bool,
) -> None:
    first = Instant(clock.now()).to_tz(zone).date().to_stdlib() + timedelta(days=21)
    booked = await book_on(platform, mentor, first, 3)
    before = [await pack_ends(platform, one) for one in booked]
    page = await windows.open(mentor, javascript=javascript, time_zone=zone)
    await look(page, first, booked)
    if javascript:
        await look_at(windows, page, "away--preview")
    await confirm(page)
    for one, end in zip(booked, before, strict=True):
        text = await until(lambda student=one.student: mail_about_it(control, student))  # type: ignore[misc]
        assert "7 days longer" in text
        assert await pack_ends(platform, one) == end + WEEK
        await accepts(windows, one, text, javascript)
        await finds_the_week_closed(windows, one, javascript)
    await page.goto("/instructor/sessions?status=scheduled")
    for one in booked:
        row = page.locator("article.session-row").filter(has_text=one.student.name)
        await expect(row).to_contain_text(stamp(one.session.start + WEEK, zone))


async def accepts(windows: Windows, one: Booked, mail: str, javascript: bool) -> None:
    """The student follows the mail's link and accepts; the same weekday and time, a week later."""
    link = re.search(rf"/sessions/{one.session.id}/proposal", mail)
    assert link, mail
    page = await windows.open(session=one.student.session, javascript=javascript, width=PHONE)
    await page.goto(link.group())
    if javascript:
        await look_at(windows, page, "away--answer")
    await page.get_by_role("button", name="Accept").click()
    await expect(page.locator("#flash")).to_contain_text("Moved to")
    moved = stamp(one.session.start + WEEK, "America/New_York")
    await expect(page.locator("#flash")).to_contain_text(moved)
    await expect(page.locator("main")).not_to_contain_text("proposes another time")


async def finds_the_week_closed(windows: Windows, one: Booked, javascript: bool) -> None:
    """Where the session was the student's calendar has nothing, and says why."""
    page = await windows.open(session=one.student.session, javascript=javascript)
    there = Instant(one.session.start).to_tz("America/New_York").date().format_iso()
    await page.goto(f"/calendar?mentor_id={one.session.mentor_id}&day={there}")
    await expect(page.locator("#day .slot")).to_have_count(0)
    await page.locator("#day .closed summary").click()
    await expect(page.locator("#day .closed-list")).to_contain_text("is away")
