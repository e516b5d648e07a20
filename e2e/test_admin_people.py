"""An admin looks after people: invites, is somebody else for a while, gives roles, deletes and restores; all is noted."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Page, expect

from e2e.support.browser import PHONE, Windows, sign_in
from e2e.support.htmx import fragments
from e2e.support.newcomers import arrive, enroll
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

ADMIN = "admin@example.test"
PASSWORD = "three plain words"
ZONE = "Asia/Tokyo"


async def mailed(control: httpx.AsyncClient, to: str, count: int = 1) -> list[dict[str, Any]]:
    """The mails to an address, once there are so many."""

    async def ask() -> list[dict[str, Any]] | None:
        answer = await control.get("/control/mailbox", params={"to": to})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items if len(items) >= count else None

    return await until(ask)


def link_in(mail: dict[str, Any]) -> str:
    """The invitation's address."""
    found = re.search(r"http://\S+/invitations/\S+", mail["text"])
    assert found, mail["text"]
    return found.group()


async def invite(page: Page, name: str, email: str, role: str) -> None:
    """Fill in the form, from the list of students."""
    await page.goto("/admin/students")
    await page.get_by_role("link", name="Invite somebody").click()
    await page.fill("#name", name)
    await page.fill("#email", email)
    await page.select_option("#role", role)
    await page.fill("#seats", "3")
    await page.get_by_role("button", name="Send the invitation").click()


async def person(page: Page, words: str) -> None:
    """Search for somebody and open their page."""
    await page.goto("/admin/students")
    await page.fill("#q", words)
    await page.get_by_role("button", name="Search").click()
    await page.locator("#students tr", has_text=words).get_by_role("link").first.click()
    await expect(page.locator(".facts")).to_contain_text(words)


