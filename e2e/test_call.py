"""Two people meet: each sees the other move, shares a screen, loses the network and comes back, leaves and marks."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from playwright.async_api import Page, Route, expect

from e2e.support.browser import PHONE, Complaints, Windows
from e2e.support.lines import Line, line_to
from e2e.support.looks import look
from e2e.support.meetings import Meeting, arrange, both_in, enter, frames, join, moves, sql
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

LOST_SECONDS = 5.0
BACK_SECONDS = 10.0
# Counts how often the person would be asked for a device.
COUNT = """window.asked = 0;
for (const name of ["getUserMedia", "getDisplayMedia"]) {
    const ask = navigator.mediaDevices[name].bind(navigator.mediaDevices);
    navigator.mediaDevices[name] = (wish) => { window.asked += 1; return ask(wish); };
}"""
ACTIVE = "document.activeElement.ariaLabel ?? document.activeElement.innerText?.trim()"
_VISITS = sa.text("select count(*) from session_visits where session_id = :id")


@pytest_asyncio.fixture(loop_scope="session")
async def meeting(platform: RunningPlatform) -> Meeting:
    """A session that began ten minutes ago."""
    return await arrange(platform)


@pytest_asyncio.fixture(loop_scope="session")
async def line(platform: RunningPlatform) -> AsyncIterator[Line]:
    """The student's line to the platform and to the mentor."""
    async with line_to(platform.url) as line:
        yield line


async def said(page: Page, words: str) -> None:
    """The page said so to those who don't see it."""
    await expect(page.locator("#call-said")).to_contain_text(words)


async def stands_still(page: Page) -> None:
    """Wait until a second passes without a new frame of the other's."""

    async def no_new_frame() -> bool | None:
        before = await frames(page)
        later = await page.evaluate("() => new Promise((done) => setTimeout(done, 1000))") or await frames(
            page
        )
        return True if later == before else None

    await until(no_new_frame, LOST_SECONDS)


async def test_two_people_meet_and_what_was_seen_is_proposed_to_the_mentor(
    fresh_platform: RunningPlatform, fresh_cameras: Windows
) -> None:
    meeting = await arrange(fresh_platform)
    mentor = await enter(fresh_cameras, meeting.mentor, meeting.path)
    await join(mentor)
    await expect(mentor.locator("#stage-note")).to_contain_text(f"{meeting.student_name} isn’t here yet.")
    student = await enter(fresh_cameras, meeting.student, meeting.path)
    await join(student)
    await said(mentor, f"You are connected to {meeting.student_name}.")
    await asyncio.gather(moves(mentor), moves(student))

    await student.get_by_role("button", name="Share screen").click()
    await expect(student.locator("#mine-note")).to_have_text("Your screen")
    await expect(mentor.locator("#stage-line")).to_have_text(f"You see {meeting.student_name}’s screen.")
    await moves(mentor)
    await student.get_by_role("button", name="Share screen").click()
    await expect(mentor.locator("#stage-line")).to_be_hidden()
    await moves(mentor)

    async with httpx.AsyncClient(base_url=fresh_platform.sandbox, timeout=120) as control:
        (await control.post("/control/clock", json={"advance": "PT15M"})).raise_for_status()
        await until(lambda: _seen_together(mentor, meeting))
        (await control.post("/control/clock", json={"advance": "PT40M"})).raise_for_status()
    for page in (student, mentor):
        await page.get_by_role("button", name="Leave").click()
        await expect(page.locator("#left-label")).to_be_focused()
    await expect(student.locator("#left-after")).to_contain_text("Together")
    await expect(student.get_by_role("button", name="Mark as")).to_have_count(0)
    proposed = mentor.locator("#left-after .button:not(.button-quiet)")
    await expect(proposed).to_have_text("Mark as completed")
    await expect(mentor.locator("#left-after")).to_contain_text("were in the room together for")
    await look(fresh_cameras, mentor, "call-left")
    await proposed.click()
    await mentor.goto(f"/sessions/{meeting.session_id}")
    await expect(mentor.locator(".facts").first).to_contain_text("Completed")


async def _seen_together(page: Page, meeting: Meeting) -> bool | None:
    """True as soon as the evidence counts the time that the clock was moved by."""
    answer = await page.request.get(
        f"/sessions/{meeting.session_id}/attendance", headers={"HX-Request": "true"}
    )
    found = re.search(r"<dt>Together</dt><dd>(\d+) minutes", await answer.text())
    return True if found and int(found[1]) >= 10 else None


