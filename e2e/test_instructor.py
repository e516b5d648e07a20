"""A mentor runs sessions inline, and sees at once what a student would be offered."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, Route, expect

from e2e.support.browser import Windows
from e2e.support.htmx import fragments
from e2e.support.recordings import both_agree

MENTOR = "mentor-nairobi@example.test"


async def held_row(page: Page) -> str:
    """The id of a row that was held and can be undone."""
    await page.goto("/instructor/sessions?status=completed")
    row = page.locator("article.session-row").first
    return await row.get_attribute("id") or ""


async def opened(windows: Windows, row_id: str) -> tuple[Page, Locator]:
    """Another tab of the mentor's with that row's notes open."""
    page = await windows.open(MENTOR, time_zone="Africa/Nairobi")
    await page.goto("/instructor/sessions")
    row = page.locator(f"#{row_id}")
    await row.locator("summary").click()
    return page, row


async def count(page: Page, name: str) -> int:
    return int(await page.locator(f"#count-{name}").inner_text())


async def test_status_notes_and_link_are_edited_inline(windows: Windows) -> None:
    page = await windows.open(MENTOR, time_zone="Africa/Nairobi")
    row = page.locator(f"#{await held_row(page)}")
    await both_agree(windows, row)
    completed, no_show = await count(page, "completed"), await count(page, "no_show")
    async with fragments(page) as seen:
        await row.locator("summary").click()
        notes = row.get_by_label("Notes", exact=True)
        await notes.fill("Half a thought")
        await row.get_by_role("button", name="No-show").click()
        await expect(row.locator(".session-state")).to_contain_text("No-show")
        await expect(notes).to_have_value("Half a thought")
        await expect(page.locator("#count-completed")).to_have_text(str(completed - 1))
        await expect(page.locator("#count-no_show")).to_have_text(str(no_show + 1))
        await row.get_by_role("button", name="Undo").click()
        await expect(row.locator(".session-state")).to_contain_text("Scheduled")
        await expect(page.locator("#count-no_show")).to_have_text(str(no_show))
        await row.get_by_role("button", name="Completed").click()
        await expect(page.locator("#count-completed")).to_have_text(str(completed))
        await row.get_by_label("Recording link").fill("ftp://nowhere")
        await row.get_by_role("button", name="Save link").click()
        await expect(row.locator("[aria-invalid=true]")).to_have_count(1)
        await row.get_by_label("Recording link").fill("https://example.com/r")
        await row.get_by_role("button", name="Save link").click()
        await expect(row.locator("summary")).to_contain_text("recording")
        await expect(row.locator("[aria-invalid=true]")).to_have_count(0)
    seen.assert_only_fragments(("POST", "/status"), ("POST", "/notes"), ("POST", "/recording"))
    assert await windows.axe(page) == []


async def test_notes_save_themselves_while_they_are_typed(windows: Windows) -> None:
    page = await windows.open(MENTOR, time_zone="Africa/Nairobi")
    row_id = await held_row(page)
    row = page.locator(f"#{row_id}")
    await row.locator("summary").click()
    notes = row.get_by_label("Notes", exact=True)
    async with fragments(page) as seen:
        await notes.fill("")
        await notes.press_sequentially("Three panels, ", delay=20)
        await expect(row.get_by_text("Saved", exact=True)).to_be_visible()
        await notes.press_sequentially("then silence. <b>Not bold</b>", delay=20)
        await expect(notes).to_be_focused()
        await expect(row.get_by_text("Saved", exact=True)).to_be_visible()
        await notes.press_sequentially(" End.")
        await notes.blur()
        await expect(row.get_by_text("Saved", exact=True)).to_be_visible()
    seen.assert_only_fragments(("POST", "/notes"))
    assert all("<textarea" not in body for *_, body in seen.answers)
    await expect(notes).to_have_value("Three panels, then silence. <b>Not bold</b> End.")
    _, again = await opened(windows, row_id)
    await expect(again.get_by_label("Notes", exact=True)).to_have_value(await notes.input_value())


@pytest.mark.parametrize("choice", ["Keep mine", "Take theirs"])
async def test_of_two_tabs_the_second_is_told(windows: Windows, choice: str) -> None:
    page = await windows.open(MENTOR, time_zone="Africa/Nairobi")
    row_id = await held_row(page)
    (_, first), (other, second) = await opened(windows, row_id), await opened(windows, row_id)
    mine, theirs = f"Second tab, {choice}", f"First tab, {choice}"
    await first.get_by_label("Notes", exact=True).fill(theirs)
    await expect(first.get_by_text("Saved", exact=True)).to_be_visible()
    notes = second.get_by_label("Notes", exact=True)
    await notes.fill(mine)
    told = second.get_by_role("alert")
    await expect(told).to_contain_text("changed meanwhile by you, in another window")
    await expect(told).to_contain_text(theirs)
    await expect(notes).to_have_value(mine)
    assert await windows.axe(other) == []
    await second.get_by_role("button", name=choice).click()
    await expect(told).to_have_count(0)
    kept = mine if choice == "Keep mine" else theirs
    await expect(notes).to_have_value(kept)
    await expect(notes).to_be_focused()
    _, third = await opened(windows, row_id)
    await expect(third.get_by_label("Notes", exact=True)).to_have_value(kept)
    await notes.press_sequentially("!")
    await expect(second.get_by_text("Saved", exact=True)).to_be_visible()


async def test_without_javascript_the_second_tab_is_told_too(windows: Windows) -> None:
    tabs = [await windows.open(MENTOR, javascript=False) for _ in range(2)]
    row_id = await held_row(tabs[0])
    for number, tab in enumerate(tabs):
        await tab.goto("/instructor/sessions")
        await tab.locator(f"#{row_id} summary").click()
        await tab.locator(f"#{row_id}").get_by_label("Notes", exact=True).fill(f"Plain {number}")
    for tab in tabs:
        await tab.locator(f"#{row_id}").get_by_role("button", name="Save notes").click()
    row = tabs[1].locator(f"#{row_id}")
    await expect(row).to_contain_text("Plain 0")
    await expect(row.get_by_label("Notes", exact=True)).to_have_value("Plain 1")
    await row.get_by_role("button", name="Keep mine").click()
    await expect(tabs[1].locator("#flash")).to_contain_text("Notes saved.")


async def test_a_save_without_an_answer_says_so_and_loses_nothing(windows: Windows) -> None:
    page = await windows.open(MENTOR, time_zone="Africa/Nairobi")
    row_id = await held_row(page)
    row = page.locator(f"#{row_id}")
    await row.locator("summary").click()
    notes = row.get_by_label("Notes", exact=True)

    async def swallow(route: Route) -> None:
        await route.fetch()  # the server has kept it, but its answer is lost
        await route.abort()

    await page.route("**/notes", swallow, times=1)
    await notes.fill("Lost on its way")
    await expect(row).to_contain_text("Not saved. No answer came back. Your text is still here.")
    await page.route("**/notes", lambda route: route.abort(), times=1)  # this one doesn't even arrive
    async with page.expect_event("requestfailed"):
        await notes.press_sequentially(",")
    asked: list[str] = []
    page.once("dialog", lambda dialog: asked.append(dialog.type) or dialog.dismiss())  # type: ignore[func-returns-value]
    await page.route("**/notes", lambda route: route.fulfill(status=503, body="<p>Not now.</p>"), times=1)
    await page.evaluate("location.assign('/settings')")
    await expect(row).to_contain_text("Not saved. Not now. Your text is still here.")
    assert asked == ["beforeunload"]
    await notes.press_sequentially(" found again")
    await expect(row.get_by_text("Saved", exact=True)).to_be_visible()
    _, again = await opened(windows, row_id)
    await expect(again.get_by_label("Notes", exact=True)).to_have_value("Lost on its way, found again")
    assert any("htmx:error" in said for said in windows.complaints.found)
    windows.complaints.found.clear()  # the failures above were ours


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