async def confirm(page: Page, opener: str, button: str, **fields: str) -> None:
    """Open the dialog (or, without JavaScript, the page) of an act, fill it in and do it."""
    await page.get_by_role("link", name=opener).click()
    for name, value in fields.items():
        field = page.locator(f"#{name}")
        await (field.select_option(value) if name == "role" else field.fill(value))
    await page.get_by_role("button", name=button).click()


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
async def test_an_instructor_is_invited_and_takes_the_place(
    windows: Windows, control: httpx.AsyncClient, javascript: bool
) -> None:
    mark = uuid4().hex[:8]
    name, email = f"Grace {mark}", f"grace-{mark}@example.test"
    admin = await windows.open(ADMIN, javascript=javascript)
    await invite(admin, name, email, "mentor")
    await expect(admin.locator("#flash")).to_contain_text("on its way")
    await expect(admin.locator(".page-head")).to_contain_text("Invited")
    await admin.get_by_role("button", name="Send the invitation again").click()
    await expect(admin.locator("#flash")).to_contain_text("the link before has ended")
    old, new = sorted(
        await mailed(control, email, 2), key=lambda mail: mail.get("at", mail.get("created_at", ""))
    )
    guest = await windows.open(javascript=javascript, width=PHONE, time_zone=ZONE)
    answers = [await guest.goto(link_in(mail)) for mail in (old, new)]
    assert sorted(answer.status for answer in answers if answer) == [200, 410]
    works = new if answers[1] and answers[1].status == 200 else old
    await guest.goto(link_in(works))
    await expect(guest.locator("h1")).to_contain_text(f"Welcome, {name}")
    await guest.fill("#password", "short")
    await guest.select_option("#time-zone", ZONE)
    await guest.get_by_role("button", name="Take your place").click()
    await expect(guest.locator("#password-error")).to_contain_text("10 characters")
    await guest.fill("#password", PASSWORD)
    await guest.get_by_role("button", name="Take your place").click()
    await expect(guest.locator("#flash")).to_contain_text("Set your hours")
    await guest.goto("/instructor/settings")
    again = await windows.open(javascript=javascript)
    assert (await again.goto(link_in(works))).status == 410  # type: ignore[union-attr]
    await sign_in(again, email, PASSWORD)
    await again.goto(f"/instructors?q={mark}")
    await expect(again.locator("main")).to_contain_text(name)
    await admin.goto(f"/admin/instructors?q={mark}")
    await expect(admin.locator("main")).to_contain_text(email)


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
async def test_as_a_student_for_a_while(
    windows: Windows, platform: RunningPlatform, javascript: bool
) -> None:
    student = await arrive(platform, "mentor@example.test")
    page = await windows.open(javascript=javascript)
    await sign_in(page, ADMIN)
    await person(page, student.email)
    await page.get_by_role("link", name=f"Sign in as {student.name}").click()
    await page.get_by_role("button", name=f"Sign in as {student.name}").click()
    await expect(page.locator("#reason-error")).to_contain_text("Say why")
    await page.fill("#reason", "Looks for a pack")
    await page.get_by_role("button", name=f"Sign in as {student.name}").click()
    banner = page.get_by_role("region", name="Signed in as somebody else")
    await expect(page).to_have_url(re.compile("/dashboard$"))
    for path in ("/dashboard", "/settings", "/instructors/ines-duarte"):
        await page.goto(path)
        await expect(banner).to_contain_text(f"You are signed in as {student.name}")
    if javascript:
        assert await windows.axe(page) == []
    await page.goto("/settings")
    await page.select_option("#time-zone", ZONE)
    await page.locator("#profile button").click()
    await expect(page.locator("#flash")).to_contain_text("Saved")
    await page.fill("#token-name", "mine")
    await page.get_by_role("button", name="Make a token").click()
    await expect(page.locator("body")).to_contain_text("Only they can do this themselves")
    await page.goto("/dashboard")
    await banner.get_by_role("button", name="Go back to yourself").click()
    await expect(page.locator("#flash")).to_contain_text("You are yourself again")
    await expect(banner).to_have_count(0)
    await expect(page.locator("h1")).to_have_text(student.name)
    await page.goto("/admin/audit")
    log = page.locator(".entries")
    await expect(log).to_contain_text(f"signed in as somebody else: Account of {student.name}")
    await expect(log).to_contain_text("Looks for a pack")
    await expect(log).to_contain_text(f"as {student.name} (student) changed their profile")
    await expect(log).to_contain_text("time zone")


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
async def test_roles_deletion_and_restoration(
    windows: Windows, platform: RunningPlatform, javascript: bool
) -> None:
    student = await arrive(platform, "mentor@example.test")
    theirs = await windows.open(session=student.session)
    await theirs.goto("/settings")
    page = await windows.open(ADMIN, javascript=javascript)
    await person(page, student.email)
    if javascript:
        async with fragments(page) as seen:
            await page.get_by_role("link", name="Change the role").click()
            await expect(page.locator("dialog #role")).to_be_visible()
        seen.assert_only_fragments(("GET", "/role"))
        await page.get_by_role("link", name="Cancel").click()
    await confirm(page, "Change the role", "Change the role", role="mentor")
    await expect(page.locator("#flash")).to_contain_text("Now an instructor")
    await theirs.goto("/settings")
    await expect(theirs).to_have_url(re.compile("/sign-in"))
    await confirm(page, "Delete the account", "Delete it")
    await expect(page.locator("#flash")).to_contain_text("can be restored")
    await theirs.goto(f"/instructors?q={student.name}")
    await expect(theirs.locator("main")).to_contain_text("0 instructors found")
    await page.get_by_role("button", name="Restore the account").click()
    await expect(page.locator("#flash")).to_contain_text("back as it was")
    await theirs.goto(f"/instructors?q={student.name}")
    await expect(theirs.locator("main")).to_contain_text("1 instructor found")
    entries = page.locator(".entries")
    for words in ("changed a role", "student → mentor", "deleted an account", "restored an account"):
        await expect(entries).to_contain_text(words)


async def test_what_is_owed_stands_in_the_way(windows: Windows, platform: RunningPlatform) -> None:
    await enroll(platform, "mentor@example.test", sessions=2)
    page = await windows.open(ADMIN)
    await page.goto("/admin/students?sort=-joined&q=Newcomer")
    await page.locator("#students tbody tr", has_text="Inês").first.get_by_role("link").first.click()
    await page.get_by_role("link", name="Delete the account").click()
    async with fragments(page) as seen:
        await page.get_by_role("button", name="Delete it").click()
        await expect(page.locator("dialog [role=alert]")).to_contain_text("A pack still has sessions left")
        await expect(page.locator("dialog [role=alert]")).to_be_focused()
    seen.assert_only_fragments(("POST", "/deletion"))


async def test_the_log_is_filtered_and_the_address_keeps_it(windows: Windows) -> None:
    page = await windows.open(ADMIN)
    await page.goto("/admin/audit")
    await page.select_option("#action", "change_role")
    await page.get_by_role("button", name="Filter").click()
    await expect(page).to_have_url(re.compile("action=change_role"))
    await page.reload()
    await expect(page.locator("#action")).to_have_value("change_role")
    await page.get_by_role("link", name="All entries").first.click()
    await expect(page).to_have_url(re.compile("/admin/audit$"))