@pytest.mark.parametrize("silently", [False, True], ids=["severed", "silent"])
async def test_a_network_that_was_lost_for_five_seconds_comes_back_by_itself(
    cameras: Windows, platform: RunningPlatform, meeting: Meeting, line: Line, silently: bool
) -> None:
    mentor = await enter(cameras, meeting.mentor, meeting.path)
    await join(mentor)
    theirs = replace(cameras, url=line.url, complaints=Complaints())
    student = await theirs.open(session=meeting.student)
    await student.add_init_script(COUNT)
    await line.carry(student)
    await student.goto(meeting.path)
    await join(student)
    await asyncio.gather(moves(mentor), moves(student))
    asked = await student.evaluate("window.asked")
    assert asked > 0

    async with line.cut(LOST_SECONDS, silently=silently):
        if not silently:
            await said(student, "We are reconnecting you…")
        await asyncio.gather(stands_still(mentor), stands_still(student))
    async with asyncio.timeout(BACK_SECONDS):
        await asyncio.gather(moves(mentor), moves(student))
        for page in (mentor, student):
            await expect(page.locator("#room-state")).to_have_text("Connected")
    await expect(student.locator("#stage-line")).to_be_hidden()
    assert await student.evaluate("window.asked") == asked
    (visits,) = await sql(platform, _VISITS, id=meeting.session_id)
    assert visits[0] >= (2 if silently else 3)
    complaints = [one for one in theirs.complaints.found if not re.search("ERR_|WebSocket", one)]
    assert complaints == []  # but for the lost network itself


async def test_of_two_tabs_the_older_is_told_and_the_younger_goes_on(
    cameras: Windows, meeting: Meeting
) -> None:
    mentor, first = await both_in(cameras, meeting)
    second = await first.context.new_page()
    await second.goto(meeting.path)
    await join(second)
    await expect(first.locator("#left-label")).to_have_text("You opened this session elsewhere")
    await asyncio.gather(moves(mentor), moves(second))
    await look(cameras, first, "call-replaced")
    await first.get_by_role("button", name="Join again").click()
    await expect(second.locator("#left-label")).to_have_text("You opened this session elsewhere")
    await asyncio.gather(moves(mentor), moves(first))


async def test_a_third_person_is_refused_by_the_server(
    cameras: Windows, platform: RunningPlatform, meeting: Meeting
) -> None:
    stranger = await arrange(platform)
    third = await enter(cameras, stranger.student, stranger.path)
    ask = "path => fetch(path, {method: 'POST', headers: {'x-csrftoken': call.dataset.csrf}}).then(a => a.json())"
    token = f"/api/video/{meeting.session_id}/token"
    assert (await third.evaluate(ask, token))["code"] == "not_yours"
    student = await enter(cameras, meeting.student, meeting.path)
    ticket = await student.evaluate(ask, token)
    refused = await third.evaluate(
        """([path, token]) => new Promise((done) => {
            const socket = new WebSocket(path), heard = [];
            socket.onopen = () => socket.send(JSON.stringify({type: "join", token, page: "third"}));
            socket.onmessage = ({data}) => heard.push(JSON.parse(data).type);
            socket.onclose = ({code}) => done([heard, code]);
        })""",
        [ticket["signal_url"], ticket["token"]],
    )
    assert refused == [["refused"], 4403]


async def test_coming_and_going_is_seen_at_once(cameras: Windows, meeting: Meeting) -> None:
    mentor, student = await both_in(cameras, meeting)
    await student.get_by_role("button", name="Leave").click()
    await expect(mentor.locator("#room-state")).to_have_text("Waiting")
    await said(mentor, f"{meeting.student_name} isn’t here yet.")
    await student.get_by_role("button", name="Join again").click()
    await asyncio.gather(moves(mentor), moves(student))
    await student.reload()
    await expect(mentor.locator("#room-state")).to_have_text("Waiting")
    await join(student)
    await asyncio.gather(moves(mentor), moves(student))


async def test_what_is_off_is_off_for_the_other_and_said(cameras: Windows, meeting: Meeting) -> None:
    mentor, student = await both_in(cameras, meeting)
    await moves(mentor)
    camera = student.get_by_role("button", name="Camera")
    await expect(camera).to_have_attribute("aria-pressed", "true")
    await camera.click()
    await expect(camera).to_have_attribute("aria-pressed", "false")
    await said(student, "Camera off.")
    await expect(mentor.locator("#stage-note")).to_have_text(f"{meeting.student_name}’s camera is off.")
    await expect(mentor.locator("#theirs")).to_be_hidden()
    await camera.click()
    await moves(mentor)
    await student.get_by_role("button", name="Microphone").click()
    await expect(mentor.locator("#stage-line")).to_have_text(f"{meeting.student_name}’s microphone is off.")
    await said(mentor, f"{meeting.student_name}’s microphone is off.")


