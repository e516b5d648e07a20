"""A mentor runs sessions inline, and sees at once what a student would be offered."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from e2e.support.browser import Windows
from e2e.support.htmx import fragments

MENTOR = "mentor-nairobi@example.test"


async def held_row(page: Page) -> str:
    """The id of a row that was held and can be undone."""
    await page.goto("/instructor/sessions?status=completed")
    row = page.locator("article.session-row").first
    return await row.get_attribute("id") or ""


async def test_notes_and_status_are_edited_inline(windows: Windows) -> None:
    page = await windows.open(MENTOR, time_zone="Africa/Nairobi")
    row = page.locator(f"#{await held_row(page)}")
    async with fragments(page) as seen:
        await row.locator("summary").click()
        await row.get_by_label("Notes", exact=True).fill("Three panels, then silence. <b>Not bold</b>")
        await row.get_by_role("button", name="Save notes").click()
        await expect(row).to_contain_text("Saved")
        await row.get_by_label("Recording link").fill("ftp://nowhere")
        await row.get_by_role("button", name="Save link").click()
        await expect(row.locator("[aria-invalid=true]")).to_have_count(1)
        await row.get_by_role("button", name=re.compile("no-show|no show|absent", re.I)).click()
        await expect(row.locator(".session-state")).to_contain_text(re.compile("no.?show|absent", re.I))
    seen.assert_only_fragments(("POST", "/notes"), ("POST", "/recording"), ("POST", "/status"))
    await page.goto("/instructor/sessions?status=no_show")
    await expect(page.locator("article.session-row").first).to_contain_text("notes")
    await (
        page.locator("article.session-row")
        .first.get_by_role("button", name=re.compile("completed", re.I))
        .click()
    )


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
async def test_overlapping_hours_are_refused_beside_the_day(windows: Windows, javascript: bool) -> None:
    page = await windows.open(MENTOR, javascript=javascript, time_zone="Africa/Nairobi")
    await page.goto("/instructor/settings")
    await page.locator("[name=monday_start]").nth(1).fill("11:00")
    await page.locator("[name=monday_end]").nth(1).fill("15:00")
    await page.locator("#availability button[type=submit]").last.click()
    await expect(page.locator("#availability")).to_contain_text(re.compile("overlap", re.I))
    await page.goto("/instructor/settings")
    await expect(page.locator("[name=monday_start]").nth(1)).to_have_value("13:30")


async def test_the_preview_follows_the_fields(windows: Windows) -> None:
    page = await windows.open(MENTOR, time_zone="Africa/Nairobi")
    await page.goto("/instructor/settings")
    before = await page.locator("#preview").inner_text()
    await page.locator("[name=session_minutes]").fill("180")
    await page.locator("[name=session_minutes]").blur()
    await expect(page.locator("#preview")).not_to_have_text(before)
