"""Who has left is neither seen nor heard any more, however late a device starts."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from e2e.support.browser import Windows
from e2e.support.meetings import arrange, join
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until

# Every track that the page was ever given; a device starts only once it is let.
LATE = """window.given = []; window.waiting = []; window.late = false;
for (const name of ["getUserMedia", "getDisplayMedia"]) {
    const ask = navigator.mediaDevices[name].bind(navigator.mediaDevices);
    navigator.mediaDevices[name] = async (wish) => {
        if (window.late) await new Promise((start) => window.waiting.push(start));
        const stream = await ask(wish);
        window.given.push(...stream.getTracks());
        return stream;
    };
}"""


@pytest.mark.parametrize("device", ["Camera", "Share screen"])
async def test_a_device_that_starts_after_leaving_is_let_go(
    cameras: Windows, platform: RunningPlatform, device: str
) -> None:
    meeting = await arrange(platform)
    page = await cameras.open(session=meeting.student)
    await page.add_init_script(LATE)
    await page.goto(meeting.path)
    await expect(page.locator("#join")).to_be_enabled()
    await join(page)
    if device == "Camera":
        await page.locator("#room-camera").click()
        await expect(page.locator("#room-camera")).to_have_attribute("aria-pressed", "false")
    await page.evaluate("window.late = true")
    await page.get_by_role("button", name=device, exact=True).click()
    await page.wait_for_function("window.waiting.length === 1")
    before = await page.evaluate("window.given.length")
    await page.get_by_role("button", name="Leave").click()
    await expect(page.locator("#left-label")).to_be_visible()
    await page.evaluate("window.waiting[0]()")
    await page.wait_for_function("(before) => window.given.length > before", arg=before)

    async def nothing_runs() -> bool | None:
        alive = await page.evaluate("window.given.filter((track) => track.readyState === 'live').length")
        return None if alive else True

    await until(nothing_runs, 5.0)