async def test_everything_works_by_keyboard(cameras: Windows, meeting: Meeting) -> None:
    mentor = await enter(cameras, meeting.mentor, meeting.path)
    await mentor.locator("#join").focus()
    await mentor.keyboard.press("Enter")
    await expect(mentor.locator("#room-label")).to_be_focused()
    for name in ("Microphone", "Camera", "Share screen"):
        button = mentor.locator("#call-room").get_by_role("button", name=name)
        before = await button.get_attribute("aria-pressed")
        await tab_to(mentor, name)
        await mentor.keyboard.press("Space")
        await expect(button).not_to_have_attribute("aria-pressed", before or "")
    await tab_to(mentor, "Notes")
    await mentor.keyboard.press("Enter")
    await expect(mentor.get_by_label("Notes", exact=True)).to_be_focused()
    await mentor.keyboard.type("Thumbs first.")
    await expect(mentor.get_by_text("Saved", exact=True)).to_be_visible()
    await mentor.keyboard.press("Escape")
    await expect(mentor.locator("#room-side")).to_be_hidden()
    await expect(mentor.get_by_role("button", name="Notes")).to_be_focused()
    await tab_to(mentor, "Leave")
    await mentor.keyboard.press("Enter")
    await expect(mentor.locator("#left-label")).to_be_focused()


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the button of that name has the focus."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate(ACTIVE) == name:
            return
    raise AssertionError(f"no way to {name} by Tab")


async def test_both_hear_of_consent_to_a_recording_at_once(cameras: Windows, meeting: Meeting) -> None:
    mentor, student = await both_in(cameras, meeting)
    for page in (mentor, student):
        await page.get_by_role("button", name="Devices").click()
    before = await mentor.locator("#recording-consent-said").inner_text()
    await student.get_by_role("button", name="Agree to a recording").click()
    await expect(mentor.locator("#recording-consent-said")).not_to_have_text(before)
    await expect(mentor.get_by_role("button", name="Agree to a recording")).to_be_visible()
    await moves(student)


async def test_who_can_not_be_seen_or_heard_comes_in_all_the_same(
    windows: Windows, cameras: Windows, meeting: Meeting
) -> None:
    mentor = await windows.open(session=meeting.mentor)  # a browser that allows nothing
    await mentor.goto(meeting.path)
    await mentor.get_by_role("button", name="Try camera and microphone").click()
    problem = mentor.locator("#device-problem")
    await expect(problem).to_contain_text("camera")
    await expect(problem).to_contain_text("join without")
    await look(windows, mentor, "call-no-camera")
    await join(mentor)
    student = await enter(cameras, meeting.student, meeting.path)
    await join(student)
    await expect(student.locator("#stage-note")).to_have_text(f"{meeting.mentor_name}’s camera is off.")
    await moves(mentor)


WORDS = {
    "NotAllowedError": "doesn’t let this page use",
    "NotReadableError": "Something else is using",
    "NotFoundError": "There is no",
}


@pytest.mark.parametrize("reason", WORDS)
async def test_a_device_that_does_not_start_is_explained(
    cameras: Windows, meeting: Meeting, reason: str
) -> None:
    """The browser's refusals are put in its mouth: no machine of a test has a camera that another program uses."""
    page = await cameras.open(session=meeting.student)
    await page.add_init_script(
        f"""const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (wish) => wish.video && !window.mended
            ? Promise.reject(new DOMException("", "{reason}")) : ask(wish);"""
    )
    await page.goto(meeting.path)
    await expect(page.locator("#device-problem")).to_contain_text(WORDS[reason])
    await page.evaluate("window.mended = true")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#device-problem")).to_be_hidden()
    await expect(page.locator("#preview-picture")).to_be_visible()
    await expect(page.locator("#lobby-microphone")).to_have_attribute("aria-pressed", "true")


async def test_the_door_opens_by_itself(cameras: Windows, platform: RunningPlatform) -> None:
    meeting = await arrange(platform, timedelta(minutes=15, seconds=8))
    page = await cameras.open(session=meeting.student)
    await page.goto(meeting.path)
    await expect(page.locator(".countdown")).to_have_text(re.compile(r"in 0:0\d"))
    await page.evaluate("window.same = true")
    await expect(page.locator("#join")).to_be_enabled()
    await said(page, "The door is open.")
    assert await page.evaluate("window.same")
    await join(page)


