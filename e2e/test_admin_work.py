"""An admin at work: a job tried again, sessions and seats set right by hand, students brought over from a file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from playwright.async_api import Page, expect

from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.newcomers import arrive, enroll
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

ADMIN, MENTOR = "admin@example.test", "mentor@example.test"
COLUMNS = "student_email,student_name,mentor_email,total_sessions,remaining_sessions,expires_on,reference"


async def sql(platform: RunningPlatform, statement: str, **values: Any) -> Any:
    """Arrange or ask the platform's database."""
    database = Database(Settings.from_env(platform.env))
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            result: Any = await uow.session.execute(sa.text(statement), values)
            rows = result.all() if result.returns_rows else []
            await uow.commit()
            return rows
    finally:
        await database.dispose()


async def email_of(platform: RunningPlatform, session: str) -> str:
    """Who a fresh session belongs to: whoever came last."""
    rows = await sql(
        platform,
        "select u.email from users u join web_sessions s on s.user_id = u.id order by s.created_at desc",
    )
    assert session
    return str(rows[0].email)


async def person(page: Page, email: str) -> None:
    """Open somebody's page, from the list."""
    await page.goto(f"/admin/students?q={email}")
    await page.locator("#students tbody a").first.click()
    await expect(page.locator("#user-packs")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_job_that_gave_up_is_tried_again_and_done(
    windows: Windows, platform: RunningPlatform, javascript: bool
) -> None:
    event_id = uuid4()
    await sql(
        platform,
        "insert into outbox (id, type, payload, key, state, attempts, starts, last_error, created_at, available_at)"
        " select :id, 'seats/offer', jsonb_build_object('mentor_id', u.id), :key, 'dead', 10, 10,"
        " 'TimeoutError: to inês@example.test', now(), now() from users u where u.email = :mentor",
        id=event_id,
        key=str(event_id),
        mentor=MENTOR,
    )
    page = await windows.open(ADMIN, javascript=javascript)
    await page.goto("/admin")
    await page.get_by_role("link", name="1 job gave up").click()
    row = page.locator(f"#job-{event_id}")
    await expect(row).to_contain_text("TimeoutError: to …")
    if javascript:
        async with fragments(page) as seen:
            await row.get_by_role("button").click()
            await expect(page.locator("#jobs")).to_contain_text("It is being tried again")
        seen.assert_only_fragments(("POST", f"/admin/jobs/{event_id}/retries"))
    else:
        await row.get_by_role("button").click()
        await expect(page.locator("#flash")).to_contain_text("It is being tried again")
    await expect(row).to_have_count(0)

    async def done() -> bool | None:
        (found,) = await sql(platform, "select state from outbox where id = :id", id=event_id)
        return True if found.state == "done" else None

    await until(done)
    await page.reload()
    await expect(page.locator("#jobs")).to_contain_text("Nothing gave up")


async def test_sessions_are_adjusted_on_a_persons_page(windows: Windows, platform: RunningPlatform) -> None:
    email = await email_of(platform, await enroll(platform, MENTOR, sessions=4))
    page, other = await windows.open(ADMIN), await windows.open(ADMIN)
    for window in (page, other):
        await person(window, email)
        await window.get_by_role("link", name="Adjust of the pack").click()
        await window.fill("#how-many", "2")
        await window.fill("#reason", "Two lost in the storm")
    async with fragments(page) as seen:
        await page.get_by_role("button", name="Change the sessions").click()
        await expect(page.locator("#user-packs")).to_contain_text("6 of 6 sessions left")
        await expect(page.locator("#dialog")).not_to_be_visible()
    seen.assert_only_fragments(("POST", "/adjustment"))
    await expect(page.locator("#user-packs")).to_contain_text("Both have been written to.")
    await other.get_by_role("button", name="Change the sessions").click()
    await expect(other.locator("#dialog")).to_contain_text("6 sessions are left by now, not 4.")
    await expect(other.locator("#reason")).to_have_value("Two lost in the storm")
    await other.select_option("#change", "remove")
    await other.fill("#how-many", "5")
    await other.get_by_role("button", name="Change the sessions").click()
    await expect(other.locator("#user-packs")).to_contain_text("1 of 1 session left")
    await other.get_by_role("link", name="1 of 1 session left").click()
    await expect(other.locator(".ledger")).to_contain_text("Two lost in the storm")


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_seat_is_released_and_given_again(
    windows: Windows, platform: RunningPlatform, javascript: bool
) -> None:
    email = await email_of(platform, await enroll(platform, MENTOR, sessions=2))
    page = await windows.open(ADMIN, javascript=javascript)
    await person(page, email)
    await page.get_by_role("link", name="Release the seat").click()
    await expect(page.locator("form.confirm")).to_contain_text("2 sessions are left.")
    await page.get_by_role("button", name="Release the seat").click()
    await expect(page.locator("#reason-error")).to_be_visible()
    await page.fill("#reason", "Wants to pause")
    await page.get_by_role("button", name="Release the seat").click()
    await expect(page.locator("#user-packs")).not_to_contain_text("Seat with")
    await page.get_by_role("link", name="Give a seat").click()
    await page.fill("#mentor-email", MENTOR)
    await page.fill("#reason", "Is back")
    await page.get_by_role("button", name="Give the seat").click()
    await expect(page.locator("#user-packs")).to_contain_text("Seat with Inês Duarte")


@pytest.mark.parametrize(("javascript", "width"), [(True, 1280), (False, PHONE)])
async def test_students_are_brought_over_from_a_file(
    windows: Windows, platform: RunningPlatform, tmp_path: Path, javascript: bool, width: int
) -> None:
    for _ in range(2):
        await arrive(platform, MENTOR)  # whose seats they don't take
    mark, day = uuid4().hex[:8], (clock.now() + timedelta(days=90)).date()
    rows = [
        f"ana-{mark}@example.test;Ana;{MENTOR};4;3;{day};",
        f'bo-{mark}@example.test;"Bo; of Oslo";{MENTOR};4;9;{day};',
    ]
    page = await windows.open(ADMIN, javascript=javascript, width=width)

    async def choose(*lines: str) -> None:
        path = tmp_path / "students.csv"
        path.write_text("\r\n".join([COLUMNS.replace(",", ";"), *lines]), encoding="utf-16")
        await page.goto("/admin/onboarding")
        await page.set_input_files("#file", path)
        await page.get_by_role("button", name="Show what it would do").click()

    await choose(*rows)
    await expect(page.locator("main")).to_contain_text("1 row is wrong, so nothing can be imported")
    await expect(page.locator(".is-wrong").first).to_contain_text("More than the 4 of the whole pack")
    mended = [rows[0], rows[1].replace(";9;", ";1;")]
    await choose(*mended)
    await expect(page.locator("main")).to_contain_text("2 packs to import, 2 new accounts")
    if javascript:
        for size in (width, PHONE):
            await page.set_viewport_size({"width": size, "height": 800})
            assert await windows.axe(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await page.get_by_role("button", name="Import them all").click()
    await expect(page.locator("#flash")).to_contain_text("2 packs imported, 2 accounts made.")
    await choose(*mended)
    await expect(page.locator("main")).to_contain_text("Every row is there already")
    await person(page, f"bo-{mark}@example.test")
    await expect(page.locator("h1")).to_have_text("Bo; of Oslo")
    await expect(page.locator("#user-packs")).to_contain_text("1 of 4 sessions left")
    found = await sql(
        platform,
        "select count(*) from session_packs k join users u on u.id = k.student_id where u.email like :mark",
        mark=f"%-{mark}@example.test",
    )
    assert found[0][0] == 2


async def test_mentor_and_admin_edit_one_session_and_nothing_is_lost(
    windows: Windows, platform: RunningPlatform
) -> None:
    email = await email_of(platform, await enroll(platform, MENTOR, sessions=2))
    session_id = uuid4()
    start = clock.now() - timedelta(days=400, hours=uuid4().int % 5000)
    await sql(
        platform,
        "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at,"
        " version, notes, recording_consent, event_generation, event_sync)"
        " select :id, k.mentor_id, k.student_id, k.id, 'scheduled', :start, :end, tstzrange(:start, :end), :start, 0, '',"
        " false, 0, 'none' from session_packs k join users u on u.id = k.student_id where u.email = :email",
        id=session_id,
        start=start,
        end=start + timedelta(hours=1),
        email=email,
    )
    admin, mentor = await windows.open(ADMIN), await windows.open(MENTOR)
    await mentor.goto("/instructor/sessions")
    await admin.goto(f"/sessions/{session_id}")
    await admin.get_by_role("link", name="Set it right").click()
    row = mentor.locator(f"#session-{session_id}")
    await row.locator("summary").click()
    await row.locator("textarea").fill("Hands, then faces.")
    await expect(row).to_contain_text("Saved")
    async with fragments(admin) as seen:
        await admin.locator("textarea").fill("Written by the admin.")
        await expect(admin.locator(".meanwhile")).to_contain_text("Hands, then faces.")
        await expect(admin.locator(".meanwhile")).to_contain_text("changed meanwhile by Inês Duarte")
        await expect(admin.locator("textarea")).to_have_value("Written by the admin.")
    seen.assert_only_fragments(("POST", f"/admin/sessions/{session_id}/notes"))
    await row.get_by_role("button", name="Completed").click()
    await expect(row.locator(".session-state")).to_contain_text("Completed")
    await admin.get_by_role("button", name="No-show").click()
    await expect(admin.locator("#main")).to_contain_text(
        "Meanwhile it was marked as completed by Inês Duarte"
    )
    await admin.get_by_role("button", name="Undo").click()
    await expect(admin.locator(".session-state")).to_contain_text("Scheduled")
    stored = await sql(platform, "select notes, status from sessions where id = :id", id=session_id)
    assert tuple(stored[0]) == ("Hands, then faces.", "scheduled")
