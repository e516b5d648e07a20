"""The whole life of one pack, with the clock moved: bought, used up, reminded of, its seat passed on to who waited."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from playwright.async_api import Page, expect

from e2e.support.browser import PHONE, Windows
from e2e.support.looks import look, shoot
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until
from e2e.test_buying import buy

MENTOR, PROFILE = "mentor@example.test", "/instructors/ines-duarte"
STUDENT, NAME, MEMBER = "student-new@example.test", "Sofia Rossi", "100000000000000003"
NEXT, NEXT_NAME = "chloe@example.test", "Chloé Martin"
BEFORE_REMINDERS = timedelta(hours=25)
MENTEE_ROLE = "1000000000000000003"
REMINDER = r"(\*\*)?(?!Booked)[A-Z][\w ]* with Inês Duarte: "


@dataclass(frozen=True)
class Studio:
    """What can be seen of the platform from outside, and its clock."""

    control: httpx.AsyncClient

    async def mails(self, address: str) -> list[str]:
        """Subjects of the mails to somebody, oldest first."""
        items = (await self.control.get("/control/mailbox", params={"to": address})).json()["items"]
        return [item["subject"] for item in items]

    async def messages(self) -> list[str]:
        """What the student was told on Discord, oldest first."""
        items = (await self.control.get("/control/discord/messages", params={"recipient": MEMBER})).json()
        return [item["content"] for item in items["items"] if not item["ephemeral"]]

    async def roles(self) -> list[str]:
        """The student's roles on the server."""
        members = (await self.control.get("/control/discord/members")).json()["items"]
        return [role for member in members if member["id"] == MEMBER for role in member["roles"]]

    async def move(self, **wish: object) -> None:
        """Business time moves on, stopping wherever something is due; with `jump` nobody works meanwhile."""
        (await self.control.post("/control/clock", json=wish)).raise_for_status()

    async def command(self, name: str, **options: Any) -> str:
        """What the bot answers the student."""
        deed = {"user_id": MEMBER, "command": name, "options": options}
        answer = (await self.control.post("/control/discord/interactions", json=deed)).raise_for_status()
        return "\n".join(message["content"] for message in answer.json()["messages"])


def one(texts: Iterable[str], words: str) -> str:
    """The only one of the texts that holds `words`."""
    found = [text for text in texts if words in text]
    assert len(found) == 1, (words, found, list(texts))
    return found[0]


async def told(studio: Studio, words: str) -> None:
    """The student was told so once by mail and once on Discord, and with other words nothing twice."""
    one(await studio.mails(STUDENT), words)
    one(await studio.messages(), words)


async def link(page: Page) -> None:
    """The student links their Discord account."""
    await page.goto("/settings")
    await page.locator("#discord").get_by_role("link", name="Link Discord").click()
    await page.wait_for_url(re.compile("/discord/oauth2/authorize"))
    await page.locator(f"input[name=member][value='{MEMBER}']").check()
    await page.locator("button[value=allow]").click()
    await expect(page.locator("#discord")).to_contain_text("Linked")


async def book_all(page: Page) -> list[datetime]:
    """Four sessions, a week apart; gives their starts."""
    await page.goto("/calendar/series")
    starts = page.locator(".series-book input[name=start]")
    await expect(starts).to_have_count(4)
    booked = [
        datetime.fromisoformat(await start.get_attribute("value") or "") for start in await starts.all()
    ]
    await page.get_by_role("button", name="Book all 4 sessions").click()
    await page.wait_for_url("**/sessions")
    return booked


async def hold(mentor: Page) -> None:
    """The mentor marks the student's session that is over as held."""
    await mentor.goto("/instructor/sessions")
    button = mentor.get_by_role("button", name="Completed")
    row_id = (
        await mentor.locator("article.session-row", has_text=NAME)
        .filter(has=button)
        .first.get_attribute("id")
    )
    row = mentor.locator(f"#{row_id}")
    await row.get_by_role("button", name="Completed").click()
    await expect(row.locator(".session-state")).to_contain_text("Completed")


