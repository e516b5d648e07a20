"""A student books, moves and cancels a session with the Lisbon mentor; both find it everywhere it belongs."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from playwright.async_api import Page, expect

from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.newcomers import enroll
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until
from tests.contracts import specs

MENTOR, STUDENT = "mentor@example.test", "student@example.test"


async def own_events(control: httpx.AsyncClient, session_id: str) -> list[dict[str, Any]]:
    """The session's events in the mentor's calendar, not deleted."""
    answer = await control.get(f"/control/google/calendars/{MENTOR}/events")
    items: list[dict[str, Any]] = answer.json()["items"]
    return [
        item
        for item in items
        if session_id in str(item.get("extendedProperties")) and item["status"] != "cancelled"
    ]


async def mails(control: httpx.AsyncClient, session_id: str) -> list[dict[str, Any]]:
    """Mails about a session, oldest first."""
    items: list[dict[str, Any]] = (await control.get("/control/mailbox")).json()["items"]
    invited = [mail for mail in items if mail["attachments"]]
    return [mail for mail in invited if session_id in str(invitation(mail)[1]["UID"])]


def invitation(mail: dict[str, Any]) -> Any:
    """The event of the mail's ICS attachment, with its calendar's method."""
    (attachment,) = mail["attachments"]
    calendar = Calendar.from_ical(base64.b64decode(attachment["content"]))
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


FREE_DAYS = ".day-cell[data-free]:not([data-free='0'])"


async def a_free_day(page: Page) -> None:
    """Open the calendar on the third free day from now: far enough to cancel, even if the test is slow."""
    await page.goto("/calendar")
    following = await page.locator("#month-next").get_attribute("href")
    days = [await link.get_attribute("href") for link in await page.locator(FREE_DAYS).all()]
    if following and len(days) < 3:
        await page.goto(following)
        days += [await link.get_attribute("href") for link in await page.locator(FREE_DAYS).all()]
    await page.goto(days[2] or "")
    await expect(page.locator("#day .slot form").first).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
async def test_a_student_books_moves_and_cancels(
    windows: Windows, control: httpx.AsyncClient, javascript: bool
) -> None:
    page = await windows.open(STUDENT, javascript=javascript)
    await a_free_day(page)
    await page.locator("#day .slot form button").first.click()
    if javascript:
        await expect(page.locator(".booked")).to_be_visible()
        await page.locator(".booked a", has_text="See the session").click()
    await page.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}"))
    session_id = page.url.rsplit("/", 1)[1]
    await expect(page.locator("main")).to_contain_text("Inês Duarte")

    event = await until(lambda: one(own_events(control, session_id)))
    booked = await until(lambda: exactly(2, mails(control, session_id)))
    assert {mail["to"][0] for mail in booked} == {MENTOR, STUDENT}
    method, invited = invitation(booked[0])
    assert (method, int(invited.get("SEQUENCE", 0))) == ("REQUEST", 0)

    await page.get_by_role("link", name="Move to another time").click()
    await expect(page.locator("#day .slot form").first).to_be_visible()
    await page.locator("#day .slot form button").nth(1).click()
    await page.wait_for_url(re.compile(rf"/sessions/{session_id}$"))
    moved = await until(lambda: one(own_events(control, session_id), start=event["start"]["dateTime"]))
    assert moved["id"] == event["id"]
    told = await until(lambda: exactly(4, mails(control, session_id)))
    method, invited_again = invitation(told[-1])
    assert (method, invited_again["UID"]) == ("REQUEST", invited["UID"])
    assert int(invited_again["SEQUENCE"]) > int(invited.get("SEQUENCE", 0))

    await page.get_by_role("link", name="Cancel session").click()
    await page.get_by_role("button", name="Cancel the session").click()
    await page.wait_for_url(re.compile(r"/sessions$"))
    await until(lambda: exactly(0, own_events(control, session_id)))
    ended = await until(lambda: exactly(6, mails(control, session_id)))
    assert invitation(ended[-1])[0] == "CANCEL"
    await page.goto("/calendar")
    await expect(page.locator("#balance")).to_contain_text("3 sessions to book")


async def test_picking_a_day_and_booking_are_fragments(windows: Windows, newcomer: str) -> None:
    page = await windows.open(session=newcomer, width=PHONE)
    await a_free_day(page)
    other = page.locator(f"#month {FREE_DAYS}:not([aria-current])").last
    date = await other.get_attribute("data-date")
    async with fragments(page) as seen:
        await other.click()
        await expect(page.locator(f"#day[data-date='{date}'] .slot form").first).to_be_visible()
        await page.locator("#day .slot form button").first.click()
        await expect(page.locator(".booked")).to_be_visible()
    seen.assert_only_fragments(("GET", "/calendar"), ("POST", "/sessions"))
    await expect(page.locator("#balance")).to_contain_text("3 sessions to book")


async def test_a_slot_leaves_the_other_students_page(
    windows: Windows, platform: RunningPlatform, newcomer: str
) -> None:
    watching = await windows.open(session=newcomer)
    booking = await windows.open(session=await enroll(platform, MENTOR, sessions=1))
    await a_free_day(watching)
    day = await watching.locator("#day").get_attribute("data-date")
    start = await watching.locator("#day .slot").first.get_attribute("data-start")
    slot = f"#day .slot[data-start='{start}']"
    await booking.goto(f"/calendar?day={day}")
    await booking.locator(slot).locator("button").click()
    await expect(booking.locator(".booked")).to_be_visible()
    await expect(watching.locator(slot)).to_have_count(0)
    await booking.locator(".booked a", has_text="See the session").click()
    await booking.get_by_role("link", name="Cancel session").click()
    await booking.get_by_role("button", name="Cancel the session").click()
    await expect(watching.locator(slot)).to_have_count(1)


async def test_a_double_click_books_once(windows: Windows, newcomer: str) -> None:
    page = await windows.open(session=newcomer)
    await a_free_day(page)
    await page.locator("#day .slot form button").first.dblclick()
    await expect(page.locator(".booked")).to_be_visible()
    await page.goto("/sessions")
    await expect(page.get_by_role("link", name=re.compile("^Cancel"))).to_have_count(1)


@specs.needs_specs
async def test_what_was_sent_keeps_to_the_vendors_contracts(
    windows: Windows, control: httpx.AsyncClient, newcomer: str
) -> None:
    page = await windows.open(session=newcomer)
    await a_free_day(page)
    await page.locator("#day .slot form button").first.click()
    await page.locator(".booked a", has_text="See the session").click()
    await page.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}"))
    session_id = page.url.rsplit("/", 1)[1]
    await until(lambda: one(own_events(control, session_id)))
    await until(lambda: exactly(2, mails(control, session_id)))
    recorded = (await control.get("/control/requests")).json()["items"]
    verdict = specs.requests_valid(recorded)
    assert verdict.checked > 0
    assert verdict.problems == []


async def one(found: Awaitable[list[Any]], start: str = "") -> Any:
    """The only item, None while there is none, or while it still starts at `start`."""
    items = await found
    if len(items) == 1 and (not start or items[0]["start"]["dateTime"] != start):
        return items[0]
    return None


async def exactly(count: int, found: Awaitable[list[Any]]) -> list[Any] | bool | None:
    """The items once there are that many (True for none), None before."""
    items = await found
    return (items or True) if len(items) == count else None