async def test_a_session_that_is_canceled_ends(
    cameras: Windows, meeting: Meeting, platform: RunningPlatform
) -> None:
    mentor, student = await both_in(cameras, meeting)
    cancel = sa.text("update sessions set status = 'canceled', canceled_at = now() where id = :id")
    await sql(platform, cancel, id=meeting.session_id)
    for page in (mentor, student):
        await expect(page.locator("#left-label")).to_have_text("This session was canceled")
        await expect(page.get_by_role("button", name="Join again")).to_be_hidden()
    await student.reload()
    await expect(student.locator("h1")).to_have_text("This session was canceled")


async def test_without_scripts_the_page_says_what_is_missing(windows: Windows, meeting: Meeting) -> None:
    page = await windows.open(session=meeting.student, javascript=False)
    await page.goto(meeting.path)
    await expect(page.locator("h1")).to_be_visible()
    await expect(page.get_by_text("Picture and sound need JavaScript")).to_be_visible()
    await expect(page.locator("#join")).to_be_hidden()


async def test_every_face_of_the_page_is_accessible_and_fits(
    cameras: Windows, platform: RunningPlatform, meeting: Meeting
) -> None:
    early = await arrange(platform, timedelta(hours=2))
    waits = await cameras.open(session=early.student)
    await waits.goto(early.path)
    await expect(waits.locator(".countdown")).to_have_text(re.compile("in 1 h"))
    await look(cameras, waits, "call-early")
    mentor = await enter(cameras, meeting.mentor, meeting.path)
    await expect(mentor.locator("#preview-picture")).to_be_visible()
    await look(cameras, mentor, "call-lobby")
    await join(mentor)
    await look(cameras, mentor, "call-waiting")
    student = await enter(cameras, meeting.student, meeting.path, width=PHONE)
    await join(student)
    await asyncio.gather(moves(mentor), moves(student))
    await look(cameras, student, "call-room-student")
    await mentor.get_by_role("button", name="Notes").click()
    await look(cameras, mentor, "call-room-notes")
    await mentor.get_by_role("button", name="Devices").click()
    await look(cameras, mentor, "call-room-devices")


AGORA = re.compile(r"^https://[^/]+\.(agora\.io|sd-rtn\.com|rtnsvc\.com|rtesvc\.com)[:/]")
KEYS = {"AGORA_APP_ID": "0123456789abcdef" * 2, "AGORA_APP_CERTIFICATE": "fedcba9876543210" * 2}


async def test_with_agoras_keys_the_real_sdk_asks_to_join_with_our_token(
    cameras: Windows, platform: RunningPlatform, meeting: Meeting
) -> None:
    """The SDK is Agora's own; only Agora's servers are played, at the browser's edge: they are asked, and never reached."""
    asked: list[dict[str, Any]] = []

    async def agora(route: Route) -> None:
        found = re.search(rb'name="request"\r\n\r\n(\{.*\})\r\n', route.request.post_data_buffer or b"")
        if found:
            asked.append(json.loads(found[1]))
        if route.request.url.endswith("/events/messages"):  # statistics; what matters stays without an answer
            await route.fulfill(json={}, headers={"access-control-allow-origin": "*"})

    async def request() -> dict[str, Any] | None:
        return asked[0] if asked else None

    with platform.another_web(**KEYS, CLOCK_FILE="") as url:
        windows = replace(cameras, url=url, complaints=Complaints())
        page = await windows.open(session=meeting.student)
        await page.context.route(AGORA, agora)
        await page.goto(meeting.path)
        assert await page.evaluate("typeof AgoraRTC") == "undefined"
        async with page.expect_response("**/api/video/**") as answered:
            await join(page)
        ticket = await (await answered.value).json()
        sent = await until(request)
        assert (await page.evaluate("AgoraRTC.VERSION")).startswith("4.")
        await page.get_by_role("button", name="Leave").click()
    (wish,) = sent["request_bodies"]
    assert ticket["provider"] == "agora"
    assert sent["appid"] == ticket["app_id"] == KEYS["AGORA_APP_ID"]
    assert wish["buffer"]["cname"] == ticket["channel"] == f"session-{meeting.session_id}"
    assert wish["buffer"]["key"] == ticket["token"]
    assert ticket["user"] in wish["buffer"]["detail"].values()
    elsewhere = [one for one in windows.complaints.found if "request leaves the machine: " in one]
    assert windows.complaints.found == elsewhere  # nothing was held up by the page's policy
    assert all(AGORA.match(one.partition(": ")[2]) for one in elsewhere)
