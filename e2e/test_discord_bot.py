"""What is typed in Discord is what the web shows: booked, raced for, canceled."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from playwright.async_api import expect

from app.accounts import discord
from app.accounts import service as accounts
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.templating import iso
from app.core.unit_of_work import Principal
from app.settings import Settings
from e2e.support.browser import Windows
from e2e.support.newcomers import Newcomer, arrive
from e2e.support.platform import RunningPlatform

MENTOR = "mentor@example.test"


@dataclass
class Member:
    """Somebody on the sandbox's server, whose Discord account is linked to a student of the platform."""

    control: httpx.AsyncClient
    id: str
    student: Newcomer

    async def type(self, command: str) -> dict[str, Any]:
        """The answer to a command."""
        return await self._act({"command": command})

    async def pick(self, answer: dict[str, Any], action: str, place: int = 0) -> dict[str, Any]:
        """Pick an option of the answer's menu for an action."""
        menu = component(answer, action)
        values = [menu["options"][place]["value"]] if "options" in menu else []
        return await self._act({"message_id": answer["id"], "custom_id": menu["custom_id"], "values": values})

    async def _act(self, deed: dict[str, Any]) -> dict[str, Any]:
        done = await self.control.post("/control/discord/interactions", json={"user_id": self.id, **deed})
        assert done.status_code == 200, done.text
        (message,) = done.json()["messages"]
        assert message["ephemeral"]
        return dict(message)


def component(answer: dict[str, Any], action: str) -> dict[str, Any]:
    """The menu or button of an action."""
    items = [item for row in answer["components"] for item in row["components"]]
    return next(item for item in items if item.get("custom_id", "").split(":")[0] == action)


async def member(platform: RunningPlatform, control: httpx.AsyncClient) -> Member:
    """A new student with four sessions with the Lisbon mentor, and their linked Discord account."""
    student = await arrive(platform, MENTOR, sessions=4)
    made = await control.post("/control/discord/members", json={"name": student.name})
    id_: str = made.json()["id"]
    database = Database(Settings.from_env(platform.env))
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            user = await accounts.find_by_email(uow, student.email)
            assert user is not None
            account = discord.DiscordAccount(id_, student.name)
            await discord.link(uow, Principal(user.id, user.role), account)
            await uow.commit()
    finally:
        await database.dispose()
    return Member(control, id_, student)


def told(answer: dict[str, Any]) -> datetime:
    """The time that an answer names."""
    found = re.search(r"<t:(\d+):F>", answer["content"])
    assert found, answer["content"]
    return datetime.fromtimestamp(int(found[1]), UTC)


async def test_book_in_discord_books_what_the_web_shows(
    platform: RunningPlatform, control: httpx.AsyncClient, windows: Windows
) -> None:
    somebody = await member(platform, control)
    times = await somebody.pick(await somebody.type("book"), "book.day", 1)
    booked = await somebody.pick(times, "book.time")
    assert booked["content"].startswith("Booked: ")
    start = told(booked)
    page = await windows.open(session=somebody.student.session)
    await page.goto("/sessions")
    await expect(page.locator(f"main time[datetime='{iso(start)}']").first).to_be_visible()
    await expect(page.locator("main")).to_contain_text("Inês Duarte")
    assert told(await somebody.type("next")) == start
    asked = await somebody.pick(await somebody.type("cancel"), "cancel.pick")
    canceled = await somebody.pick(asked, "cancel.do")
    assert canceled["content"].endswith("Your session goes back to the pack.")
    await page.reload()
    await expect(page.locator("main")).to_contain_text("Canceled")
    again = await somebody.pick(await somebody.type("book"), "book.day", 1)
    assert told(await somebody.pick(again, "book.time")) == start


async def test_what_is_booked_on_the_web_is_not_offered_in_discord(
    platform: RunningPlatform, control: httpx.AsyncClient, windows: Windows
) -> None:
    somebody, rival = await member(platform, control), await member(platform, control)
    menus = await somebody.type("book")
    times = await somebody.pick(menus, "book.day", 2)
    day = component(menus, "book.day")["options"][2]["value"]
    page = await windows.open(session=rival.student.session)
    await page.goto(f"/calendar?day={day}")
    taken = component(times, "book.time")["options"][0]
    start = iso(datetime.fromtimestamp(int(taken["value"]), UTC))
    await page.locator(f"form:has(input[name=start][value='{start}']) button").click()
    await expect(page.locator("main")).to_contain_text("Booked")
    late = await somebody.pick(times, "book.time")
    assert late["content"].startswith("**That time was just taken.**")
    assert taken["value"] not in [option["value"] for option in component(late, "book.time")["options"]]


async def test_two_members_race_for_one_time(platform: RunningPlatform, control: httpx.AsyncClient) -> None:
    racers = [await member(platform, control) for _ in range(2)]
    menus = [await racer.pick(await racer.type("book"), "book.day", 3) for racer in racers]
    pairs = zip(racers, menus, strict=True)
    answers = await asyncio.gather(*(racer.pick(menu, "book.time") for racer, menu in pairs))
    won, lost = sorted(answers, key=lambda answer: not answer["content"].startswith("Booked: "))
    assert won["content"].startswith("Booked: ")
    assert lost["content"].startswith("**That time was just taken.**")
    loser = racers[answers.index(lost)]
    assert told(await loser.pick(lost, "book.time")) != told(won)
