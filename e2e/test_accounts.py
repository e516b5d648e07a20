"""From signing up to leaving for good, with and without JavaScript; and the short way, by Google."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from e2e.support.browser import PHONE, Windows, sign_in
from e2e.support.htmx import fragments
from e2e.support.waiting import until

PASSWORD = "three plain words"
ZONE = "Asia/Tokyo"


async def mailed(control: httpx.AsyncClient, to: str) -> dict[str, Any]:
    """The first mail to an address."""

    async def ask() -> dict[str, Any] | None:
        items: list[dict[str, Any]] = (await control.get("/control/mailbox", params={"to": to})).json()[
            "items"
        ]
        return items[0] if items else None

    return await until(ask)


async def sign_up(page: Page, control: httpx.AsyncClient, email: str) -> None:
    """The form, the mail, the link, the first sign-in."""
    await page.goto("/sign-up")
    await page.fill("#name", "Zoë Tanaka")
    await page.fill("#email", email)
    await page.select_option("#time-zone", ZONE)
    await page.fill("#password", "short")
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.locator("#password-error")).to_contain_text("10 characters")
    await page.fill("#password", PASSWORD)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.locator("main")).to_contain_text(email)
    link = re.search(r"http://\S+/verify/\S+", (await mailed(control, email))["text"])
    assert link
    await page.goto(link.group())
    await page.get_by_role("button", name="Yes, confirm").click()
    await expect(page.locator("h1")).to_contain_text("settled")
    await sign_in(page, email, PASSWORD)


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
async def test_a_whole_account(windows: Windows, control: httpx.AsyncClient, javascript: bool) -> None:
    email = f"zoe-{'htmx' if javascript else 'plain'}@example.test"
    page = await windows.open(javascript=javascript, width=PHONE, time_zone=ZONE)
    await sign_up(page, control, email)
    await page.goto("/settings")
    await expect(page.locator("#time-zone")).to_have_value(ZONE)
    await page.select_option("#theme", "dark")
    await page.locator("#profile button").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.fill("#token-name", "a script")
    await page.get_by_role("button", name="Make a token").click()
    await expect(page.locator("#new-token")).to_have_text(re.compile("^mp_"))
    await page.get_by_role("button", name="Revoke a script").click()
    await expect(page.locator("#tokens table")).to_have_count(0)
    await page.get_by_role("link", name="Delete my account").click()
    await page.fill("#confirmation", "somebody@example.test")
    await page.get_by_role("button", name="Delete for good").click()
    await expect(page.locator("#confirmation-error")).to_be_visible()
    await page.fill("#confirmation", email)
    await page.get_by_role("button", name="Delete for good").click()
    await expect(page.locator("#flash")).to_contain_text("erased")
    await page.goto("/sign-in")
    await page.fill("#email", email)
    await page.fill("#password", PASSWORD)
    await page.locator("#sign-in button").click()
    await expect(page.locator("#sign-in [role=alert]")).to_be_visible()


async def test_a_refused_form_comes_back_as_a_fragment_with_the_focus(windows: Windows) -> None:
    page = await windows.open(time_zone=ZONE)
    await page.goto("/sign-up")
    await expect(page.locator("#time-zone")).to_have_value(ZONE)
    await page.fill("#name", "Zoë")
    await page.fill("#email", "nowhere")
    await page.fill("#password", PASSWORD)
    async with fragments(page) as seen:
        await page.get_by_role("button", name="Sign up").click()
        await expect(page.locator("#email-error")).to_be_visible()
        await expect(page.locator("#email")).to_be_focused()
    seen.assert_only_fragments(("POST", "/sign-up"))


async def test_continue_with_google(windows: Windows, control: httpx.AsyncClient) -> None:
    person = {"address": "nora@gmail.example", "name": "Nora Newcomer"}
    (await control.post("/control/google/accounts", json=person)).raise_for_status()
    page = await windows.open(time_zone=ZONE)
    await page.goto("/sign-in?next=/settings")
    await page.get_by_role("link", name="Continue with Google").click()
    await page.get_by_text(person["address"]).first.click()
    await page.get_by_role("button", name=re.compile("Allow|Continue")).first.click()
    await expect(page.locator("#flash")).to_contain_text(ZONE)
    await expect(page.locator("h1")).to_have_text("Settings")
    await expect(page.locator("#name")).to_have_value(person["name"])
    await expect(page.locator("#time-zone")).to_have_value(ZONE)
    await expect(page.locator("#identities")).to_contain_text(person["address"])
