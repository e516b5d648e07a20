"""An admin finds instructors, opens their rows, shares what is seen, and takes every relation along as a file."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from playwright.async_api import Locator, Page, expect

from e2e.support.browser import Windows
from e2e.support.htmx import fragments
from e2e.support.platform import RunningPlatform
from tests.support import rfc4180

ADMIN = "admin@example.test"
LISBON, KOLKATA = "mentor@example.test", "mentor-kolkata@example.test"
RELATIONS = """
    select m.email::text, s.email::text
      from (select mentor_id, student_id from session_packs
             union select mentor_id, student_id from seat_reservations where status in ('active', 'grace')) pairs
      join users m on m.id = mentor_id join users s on s.id = student_id
"""


def row(page: Page, email: str) -> Locator:
    """The part of the table that is about the instructor with that address."""
    return page.locator("table.instructors > tbody").filter(
        has=page.get_by_role("cell", name=email, exact=True)
    )


def opened(page: Page) -> list[str]:
    """The rows that the address says are open."""
    return parse_qs(urlsplit(page.url).query).get("open", [])


async def test_rows_stay_open_over_reload_back_and_sharing(windows: Windows) -> None:
    page = await windows.open(ADMIN)
    await page.goto("/admin/instructors?sort=email")
    async with fragments(page) as seen:
        await page.get_by_label("Name or e-mail").fill("mentor")
        await page.wait_for_url(re.compile("q=mentor"))
        for number, email in enumerate((LISBON, KOLKATA), 1):
            await row(page, email).locator(".expander").click()
            await expect(row(page, email).locator("table.mentees")).to_be_visible()
            await expect(row(page, email).locator(".expander")).to_have_attribute("aria-expanded", "true")
            await expect(row(page, email).locator(".expander")).to_be_focused()
            assert len(opened(page)) == number
    seen.assert_only_fragments(("GET", "/mentees"), ("GET", "q=mentor"))
    shared = page.url
    await page.reload()
    await expect(page.locator("table.mentees")).to_have_count(2)
    await expect(row(page, LISBON)).to_contain_text("student@example.test")
    other = await windows.open(ADMIN)
    await other.goto(shared)
    await expect(other.locator("table.mentees")).to_have_count(2)
    await page.go_back()
    await expect(page.locator("table.mentees")).to_have_count(1)
    assert len(opened(page)) == 1
    await page.go_forward()
    await expect(page.locator("table.mentees")).to_have_count(2)


async def test_by_keyboard_a_row_opens_and_closes(windows: Windows) -> None:
    page = await windows.open(ADMIN)
    await page.goto("/admin/instructors?sort=email")
    toggle = row(page, LISBON).locator(".expander")
    async with fragments(page) as seen:
        await toggle.focus()
        await page.keyboard.press("Enter")
        await expect(row(page, LISBON).locator("table.mentees")).to_be_visible()
        assert len(opened(page)) == 1
        await page.keyboard.press("Enter")
        await expect(row(page, LISBON).locator("table.mentees")).to_have_count(0)
        assert opened(page) == []
        await expect(toggle).to_be_focused()
    seen.assert_only_fragments(("GET", "/mentees"))


async def test_sorting_keeps_what_was_opened_meanwhile(windows: Windows) -> None:
    page = await windows.open(ADMIN)
    await page.goto("/admin/instructors")
    await row(page, LISBON).locator(".expander").click()
    await expect(page.locator("table.mentees")).to_have_count(1)
    async with fragments(page) as seen:
        await page.get_by_role("link", name="Sessions completed").click()
        await expect(page.locator("th[aria-sort=descending]")).to_contain_text("Sessions completed")
    seen.assert_only_fragments(("GET", "sort=-sessions_completed"))
    await expect(page.locator("table.mentees")).to_have_count(1)
    assert len(opened(page)) == 1
    await page.get_by_label("Name or e-mail").fill("mentor")
    await page.wait_for_url(re.compile("q=mentor"))
    await expect(page.locator("th[aria-sort=descending]")).to_contain_text("Sessions completed")
    await expect(page.locator("table.mentees")).to_have_count(1)
    await page.go_back()
    await expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Name")
    await expect(page.locator("table.mentees")).to_have_count(1)


async def test_without_scripts(windows: Windows) -> None:
    page = await windows.open(ADMIN, javascript=False)
    await page.goto("/admin/instructors")
    await page.get_by_label("Name or e-mail").fill("mentor")
    await page.get_by_role("button", name="Search").click()
    await row(page, LISBON).locator(".expander").click()
    await expect(row(page, LISBON)).to_contain_text("student@example.test")
    await page.get_by_role("link", name="Open seats").click()
    await expect(page.locator("table.mentees")).to_have_count(1)
    await row(page, LISBON).locator(".expander").click()
    await expect(page.locator("table.mentees")).to_have_count(0)


@pytest.mark.parametrize("mark", [False, True], ids=["plain", "with a mark"])
async def test_the_file_has_every_relation_once(
    windows: Windows, platform: RunningPlatform, tmp_path: Path, mark: bool
) -> None:
    page = await windows.open(ADMIN)
    await page.goto("/admin/instructors")
    if mark:
        await page.get_by_label("byte order mark").check()
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Export CSV").click()
    file = tmp_path / "relations.csv"
    await (await coming.value).save_as(file)
    text = file.read_bytes().decode("utf-8-sig" if mark else "utf-8")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf") == mark
    read = rfc4180.parse(text)
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == read
    pairs = [(line[0], line[1]) for line in read[1:]]
    with psycopg.connect(platform.env["DATABASE_SERVICE_URL"]) as connection:
        expected = connection.execute(RELATIONS).fetchall()
    assert len(pairs) > 10
    assert sorted(pairs) == sorted(expected)