async def test_the_whole_life_of_a_pack(fresh_windows: Windows, fresh_platform: RunningPlatform) -> None:
    async with httpx.AsyncClient(base_url=fresh_platform.sandbox, timeout=300) as control:
        studio = Studio(control)
        student, mentor = await fresh_windows.open(STUDENT), await fresh_windows.open(MENTOR)
        following = await fresh_windows.open(NEXT, width=PHONE)
        await link(student)
        assert await studio.roles() == []

        await buy(student)
        await until(lambda: mailed(studio, STUDENT, "Your receipt: 4 sessions with Inês Duarte"))
        await studio.move(advance="PT1M")
        await told(studio, "Your receipt: 4 sessions with Inês Duarte")
        assert await studio.roles() == [MENTEE_ROLE]
        await mentor.goto("/instructor/settings")
        await mentor.locator("input[name=max_active_students]").fill("2")  # one of three leaves on the way
        await mentor.locator("form:has(input[name=max_active_students]) button[type=submit]").click()
        await expect(mentor.get_by_text("Saved", exact=False).first).to_be_visible()
        await following.goto(PROFILE)
        await following.get_by_role("button", name="Join the waitlist").click()
        await expect(following.locator("main")).to_contain_text("You are number 1")

        for number, start in enumerate(await book_all(student)):
            await studio.move(set=f"{start - BEFORE_REMINDERS:%Y-%m-%dT%H:%M:%SZ}", jump=True)
            await studio.move(set=f"{start:%Y-%m-%dT%H:%M:%SZ}")
            await reminded(studio, number + 1)
            await studio.move(advance="PT2H")
            await hold(mentor)
            await studio.move(advance="PT1M")
            if number == 2:
                await told(studio, "One session left with Inês Duarte")
                await student.goto("/dashboard")
                await expect(student.locator(".banner-renew")).to_contain_text("One session left")
                await look(fresh_windows, student, "life-one-left")

        await told(studio, "No sessions left with Inês Duarte")
        one(await studio.mails(MENTOR), f"{NAME} has no sessions left")
        await student.goto("/calendar")
        await expect(student.locator("#day .slot form")).to_have_count(0)
        await student.goto("/dashboard")
        await look(fresh_windows, student, "life-grace")
        assert "seat" in await studio.command("packs")

        await studio.move(advance="PT59H")
        assert not [text for text in await studio.mails(STUDENT) if "is kept until" in text]
        await studio.move(advance="PT1H")
        await told(studio, "Your seat with Inês Duarte is kept until")
        await studio.move(advance="PT12H")
        await told(studio, "Your seat with Inês Duarte")
        assert await studio.roles() == []
        one(await studio.mails(NEXT), "A seat with Inês Duarte is kept for you")

        await following.goto(PROFILE)
        await expect(following.locator("#packs")).to_contain_text("A seat is kept for you")
        await buy(following)
        await mentor.goto("/instructor/students")
        await expect(mentor.locator("main")).to_contain_text(NEXT_NAME)
        await student.goto(PROFILE)
        await expect(student.get_by_role("button", name="Join the waitlist")).to_be_visible()
        await control_pages(studio, fresh_platform, student)


async def mailed(studio: Studio, address: str, words: str) -> bool | None:
    return True if any(words in subject for subject in await studio.mails(address)) else None


async def reminded(studio: Studio, sessions: int) -> None:
    """A day and an hour before each session so far, by mail and on Discord."""
    for texts in (await studio.mails(STUDENT), await studio.messages()):
        assert len([text for text in texts if re.match(REMINDER, text)]) == 2 * sessions, texts


async def control_pages(studio: Studio, platform: RunningPlatform, page: Page) -> None:
    """What the student read on Discord, as a picture to look at."""
    await page.goto(f"{platform.sandbox}/discord")
    await shoot(page, "life-discord")
