"""A student books the whole pack at once: the same time every week by the mentor's clock, whatever the clocks do."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from icalendar import Calendar
from playwright.async_api import Page, expect

from app.core import clock
from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.newcomers import enroll
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

MENTOR, LISBON = "mentor@example.test", ZoneInfo("Europe/Lisbon")


def days_before_the_clock_changes(zone: ZoneInfo, days: int) -> datetime:
    """A Monday morning in UTC, beyond the demo data's bookings, about so many days before the zone's offset changes."""
    day = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=days + 70)
    while day.astimezone(zone).utcoffset() == (day - timedelta(days=1)).astimezone(zone).utcoffset():
        day += timedelta(days=1)
    found = day - timedelta(days=days)
    return found - timedelta(days=found.weekday())


async def starts(page: Page) -> list[str]:
    fields = page.locator(".series-book input[name=start]")
    return [await field.get_attribute("value") or "" for field in await fields.all()]


async def choose(page: Page, weekday: str) -> str:
    """Ask for a weekday, and of its times for the last that is free every week; gives that time in Lisbon."""
    await page.get_by_label(re.compile("^Day")).select_option(label=weekday)
    await expect(page.locator("#series-label")).to_contain_text(f"{weekday}s at")
    option = page.locator("#series-time option", has_text="every week").last
    time = await option.get_attribute("value") or ""
    await page.get_by_label(re.compile("^Time")).select_option(value=time)
    await expect(page.locator("#series-label")).to_contain_text(f"{weekday}s at {time} in Lisbon")
    return time


async def take(page: Page, start: str) -> None:
    """Somebody else books that time alone."""
    day = datetime.fromisoformat(start).astimezone(ZoneInfo("America/New_York"))
    await page.goto(f"/calendar?day={day:%Y-%m-%d}")
    await page.locator(f"#day .slot[data-start='{start}'] button").click()
    await expect(page.locator(".booked")).to_be_visible()


def lisbon(start: str) -> str:
    return f"{datetime.fromisoformat(start).astimezone(LISBON):%a %H:%M}"


async def mails(control: httpx.AsyncClient) -> list[dict[str, Any]] | None:
    """The two mails about the series."""
    items: list[dict[str, Any]] = (await control.get("/control/mailbox")).json()["items"]
    found = [mail for mail in items if re.match(r"\d sessions booked with", mail["subject"])]
    return found if len(found) == 2 else None


async def held(control: httpx.AsyncClient, wanted: list[str]) -> bool | None:
    """True once the mentor's calendar holds an event for each start."""
    items = (await control.get(f"/control/google/calendars/{MENTOR}/events")).json()["items"]
    times = {
        datetime.fromisoformat(item["start"]["dateTime"])
        for item in items
        if item["id"].startswith("session") and item["status"] != "cancelled"
    }
    return True if times.issuperset(map(datetime.fromisoformat, wanted)) else None


async def test_a_whole_pack_over_a_change_of_the_clock(
    fresh_windows: Windows, fresh_platform: RunningPlatform
) -> None:
    now = days_before_the_clock_changes(LISBON, 17)
    async with httpx.AsyncClient(base_url=fresh_platform.sandbox, timeout=300) as control:
        moved = await control.post("/control/clock", json={"set": f"{now:%Y-%m-%dT%H:%M:%SZ}", "jump": True})
        moved.raise_for_status()
        with clock.standing_at(now):
            student = await enroll(fresh_platform, MENTOR, sessions=4)
            other = await enroll(fresh_platform, MENTOR, sessions=1)
        page = await fresh_windows.open(session=student, width=PHONE)
        await page.goto("/calendar")
        await page.get_by_role("link", name="Book the same time every week").click()
        await page.wait_for_url("**/calendar/series?**")  # loaded, scripts too
        time = await choose(page, "Wednesday")
        await expect(page.locator("#series-state")).to_contain_text("4 sessions are ready to book.")
        proposed = await starts(page)
        assert {lisbon(start) for start in proposed} == {f"Wed {time}"}
        assert len({start[11:] for start in proposed}) == 2  # in UTC it shifts
        await expect(page.locator(".series-shift").first).to_contain_text("clocks change")

        await take(await fresh_windows.open(session=other), proposed[1])
        async with fragments(page) as seen:
            await page.get_by_role("button", name="Book all 4 sessions").click()
            await expect(page.get_by_role("alert")).to_contain_text("Nothing was booked")
            week = page.locator(".series-week").nth(1)
            await expect(week).to_contain_text("Somebody has this time")
            await expect(page.locator(".series-book")).to_have_count(0)
            assert await fresh_windows.axe(page) == []
            await week.locator(".choices a").first.click()
            await expect(week).to_contain_text("Another time")
            await expect(week.get_by_role("link", name="Back to the usual time")).to_be_focused()
        seen.assert_only_fragments(("POST", "/calendar/series"), ("GET", "/calendar/series"))

        booked = await starts(page)
        await page.get_by_role("button", name="Book all 4 sessions").click()
        await page.wait_for_url("**/sessions")
        await expect(page.locator("#flash")).to_contain_text("Booked: 4 sessions.")
        rows = page.locator("article.session-row")
        await expect(rows).to_have_count(4)
        assert await rows.get_by_text(f"{time} in Lisbon").count() >= 3
        assert [lisbon(start) for start in [booked[0], *booked[2:]]] == [f"Wed {time}"] * 3
        for mail in await until(lambda: mails(control)):
            (file,) = mail["attachments"]
            events = Calendar.from_ical(base64.b64decode(file["content"])).walk("VEVENT")
            assert [event["DTSTART"].dt for event in events] == [*map(datetime.fromisoformat, booked)]
        assert await until(lambda: held(control, booked))


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
async def test_a_week_is_skipped_and_the_rest_booked(
    windows: Windows, newcomer: str, javascript: bool
) -> None:
    page = await windows.open(session=newcomer, javascript=javascript)
    await page.goto("/calendar/series")
    await page.get_by_label("Sessions").select_option("3")
    if not javascript:
        await page.get_by_role("button", name="Show the weeks").click()
    await expect(page.locator(".series-week")).to_have_count(3)
    first, second, third = await starts(page)
    week = page.locator(".series-week").nth(1)
    await week.locator("summary").click()
    await week.get_by_role("link", name="Skip this week").click()
    await expect(page.locator(".series-week")).to_have_count(4)
    found = await starts(page)
    assert (found[0], found[1]) == (first, third)
    await page.reload()  # the choices are in the address
    assert await starts(page) == found
    await page.get_by_role("button", name="Book all 3 sessions").click()
    await page.wait_for_url("**/sessions")
    await expect(page.locator("article.session-row")).to_have_count(3)
    assert second not in found
