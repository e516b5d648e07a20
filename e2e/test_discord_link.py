"""Linking Discord, with and without JavaScript: from the dashboard and the settings, refused where it must be, unlinked."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import Page, expect

from e2e.support.browser import PHONE, Windows
from e2e.support.discord import decide, member, roles
from e2e.support.looks import look
from e2e.support.newcomers import arrive
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

MENTOR = "mentor-nairobi@example.test"
MENTEE = "1000000000000000003"
SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])


async def has_roles(control: httpx.AsyncClient, user_id: str, *wanted: str) -> None:
    """Wait until a member has exactly these roles."""

    async def ask() -> bool | None:
        return await roles(control, user_id) == list(wanted) or None

    await until(ask)


@SCRIPTS
async def test_linked_from_the_dashboard_and_unlinked_in_the_settings(
    windows: Windows, platform: RunningPlatform, control: httpx.AsyncClient, javascript: bool
) -> None:
    newcomer = await arrive(platform, MENTOR, sessions=1)
    me = await member(control)
    page = await windows.open(session=newcomer.session, javascript=javascript, width=PHONE)
    await page.goto("/dashboard")
    step = page.locator("#checklist details", has_text="Discord")
    if not await step.get_by_role("link", name="Link Discord").is_visible():
        await step.locator("summary").click()
    await step.get_by_role("link", name="Link Discord").click()
    await decide(page, me["username"])
    await expect(page).to_have_url(re.compile(r"/dashboard$"))
    await expect(page.locator("#flash")).to_contain_text(
        f"Discord is linked: you are {me['username']} there."
    )
    await expect(page.locator("#checklist")).to_contain_text("1 of 4 done")
    await has_roles(control, me["id"], MENTEE)

    await page.goto("/settings")
    card = page.locator("#discord")
    await expect(card).to_contain_text(f"You are {me['username']} there")
    await card.get_by_role("link", name="Unlink Discord").click()
    question = page.locator("#dialog" if javascript else "main")
    await expect(question).to_contain_text(f"Unlink {me['username']}?")
    await question.get_by_role("link", name="Keep it").click()
    await expect(card).to_contain_text(me["username"])
    await card.get_by_role("link", name="Unlink Discord").click()
    await question.get_by_role("button", name="Unlink it").click()
    await expect(page.locator("#flash")).to_contain_text("Discord is unlinked.")
    await expect(card).to_contain_text("Not linked")
    await has_roles(control, me["id"])
    await page.goto("/dashboard")
    await expect(page.locator("#checklist")).to_contain_text("0 of 4 done")


@SCRIPTS
async def test_what_is_linked_elsewhere_or_declined_changes_nothing(
    windows: Windows, platform: RunningPlatform, control: httpx.AsyncClient, javascript: bool
) -> None:
    me, own = await member(control), await member(control)
    first, second = await arrive(platform, MENTOR), await arrive(platform, MENTOR)
    theirs = await windows.open(session=first.session, javascript=javascript)
    await theirs.goto("/settings")
    await link(theirs, me["username"])
    await expect(theirs.locator("#flash")).to_contain_text("Discord is linked")
    mine = await windows.open(session=second.session, javascript=javascript)
    await mine.goto("/settings")
    await link(mine, me["username"])
    await expect(mine.locator("#flash")).to_contain_text("linked to somebody else here")
    await expect(mine.locator("#discord")).to_contain_text("Not linked")
    await link(mine, me["username"], allow=False)
    await expect(mine.locator("#flash")).to_contain_text("You said no at Discord. Nothing was changed.")
    await link(mine, own["username"])
    await expect(mine.locator("#discord")).to_contain_text(own["username"])
    await mine.go_back()  # to the consent page, whose answer was taken
    await decide(mine, own["username"])
    await expect(mine.locator("#flash")).to_contain_text(f"you are {own['username']} there")
    await expect(theirs.locator("#discord")).to_contain_text(me["username"])


async def link(page: Page, username: str, *, allow: bool = True) -> None:
    await page.locator("#discord").get_by_role("link", name="Link Discord").click()
    await decide(page, username, allow=allow)


async def test_an_instructor_is_told_that_messages_are_closed(
    windows: Windows, platform: RunningPlatform, control: httpx.AsyncClient
) -> None:
    """Theirs are closed at Discord: a message that finds out comes by mail, and the card says what to do."""
    me = await member(control, open=False)
    page = await windows.open(MENTOR)
    await page.goto("/settings")
    await look(windows, page, "discord-not-linked")
    await link(page, me["username"])
    await look(windows, page, "discord-linked")
    await arrive(platform, MENTOR, sessions=1)  # which the instructor is told of

    async def closed() -> bool | None:
        await page.goto("/settings")
        return await page.locator("#discord", has_text="Messages closed").count() == 1 or None

    await until(closed)
    await expect(page.locator("#discord")).to_contain_text("mails come instead")
    await look(windows, page, "discord-closed")
    await page.locator("#discord").get_by_role("link", name="Unlink Discord").click()
    await expect(page.locator("#dialog")).to_contain_text("Unlink")
    await look(windows, page, "discord-unlink")
    await page.locator("#dialog").get_by_role("button", name="Unlink it").click()
    await expect(page.locator("#discord")).to_contain_text("Not linked")
