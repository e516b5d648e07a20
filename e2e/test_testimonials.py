"""A student writes a few words, an admin reads them, and everybody does."""

from __future__ import annotations

import re

import httpx
from playwright.async_api import expect

from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.waiting import until

STUDENT, ADMIN = "student-last@example.test", "admin@example.test"
PROFILE = "/instructors/ines-duarte"
WORDS = "I came with a ruler and left without one. My figures stand on their feet now. 🎨"


async def test_from_the_dashboard_to_the_landing_page(windows: Windows, control: httpx.AsyncClient) -> None:
    student = await windows.open(STUDENT, width=PHONE)
    await student.goto("/dashboard")
    await student.get_by_role("link", name="Write them about Inês Duarte").click()
    form = student.locator("#testimonial")
    async with fragments(student) as seen:
        await form.get_by_label("Your words").fill("Very good.")
        await form.get_by_role("button", name="Send").click()
        await expect(form.locator(".error")).to_contain_text("at least 50 characters; these are 10")
        await expect(form.get_by_label("Your words")).to_be_focused()
    seen.assert_only_fragments(("POST", "/testimonials"))
    assert await windows.axe(student) == []
    await form.get_by_label("Your words").fill(WORDS)
    await form.get_by_role("button", name="Send").click()
    await expect(student).to_have_url(re.compile("/dashboard$"))
    await expect(student.locator("main")).to_contain_text("The studio reads it first")
    await expect(student.get_by_role("link", name="Write them about Inês Duarte")).to_have_count(0)

    visitor = await windows.open(javascript=False)
    for path in ("/", PROFILE):
        await visitor.goto(path)
        await expect(visitor.locator(".quote").first).to_be_visible()
        await expect(visitor.locator("main")).not_to_contain_text(WORDS)

    admin = await windows.open(ADMIN)
    await admin.goto("/admin/testimonials")
    item = admin.locator(".decision").filter(has_text=WORDS)
    async with fragments(admin) as seen:
        await item.get_by_role("button", name="Approve the words of Jonas Weber").click()
        await expect(item).to_contain_text("Approved")
        await expect(admin.locator("#flash")).to_contain_text("everybody can read it now")
    seen.assert_only_fragments(("POST", "/decision"))
    assert await windows.axe(admin) == []

    for path in ("/", PROFILE):
        await visitor.goto(path)
        quote = visitor.locator(".quote").first
        await expect(quote).to_contain_text(WORDS)
        await expect(quote).to_contain_text("Jonas")
        await expect(quote).not_to_contain_text("Weber")

    async def told() -> str | None:
        items = (await control.get("/control/mailbox", params={"to": STUDENT})).json()["items"]
        found = [item["text"] for item in items if item["subject"].startswith("Your words about")]
        return found[0] if found else None

    assert f"{PROFILE}#testimonials" in await until(told)

    await student.goto("/dashboard")
    await student.get_by_role("link", name="Your words about Inês Duarte").click()
    await student.get_by_role("button", name="Take them back").click()
    await expect(student.locator("main")).to_contain_text("Your words about Inês Duarte are deleted.")
    await visitor.goto(PROFILE)
    await expect(visitor.locator("main")).not_to_contain_text(WORDS)
