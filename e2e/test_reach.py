"""What reaches people, and how they say what does: settings, the way out of a mail, an address that turns mails away."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from e2e.support.browser import Windows
from e2e.support.htmx import fragments
from e2e.support.looks import look
from e2e.support.newcomers import Newcomer, arrive
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

MENTOR = "mentor@example.test"
KIND = "Sessions were added for you"
SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])


async def mail_to(control: httpx.AsyncClient, person: Newcomer) -> dict[str, Any]:
    """The first mail to somebody, waited for."""

    async def first() -> dict[str, Any] | None:
        items = (await control.get("/control/mailbox", params={"to": person.email})).json()["items"]
        return items[0] if items else None

    return await until(first)


@SCRIPTS
async def test_a_student_chooses_what_reaches_them(
    windows: Windows, platform: RunningPlatform, javascript: bool
) -> None:
    person = await arrive(platform, MENTOR)
    page = await windows.open(session=person.session, javascript=javascript)
    await page.goto("/settings")
    section = page.locator("#notifications")
    mail = section.get_by_role("checkbox", name=f"E-mail: {KIND}")
    discord = section.get_by_role("checkbox", name=f"Discord: {KIND}")
    await section.locator("summary", has_text="Packs").click()
    await expect(section).to_contain_text("begin once your account there is linked")
    async with fragments(page) as seen:
        await mail.uncheck()
        if javascript:
            await expect(section.locator(".saved")).to_have_text("Saved")
        else:
            await section.get_by_role("button", name="Save").click()
    if javascript:
        seen.assert_only_fragments(("POST", "/settings/notifications"))
        assert await mail.evaluate("box => box === document.activeElement"), (
            "whoever uses the keyboard goes on here"
        )
    await page.goto("/settings")
    await expect(mail).not_to_be_checked()
    await expect(discord).to_be_checked()
    await expect(section).to_contain_text("always reach you")
    if javascript:
        await look(windows, page, "what-reaches-you")


async def test_a_mail_can_be_turned_off_without_signing_in(
    windows: Windows, platform: RunningPlatform, control: httpx.AsyncClient
) -> None:
    person = await arrive(platform, MENTOR, sessions=4)
    mail = await mail_to(control, person)
    link = mail["headers"]["List-Unsubscribe"].strip("<>")
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in mail["text"]
    page = await windows.open()
    await page.goto(link)
    await expect(page.locator("main")).to_contain_text(f"n…@{person.email.partition('@')[2]}")
    await look(windows, page, "unsubscribe")
    await page.get_by_role("button", name="Turn them off").click()
    await expect(page.locator("h1")).to_have_text("Turned off")
    await look(windows, page, "unsubscribe-off")
    own = await windows.open(session=person.session)
    await own.goto("/settings")
    packs = own.locator("#notifications details", has_text="Packs")
    await expect(packs).to_have_attribute("open", "")
    box = own.get_by_role("checkbox", name=f"E-mail: {KIND}")
    await expect(box).not_to_be_checked()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("h1")).to_have_text("As before")
    await own.reload()
    await packs.locator("summary").click()
    await expect(box).to_be_checked()
    async with httpx.AsyncClient() as program:  # a mail program presses the button of its own
        answer = await program.post(link, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    await own.reload()
    await expect(box).not_to_be_checked()


@pytest.mark.parametrize("who", ["themselves", "an admin"])
async def test_an_address_that_turned_a_mail_away_is_tried_again(
    windows: Windows, platform: RunningPlatform, control: httpx.AsyncClient, who: str
) -> None:
    person = await arrive(platform, MENTOR, sessions=4)
    mail = await mail_to(control, person)
    post_office = await windows.open()
    await post_office.goto(f"{platform.sandbox}/mailbox/{mail['id']}")
    await post_office.get_by_role("button", name="Let it come back for good").click()
    await expect(post_office.locator("main")).to_contain_text("It came back.")
    own = await windows.open(session=person.session)
    banner = own.locator("#notifications .banner")

    async def is_told() -> bool | None:
        await own.goto("/settings")
        return await banner.count() > 0 or None

    await until(is_told)
    await expect(banner).to_contain_text(f"No mail is sent to {person.email}")
    if who == "themselves":
        await look(windows, own, "mail-paused")
        await banner.get_by_role("button", name="Send to it again").click()
        await expect(own.locator("#notifications")).to_contain_text("The next mail goes to")
    else:
        admin = await windows.open("admin@example.test")
        await admin.goto("/admin/jobs")
        line = admin.locator("#paused + p + ul li").filter(has_text=person.email)
        await expect(line).to_contain_text("Turned a mail away for good")
        await line.get_by_role("link", name=person.name).click()
        await expect(admin.locator(".facts")).to_contain_text("Stopped on")
        await look(windows, admin, "mail-paused-admin")
        await admin.get_by_role("button", name="Try the address again").click()
        await expect(admin.locator("main")).to_contain_text("The next mail goes to them again.")
        await expect(admin.locator("main")).to_contain_text("had mails sent to an address again")
    await own.goto("/settings")
    await expect(banner).to_have_count(0)
