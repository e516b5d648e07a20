"""A student was marked as absent and disputes it: the studio looks at who was in the room, and the session goes back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import Page, expect

from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.looks import look
from e2e.support.meetings import Meeting, arrange, sql
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

ADMIN = "admin@example.test"
WORDS = "I was in the room for twenty minutes and waited. Nobody came."
ANSWER = "You were there and waited, so it goes back to your pack. We are sorry."
_STAY = sa.text(
    "insert into session_visits (id, session_id, user_id, joined_at, seen_at, left_at)"
    " select gen_random_uuid(), id, student_id, scheduled_at, scheduled_at + interval '20 minutes',"
    " scheduled_at + interval '20 minutes' from sessions where id = :id"
)
_PACK = sa.text(
    "select pack_id, remaining_sessions from sessions s join session_packs p on p.id = s.pack_id where s.id = :id"
)


@pytest_asyncio.fixture(loop_scope="session")
async def meeting(platform: RunningPlatform) -> Meeting:
    """A session that ended two hours ago, to which only the student came."""
    meeting = await arrange(platform, timedelta(hours=-3))
    await sql(platform, _STAY, id=meeting.session_id)
    return meeting


async def mail_to(control: httpx.AsyncClient, address: str, words: str) -> dict[str, Any]:
    """The mail to somebody whose subject holds the words, as soon as it has come."""

    async def found() -> dict[str, Any] | None:
        items = (await control.get("/control/mailbox", params={"to": address})).json()["items"]
        return next((item for item in items if words in item["subject"]), None)

    return await until(found)


def address_of(name: str) -> str:
    """`Pupil abc` is pupil-abc@example.test."""
    return f"{name.replace(' ', '-').lower()}@example.test"


async def marked_absent(windows: Windows, meeting: Meeting) -> Page:
    """The mentor marks the student as absent, which isn't what the page proposes."""
    mentor = await windows.open(session=meeting.mentor)
    await mentor.goto("/instructor/sessions")
    row = mentor.locator(f"#session-{meeting.session_id}")
    await expect(row).to_contain_text(
        f"{meeting.student_name} was in the room for 20 minutes; you never came."
    )
    await expect(row.locator("button[name=status]:not(.button-quiet)")).to_have_count(0)
    await look(windows, mentor, "instructor-sessions-evidence")
    async with fragments(mentor) as seen:
        await row.get_by_role("button", name="No-show").click()
        await expect(row.locator(".session-state")).to_contain_text("No-show")
    seen.assert_only_fragments(("POST", "/status"))
    return mentor


async def disputed(windows: Windows, meeting: Meeting, **how: Any) -> Page:
    """The student says what happened."""
    student = await windows.open(session=meeting.student, **how)
    await student.goto(f"/sessions/{meeting.session_id}")
    await student.get_by_role("link", name="Dispute that it is marked as no-show").click()
    await student.get_by_label("What happened?").fill(WORDS)
    await student.get_by_role("button", name="Send").click()
    await expect(student).to_have_url(re.compile(f"/sessions/{meeting.session_id}$"))
    await expect(student.locator("main")).to_contain_text("You have disputed how this session is marked")
    return student


