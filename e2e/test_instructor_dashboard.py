"""A mentor works on the dashboard: marks a session and sees the counts follow, asks to renew, keeps notes in two tabs."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.platform import RunningPlatform
from e2e.support.studios import Studio, open_studio
from e2e.support.waiting import until

HOME = "/instructor/dashboard"


@pytest.fixture
async def studio(platform: RunningPlatform) -> Studio:
    return await open_studio(platform)


async def at_home(windows: Windows, studio: Studio, **options: Any) -> tuple[Page, Locator]:
    """The dashboard, and the row of the session that waits to be marked."""
    page = await windows.open(session=studio.mentor, time_zone="UTC", **options)
    await page.goto(HOME)
    return page, page.locator(f"#session-{studio.session_id}")


async def expect_figures(page: Page, **wanted: int) -> None:
    for name, number in wanted.items():
        await expect(page.locator(f"#figure-{name}")).to_contain_text(str(number))


async def test_counts_follow_a_mark_without_reload_and_go_back_with_undo(
    windows: Windows, studio: Studio
) -> None:
    page, row = await at_home(windows, studio)
    await expect_figures(page, mentees=1, open=1, used=0, left=2)
    await expect(page.locator("#to-do")).to_contain_text("1 session to mark")
    async with fragments(page) as seen:
        await row.get_by_role("button", name="Completed").click()
        await expect(row.locator(".session-state")).to_contain_text("Completed")
        await expect_figures(page, used=1, left=1)
        await expect(page.locator("#to-do")).not_to_contain_text("to mark")
        await expect(page.locator("#low")).to_contain_text(studio.student_name)
        await expect(page.locator("#mentees .is-low")).to_contain_text("1 of 2")
        await expect(page.locator("#chart-sessions rect.bar-completed")).to_have_count(2)  # one in the legend
        await row.get_by_role("button", name="Undo").click()
        await expect(row.locator(".session-state")).to_contain_text("Scheduled")
        await expect_figures(page, used=0, left=2)
        await expect(page.locator("#to-do")).to_contain_text("1 session to mark")
        await expect(page.locator("#low")).not_to_contain_text(studio.student_name)
        await expect(page.locator("#chart-sessions rect.bar-completed")).to_have_count(0)
    seen.assert_only_fragments(("POST", "/status"), ("GET", f"{HOME}/figures"))
    assert await windows.axe(page) == []


async def test_without_scripts_a_mark_is_a_form(windows: Windows, studio: Studio) -> None:
    page, row = await at_home(windows, studio, javascript=False)
    await row.get_by_role("button", name="No-show").click()
    await page.goto(HOME)
    await expect(row.locator(".session-state")).to_contain_text("No-show")
    await expect_figures(page, used=1, left=1)


async def mails(control: httpx.AsyncClient, studio: Studio) -> list[dict[str, Any]]:
    box = await control.get("/control/mailbox", params={"to": studio.student_email})
    return [mail for mail in box.json()["items"] if mail["subject"].endswith("would like to go on")]


async def test_two_tabs_ask_to_renew_once(
    windows: Windows, studio: Studio, control: httpx.AsyncClient
) -> None:
    page, row = await at_home(windows, studio)
    await row.get_by_role("button", name="Completed").click()
    block = page.locator("#low")
    await expect(block).to_contain_text(studio.student_name)
    other, _ = await at_home(windows, studio, width=PHONE)
    async with fragments(page) as seen:
        await block.get_by_role("button", name="Ask to renew").click()
        await expect(block.get_by_role("button", name="Asked today")).to_be_disabled()
    seen.assert_only_fragments(("POST", "/renewal-request"))
    await other.locator("#low").get_by_role("button", name="Ask to renew").click()
    await expect(other.locator("#low").get_by_role("button", name="Asked today")).to_be_disabled()
    await page.reload()
    await expect(block.get_by_role("button", name="Asked today")).to_be_disabled()
    assert await windows.axe(page) == []

    async def arrived() -> dict[str, Any] | None:
        return next(iter(await mails(control, studio)), None)

    mail = await until(arrived)
    assert "You have 1 session left with Teacher" in mail["text"]
    assert "#packs" in mail["text"]
    assert len(await mails(control, studio)) == 1


async def test_without_scripts_asking_is_a_form(windows: Windows, studio: Studio) -> None:
    page, row = await at_home(windows, studio, javascript=False)
    await row.get_by_role("button", name="Completed").click()
    await page.goto(HOME)
    await page.locator("#low").get_by_role("button", name="Ask to renew").click()
    assert page.url.endswith(HOME)
    await expect(page.locator("#flash")).to_contain_text(f"We have written to {studio.student_name}.")
    await expect(page.locator("#low")).to_contain_text("Asked today")


async def notes_of(windows: Windows, studio: Studio, **options: Any) -> tuple[Page, Locator]:
    page = await windows.open(session=studio.mentor, time_zone="UTC", **options)
    await page.goto(f"/instructor/students/{studio.student_id}")
    return page, page.get_by_role("textbox", name="Your notes")


async def test_notes_save_themselves_while_they_are_typed(windows: Windows, studio: Studio) -> None:
    page, notes = await notes_of(windows, studio)
    saved = page.locator("#notes .saved")
    async with fragments(page) as seen:
        await notes.press_sequentially("Looks before drawing", delay=15)
        await expect(saved).to_have_text("Saved")
        await notes.press_sequentially(", and waits.", delay=15)
        await notes.blur()
        await expect(saved).to_have_text("Saved")
    seen.assert_only_fragments(("POST", "/notes"))
    assert all("<textarea" not in body for *_, body in seen.answers)
    _, again = await notes_of(windows, studio)
    await expect(again).to_have_value("Looks before drawing, and waits.")


@pytest.mark.parametrize("choice", ["Keep mine", "Take theirs"])
async def test_of_two_tabs_the_second_is_told_and_loses_nothing(
    windows: Windows, studio: Studio, choice: str
) -> None:
    (page, first), (other, second) = await notes_of(windows, studio), await notes_of(windows, studio)
    await first.fill("From the first tab")
    await expect(page.locator("#notes .saved")).to_have_text("Saved")
    await second.fill("From the second tab")
    told = other.locator("#notes [role=alert]")
    await expect(told).to_contain_text("Changed in another window")
    await expect(told).to_contain_text("From the first tab")
    await second.press_sequentially(", still typing")
    await expect(second).to_have_value("From the second tab, still typing")
    assert await windows.axe(other) == []
    await told.get_by_role("button", name=choice).click()
    await expect(told).to_have_count(0)
    kept = "From the second tab, still typing" if choice == "Keep mine" else "From the first tab"
    await expect(second).to_have_value(kept)
    _, third = await notes_of(windows, studio)
    await expect(third).to_have_value(kept)
    await second.press_sequentially("!")
    await expect(other.locator("#notes .saved")).to_have_text("Saved")


async def test_without_scripts_the_second_tab_is_told_too(windows: Windows, studio: Studio) -> None:
    (page, first), (other, second) = [await notes_of(windows, studio, javascript=False) for _ in range(2)]
    await first.fill("Plain one")
    await page.get_by_role("button", name="Save notes").click()
    await expect(page.locator("#flash")).to_contain_text("Notes saved.")
    await second.fill("Plain two")
    await other.get_by_role("button", name="Save notes").click()
    await expect(other.locator("#notes")).to_contain_text("Plain one")
    await expect(second).to_have_value("Plain two")
    await other.get_by_role("button", name="Keep mine").click()
    await expect(other.locator("#flash")).to_contain_text("Notes saved.")
    await expect(second).to_have_value("Plain two")


async def test_the_list_is_searched_as_one_types_and_the_address_keeps_it(windows: Windows) -> None:
    page = await windows.open("mentor@example.test")
    await page.goto("/instructor/students?show=all&sort=left")
    async with fragments(page) as seen:
        await page.get_by_label("Name of a mentee").press_sequentially("zo", delay=15)
        await expect(page.locator("#students tbody tr")).to_have_count(1)
    seen.assert_only_fragments(("GET", "/instructor/students"))
    await expect(page).to_have_url(re.compile(r"students\?(?=.*q=zo)(?=.*show=all)(?=.*sort=left)"))
    await page.reload()
    await expect(page.locator("#students tbody tr")).to_have_count(1)
    await page.locator("#students tbody a").click()
    await page.go_back()
    await expect(page.locator("#students tbody tr")).to_have_count(1)
