"""A student at home: what is left, what to renew, and how somebody new gets started."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import Page, expect

from e2e.support.browser import PHONE, Windows
from e2e.support.discord import decide, member
from e2e.support.htmx import fragments
from e2e.support.newcomers import arrive
from e2e.support.platform import RunningPlatform

LAST = "student-last@example.test"
SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])


async def test_the_student_with_one_session_left_renews(fresh_windows: Windows) -> None:
    page = await fresh_windows.open(LAST, time_zone="Europe/Berlin")
    await page.goto("/sign-in")  # leads home who is signed in
    await expect(page).to_have_url(re.compile(r"/dashboard$"))
    banner = page.locator(".banner-renew")
    await expect(banner).to_contain_text("One session left with Inês Duarte")
    assert await amber(page)
    assert await fresh_windows.axe(page) == []
    await banner.get_by_role("link", name="Renew with Inês Duarte").click()
    await page.locator("#packs a[href^='/checkout']").first.click()
    await page.get_by_role("button", name=re.compile("by card")).click()
    await page.wait_for_url(re.compile(r"/stripe/pay/cs_"))
    await page.locator("button[value=pay]").click()
    await expect(page.locator("h1")).to_have_text("Your pack is ready")
    await page.goto("/dashboard")
    await expect(page.locator(".figures div").first).to_contain_text(re.compile(r"Sessions left\s*5"))
    await expect(page.locator(".banner-renew")).to_have_count(0)


async def amber(page: Page) -> bool:
    """The banner's edge is the amber of the theme, which only asks to renew."""
    script = """() => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = "var(--amber)";
      const amber = getComputedStyle(probe).color;
      probe.remove();
      return getComputedStyle(document.querySelector(".banner-renew")).borderInlineStartColor === amber;
    }"""
    return bool(await page.evaluate(script))


@SCRIPTS
async def test_somebody_new_gets_started(
    windows: Windows, platform: RunningPlatform, control: httpx.AsyncClient, javascript: bool
) -> None:
    newcomer = await arrive(platform, "mentor-nairobi@example.test")
    page = await windows.open(
        session=newcomer.session, javascript=javascript, width=PHONE, time_zone="Europe/Lisbon"
    )
    await page.goto("/dashboard")
    await expect(page.locator("main")).to_contain_text("The artists you learn from will be here")
    checklist = page.locator("#checklist")
    await expect(checklist).to_contain_text("0 of 4 done")
    async with fragments(page) as seen:
        await checklist.get_by_label("About you").fill(" ")
        await checklist.get_by_role("button", name="Save").first.click()
        await expect(checklist.locator("#about-error")).to_contain_text(
            "Please write a few words about yourself"
        )
        await checklist.get_by_label("About you").fill("I draw what I see from the train.")
        await checklist.get_by_role("button", name="Save").first.click()
        await expect(checklist).to_contain_text("1 of 4 done")
        if javascript:
            assert await windows.axe(page) == []
    if javascript:
        seen.assert_only_fragments(("POST", "/dashboard/about"))
        await expect(checklist.get_by_label("Time zone")).to_have_value("Europe/Lisbon")
        await expect(checklist.locator("[data-zone-name]")).to_have_text("Europe/Lisbon")
    else:
        await expect(checklist.get_by_label("Time zone")).to_have_value("America/New_York")
    await checklist.get_by_role("button", name="That’s right").click()
    await expect(checklist).to_contain_text("2 of 4 done")
    if javascript:
        await expect(page.locator("footer")).to_contain_text("Times are shown in Europe/Lisbon")
    await checklist.get_by_label("Your goals").fill("To draw faster than the train.")
    await checklist.get_by_role("button", name="Save").last.click()
    await expect(checklist).to_contain_text("3 of 4 done")
    me = await member(control)
    await checklist.get_by_role("link", name="Link Discord").click()
    await decide(page, me["username"])
    await expect(checklist).to_contain_text("You are all set")
    await checklist.get_by_role("button", name="Finish").click()
    await expect(page.locator("#checklist")).to_have_count(0)
    await page.goto("/settings")
    await expect(page.get_by_label("Your goals")).to_have_value("To draw faster than the train.")


async def test_put_aside_and_taken_up_again(windows: Windows, platform: RunningPlatform) -> None:
    newcomer = await arrive(platform, "mentor-nairobi@example.test")
    page = await windows.open(session=newcomer.session)
    await page.goto("/dashboard")
    await page.get_by_role("button", name="Put this aside").click()
    await expect(page.locator("#checklist")).to_have_count(0)
    await expect(page.locator("main")).to_contain_text("You find it in your settings")
    await page.goto("/settings")
    await page.get_by_role("button", name=re.compile("Show “Getting started”")).click()
    await expect(page.locator("#checklist")).to_be_visible()