async def test_a_student_disputes_and_the_studio_agrees(
    windows: Windows, platform: RunningPlatform, control: httpx.AsyncClient, meeting: Meeting
) -> None:
    mentor = await marked_absent(windows, meeting)
    told = await mail_to(control, address_of(meeting.student_name), "You were missed")
    assert "dispute it on the session’s page" in " ".join(told["text"].split())

    student = await windows.open(session=meeting.student, width=PHONE)
    await student.goto(f"/sessions/{meeting.session_id}")
    await expect(student.locator("#attendance")).to_contain_text("not in the room")
    await look(windows, student, "session-to-dispute")
    await student.get_by_role("link", name="Dispute that it is marked as no-show").click()
    form = student.locator("#dispute")
    async with fragments(student) as seen:
        await form.get_by_label("What happened?").fill("Nobody.")
        await form.get_by_role("button", name="Send").click()
        await expect(form.locator(".error")).to_contain_text("at least 10 characters; these are 7")
        await expect(form.get_by_label("What happened?")).to_be_focused()
    seen.assert_only_fragments(("POST", "/dispute"))
    await look(windows, student, "dispute-refused")
    await form.get_by_label("What happened?").fill(WORDS)
    await form.get_by_role("button", name="Send").click()
    await expect(student.locator("main")).to_contain_text("You have disputed how this session is marked")
    await look(windows, student, "session-disputed")

    await mentor.goto("/instructor/dashboard")
    await mentor.get_by_role("link", name="1 session is disputed").click()
    await expect(mentor.locator("#dispute")).to_contain_text(WORDS)
    await expect(mentor.get_by_role("button", name="Agree")).to_be_visible()
    await look(windows, mentor, "dispute-of-mentor")
    for to in (address_of(meeting.mentor_name), ADMIN):
        mail = await mail_to(control, to, f"{meeting.student_name} disputes how")
        assert WORDS in mail["text"]

    admin = await windows.open(ADMIN)
    await admin.goto("/admin")
    await admin.get_by_role("link", name=re.compile("disputed$")).click()
    item = admin.locator(".decision").filter(has_text=meeting.student_name)
    await expect(item).to_contain_text("20 minutes")
    async with fragments(admin) as seen:
        await item.get_by_role("button", name=f"Agree with {meeting.student_name}").click()
        await expect(item.locator(".error")).to_be_visible()
        await expect(item.get_by_label("Your answer")).to_be_focused()
        await look(windows, admin, "admin-disputes-refused")
        await item.get_by_label("Your answer").fill(ANSWER)
        await item.get_by_role("button", name=f"Agree with {meeting.student_name}").click()
        await expect(item).to_contain_text("Agreed to")
        await expect(admin.locator("#flash")).to_contain_text("went back to the pack")
    seen.assert_only_fragments(("POST", "/decision"), ("POST", "/decision"))
    await look(windows, admin, "admin-disputes-decided")

    for name, whose in ((meeting.student_name, "your pack"), (meeting.mentor_name, "the pack of")):
        mail = await mail_to(control, address_of(name), f"went back to {whose}")
        assert ANSWER in mail["text"]
    ((pack, left),) = await sql(platform, _PACK, id=meeting.session_id)
    assert left == 2
    await student.goto(f"/packs/{pack}")
    await expect(student.locator("main")).to_contain_text("2 of 2")
    await student.goto(f"/sessions/{meeting.session_id}")
    await expect(student.locator(".facts")).to_contain_text("Canceled")
    await expect(student.locator(".history")).to_contain_text("Taken back: the session went back to the pack")
    await look(windows, student, "session-taken-back")


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_mentor_agrees(windows: Windows, meeting: Meeting, javascript: bool) -> None:
    await marked_absent(windows, meeting)
    await disputed(windows, meeting, javascript=javascript)
    mentor = await windows.open(session=meeting.mentor, javascript=javascript)
    await mentor.goto(f"/sessions/{meeting.session_id}")
    await mentor.get_by_role("link", name="Read and answer").click()
    await mentor.get_by_role("button", name="Agree").click()
    await expect(mentor).to_have_url(re.compile(f"/sessions/{meeting.session_id}$"))
    await expect(mentor.locator("main")).to_contain_text("Agreed: the session went back to the pack.")


async def test_a_student_takes_it_back_and_an_admin_without_javascript_comes_too_late(
    windows: Windows, meeting: Meeting
) -> None:
    await marked_absent(windows, meeting)
    student = await disputed(windows, meeting)
    admin = await windows.open(ADMIN, javascript=False)
    await admin.goto("/admin/disputes?status=open")
    await student.get_by_role("link", name="See what you wrote").click()
    await student.get_by_role("button", name="Take it back").click()
    await expect(student.locator("main")).to_contain_text("Taken back. The session stays as it is marked.")
    item = admin.locator(".decision").filter(has_text=meeting.student_name)
    await item.get_by_label("Your answer").fill(ANSWER)
    await item.get_by_role("button", name=re.compile("^Reject")).click()
    await expect(admin.locator("main")).to_contain_text("or it was withdrawn. Nothing was changed.")
    await expect(admin.locator(".decision")).to_contain_text("Withdrawn")
