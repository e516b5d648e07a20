"""Every message on Discord as its reader gets it: a title, plain words, something to follow; in light and dark."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from app.core import clock
from app.core.ids import new_id
from app.dev import browser_files
from app.notifications.catalogue import CATALOGUE
from app.notifications.messages import Contact, Message
from app.notifications.messenger import Messenger
from app.notifications.models import Channel
from app.settings import Settings
from e2e.conftest import DATA
from e2e.support.browser import Windows
from e2e.support.looks import look
from tests.notifications.examples import START, examples
from tests.support.sandbox import RunningSandbox, running_sandbox

MESSAGES = [(kind, context) for kind, context in examples() if Channel.DISCORD in CATALOGUE[kind].channels]
AT_ONCE = 30  # a page of Discord's stand-in shows the latest fifty


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """Discord's stand-in."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="session")
async def messenger(sandbox: RunningSandbox) -> AsyncIterator[Messenger]:
    """The platform's own, sending to the stand-in."""
    messenger = Messenger.of(Settings.from_env(sandbox.platform_settings()))
    assert messenger.discord is not None
    yield messenger
    await messenger.discord.close()


@pytest_asyncio.fixture(loop_scope="session")
async def reader(browser: Browser, sandbox: RunningSandbox) -> AsyncIterator[Windows]:
    """Opens windows on Discord's pages."""
    windows = Windows(browser, sandbox.url, browser_files.ensure_for_tests(DATA) / "axe.min.js")
    yield windows
    await windows.close()
    assert windows.complaints.found == []


@pytest.mark.parametrize("first", range(0, len(MESSAGES), AT_ONCE))
async def test_messages_look_right(
    sandbox: RunningSandbox, messenger: Messenger, reader: Windows, first: int
) -> None:
    member = sandbox.control.call("POST", "/discord/members", {"name": "Ana O'Neill"})
    written = MESSAGES[first : first + AT_ONCE]
    with clock.standing_at(START - timedelta(days=3)):
        for kind, context in written:
            message = Message(new_id(), "ana@example.test", context)
            await messenger.send(messenger.write(kind, message, Contact(member["id"])), new_id())
    page = await reader.open()
    await page.goto(f"/discord/members/{member['id']}")
    messages = page.locator("article.message")
    await expect(messages).to_have_count(len(written))
    for number in range(len(written)):
        one = messages.nth(number)
        await expect(one.locator(".words strong").first).to_be_visible()
        assert await one.locator("a[href^='http://127.0.0.1:8000/']").count() >= 1, "something to follow"
        words = await one.locator(".words").inner_text()
        assert not any(mark in words for mark in ("**", "<t:", "\\", "{{")), words
    await look(reader, page, f"discord-from-{first}")
