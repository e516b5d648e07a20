"""A mentor sells packs, people wait for a seat, and a seat that is free finds who waited longest."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from app.core.db import Database
from app.core.rls import ServiceDoor
from app.packs import seats
from app.settings import Settings
from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

MENTOR = "mentor-guadalajara@example.test"
SOLD_OUT = "/instructors/meera-banerjee"
SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])


@SCRIPTS
async def test_a_mentor_sells_changes_and_withdraws_a_pack(windows: Windows, javascript: bool) -> None:
    title = "Ten mornings" if javascript else "Nine mornings"
    page = await windows.open(MENTOR, javascript=javascript)
    await page.goto("/instructor/products")
    async with fragments(page) as seen:
        await page.locator(".product-new > summary").click()
        form = page.locator(".product-new form")
        await form.get_by_label("Title").fill(title)
        await form.get_by_label("Price").fill("99.999")
        await form.get_by_label("Sessions").fill("10")
        await form.get_by_role("button", name="Put it on sale").click()
        await expect(page.locator("#new-price-error")).to_contain_text("at most 2 decimals")
        await expect(page.locator("#new-price")).to_be_focused()
        await page.locator("#new-price").fill("1,250.50")
        await page.locator(".product-new form").get_by_role("button", name="Put it on sale").click()
        row = page.locator("article.product").filter(has_text=title)
        await expect(row.locator(".product-price")).to_have_text("$1,250.50")
        await row.locator("summary").click()
        await row.get_by_label("Price").fill("1300")
        await row.get_by_role("button", name="Save").click()
        await expect(row.locator(".product-price")).to_have_text("$1,300.00")
        await row.get_by_role("button", name=re.compile("Take off sale")).click()
        await expect(row.locator(".product-state")).to_have_text("Not on sale")
    if javascript:
        seen.assert_only_fragments(("POST", "/instructor/products"), ("POST", "/deactivation"))
    visitor = await windows.open()
    await visitor.goto("/instructors/tomas-herrera")
    await expect(visitor.locator("#packs")).to_contain_text("Four sessions")
    await expect(visitor.locator("#packs")).not_to_contain_text(title)


@SCRIPTS
async def test_a_student_waits_for_a_sold_out_mentor(windows: Windows, javascript: bool) -> None:
    student = "hana@example.test" if javascript else "lucas@example.test"
    page = await windows.open(student, javascript=javascript, width=PHONE)
    await page.goto(SOLD_OUT)
    async with fragments(page) as seen:
        await page.get_by_role("button", name="Join the waitlist").click()
        await expect(page.locator("main")).to_contain_text("You are number 4")
    if javascript:
        seen.assert_only_fragments(("POST", "/waitlist"))
        assert await windows.axe(page) == []
    await page.goto("/waitlist")
    place = page.locator("#places li")
    await expect(place).to_contain_text("Meera Banerjee")
    await expect(place).to_contain_text("You are number 4.")
    await place.get_by_role("button", name=re.compile("Leave")).click()
    await expect(place).to_have_count(0)
    await expect(page.locator("main")).to_contain_text("You are no longer on the waitlist.")
    await page.goto(SOLD_OUT)
    await expect(page.get_by_role("button", name="Join the waitlist")).to_be_visible()


async def release_first_seat(platform: RunningPlatform, mentor_email: str) -> None:
    """The first seat of the mentor's is free, as after the end of a grace; a worker sees to the rest."""
    database = Database(Settings.from_env(platform.env))
    try:
        async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
            query = (
                "select s.mentor_id, s.student_id from seat_reservations s join users u on u.id = s.mentor_id"
                " where u.email = %(email)s and s.status = 'active' order by s.created_at limit 1"
            )
            row = await uow.fetch_one(query, {"email": mentor_email})
            assert row is not None
            pair = await seats.lock_pair(uow, row[0], row[1])
            assert pair.seat is not None
            await seats.release(uow, pair.seat)
    finally:
        await database.dispose()


async def mails_to(control: httpx.AsyncClient, address: str, words: str) -> list[str] | None:
    """Subjects of mails to somebody that hold `words`; None if there are none yet."""
    items = (await control.get("/control/mailbox", params={"to": address})).json()["items"]
    return [item["subject"] for item in items if words in item["subject"]] or None


async def test_a_free_seat_is_offered_to_the_first_and_then_to_the_next(
    fresh_windows: Windows, fresh_platform: RunningPlatform
) -> None:
    first = await fresh_windows.open("tariq@example.test")
    second = await fresh_windows.open("chloe@example.test", width=PHONE)
    await second.goto(SOLD_OUT)
    await expect(second.locator("#packs")).to_contain_text("You are number 2 on the waitlist")
    await release_first_seat(fresh_platform, "mentor-kolkata@example.test")
    async with httpx.AsyncClient(base_url=fresh_platform.sandbox, timeout=120) as control:
        kept = "is kept for you"
        assert len(await until(lambda: mails_to(control, "tariq@example.test", kept))) == 1
        await first.goto(SOLD_OUT)
        await expect(first.locator("#packs")).to_contain_text("A seat is kept for you")
        await expect(first.get_by_role("link", name=re.compile("Buy this pack"))).to_be_visible()
        for page in (first, second):
            assert await fresh_windows.axe(page) == []
        await second.reload()
        await expect(second.locator("#packs")).to_contain_text("You are number 1 on the waitlist")
        (await control.post("/control/clock", json={"advance": "PT24H"})).raise_for_status()
        assert len(await until(lambda: mails_to(control, "tariq@example.test", "no longer kept"))) == 1
        assert len(await until(lambda: mails_to(control, "chloe@example.test", kept))) == 1
    await second.reload()
    await expect(second.locator("#packs")).to_contain_text("A seat is kept for you")
    await first.reload()
    await expect(first.get_by_role("button", name="Join the waitlist")).to_be_visible()


async def test_a_mentor_takes_somebody_off_the_list_in_a_dialog(
    fresh_windows: Windows, fresh_platform: RunningPlatform
) -> None:
    page = await fresh_windows.open("mentor-kolkata@example.test", width=PHONE)
    await page.goto("/instructor/waitlist")
    await expect(page.locator(".waiting")).to_have_count(3)
    async with fragments(page) as seen:
        await page.get_by_role("link", name=re.compile("Remove.*Chloé Martin")).click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Take Chloé Martin off the waitlist?")
        assert await fresh_windows.axe(page) == []
        await dialog.get_by_role("button", name="Take them off").click()
        await expect(page.locator(".waiting")).to_have_count(2)
        await expect(dialog).not_to_be_visible()
    seen.assert_only_fragments(("GET", "/removal"), ("POST", "/removal"))
    async with httpx.AsyncClient(base_url=fresh_platform.sandbox, timeout=120) as control:
        words = "no longer on the waitlist of Meera Banerjee"
        assert len(await until(lambda: mails_to(control, "chloe@example.test", words))) == 1


async def test_a_statement_prints_without_what_is_for_the_screen(windows: Windows) -> None:
    page = await windows.open("student@example.test")
    await page.goto("/calendar")
    await page.get_by_role("link", name="Every session of this pack").click()
    await expect(page.get_by_role("button", name="Print")).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Print")).not_to_be_visible()
    await expect(page.locator(".site-nav")).not_to_be_visible()
    await expect(page.locator(".ledger")).to_be_visible()
    await expect(page.locator(".ledger tfoot")).to_contain_text("3")
