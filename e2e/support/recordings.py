"""Consent to a recording, as the two people of a session give it."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from e2e.support.browser import Windows

MENTOR = "mentor-nairobi@example.test"
MENTEES = {
    "Amara Obi": "amara@example.test",
    "Nils Berg": "nils@example.test",
    "Chloé Martin": "chloe@example.test",
}


async def page_of(row: Locator) -> str:
    """The page of the session that a row is about."""
    return await row.locator("h3 a").get_attribute("href") or ""


async def mentee_of(row: Locator) -> str:
    """Whom the mentor meets there, as their demo account."""
    return MENTEES[await row.locator(".session-what > p").first.inner_text()]


async def both_agree(windows: Windows, row: Locator) -> None:
    """The mentor and the mentee of a row agree, each on the session's page."""
    path, mentee = await page_of(row), await mentee_of(row)
    for person in (MENTOR, mentee):
        page = await windows.open(person, time_zone="Africa/Nairobi")
        await page.goto(path)
        agree = page.get_by_role("button", name="Agree to a recording")
        if await agree.count():
            await agree.click()
        await expect(page.get_by_role("button", name="Take my consent back")).to_be_visible()
        await page.close()
