"""A recording's link: both agree, the mentor leaves it, the student watches it, and one of them takes their consent back."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.looks import look
from e2e.support.recordings import MENTOR, mentee_of, page_of

LINK = "https://example.com/our-session"


async def row_of(windows: Windows, number: int) -> tuple[Page, Locator]:
    """The mentor's list with one held session open."""
    page = await windows.open(MENTOR, time_zone="Africa/Nairobi")
    await page.goto("/instructor/sessions?status=completed")
    row = page.locator("article.session-row").nth(number)
    await row.locator("summary").click()
    return page, row


async def keep(row: Locator, link: str) -> None:
    await row.get_by_label("Recording link").fill(link)
    await row.get_by_role("button", name="Save link").click()


async def test_a_link_from_consent_to_its_end(windows: Windows) -> None:
    mentors, row = await row_of(windows, 1)
    path, mentee = await page_of(row), await mentee_of(row)
    await expect(row).to_contain_text("Neither of you has agreed to a recording yet.")
    await keep(row, LINK)
    await expect(row.get_by_role("alert")).to_contain_text("The link was not saved.")
    assert await windows.axe(mentors) == []

    await row.get_by_role("link", name="the session’s page").click()
    await mentors.get_by_role("button", name="Agree to a recording").click()
    await expect(mentors.locator("#recording-consent-said")).to_contain_text("hasn’t yet.")

    student = await windows.open(mentee, width=PHONE)
    await student.goto(path)
    await expect(student.locator("#recording-consent-said")).to_contain_text("has agreed; you haven’t yet.")
    async with fragments(student) as seen:
        await student.get_by_role("button", name="Agree to a recording").press("Enter")
        await expect(student.locator("#recording-consent-said")).to_contain_text("have both agreed.")
        await expect(student.get_by_role("button", name="Take my consent back")).to_be_focused()
    seen.assert_only_fragments(("POST", "/recording-consent"))
    assert await windows.axe(student) == []

    mentors, row = await row_of(windows, 1)
    await keep(row, LINK)
    await expect(row.locator(".kept").last).to_contain_text("Kept until")
    await student.reload()
    await expect(student.get_by_role("link", name="Watch the recording")).to_have_attribute("href", LINK)
    await expect(student.locator(".facts")).to_contain_text("Kept until")
    await look(windows, student, "recording-kept")
    await look(windows, mentors, "recording-field")

    await student.get_by_role("button", name="Take my consent back and remove the link").click()
    await expect(student.get_by_text("the link to the recording is gone")).to_be_visible()
    await expect(student.get_by_role("link", name="Watch the recording")).to_have_count(0)
    await mentors.goto(path)
    await expect(mentors.locator(".history")).to_contain_text("Consent to a recording taken back")


async def test_without_scripts(windows: Windows) -> None:
    _, row = await row_of(windows, 2)
    path, mentee = await page_of(row), await mentee_of(row)
    page = await windows.open(mentee, javascript=False)
    await page.goto(path)
    await page.get_by_role("button", name="Agree to a recording").click()
    assert page.url.endswith(path)
    await expect(page.get_by_text("You agree to a recording of this session.")).to_be_visible()
    await page.get_by_role("button", name="Take my consent back").click()
    await expect(page.get_by_text("Your consent to a recording is taken back.")).to_be_visible()
    await expect(page.get_by_role("button", name="Agree to a recording")).to_be_visible()
