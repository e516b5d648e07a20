"""A member of the sandbox's server: what they type and click goes through the gateway, as at Discord."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import Any

from app.settings import Settings
from tests.bot.chat import DISCORD
from tests.support.sandbox import RunningSandbox


def with_discord(settings: Settings, sandbox: RunningSandbox, **more: Any) -> Settings:
    """Settings of a platform whose Discord is the sandbox's."""
    given: dict[str, Any] = {
        "discord_bot_token": sandbox.settings.discord_bot_token,
        "discord_url": f"{sandbox.url}/discord/api/v10",
        "discord_guild_id": sandbox.settings.discord_guild_id,
    }
    return dataclasses.replace(settings, **given, **more)


@dataclass(frozen=True)
class Answer:
    """A message that the bot wrote or changed, for one member alone."""

    id: str
    text: str
    private: bool
    components: list[dict[str, Any]]

    def menu(self, action: str) -> dict[str, Any]:
        """The menu for an action."""
        return next(item for item in self.components if item.get("custom_id", "").split(":")[0] == action)

    def button(self, label: str) -> dict[str, Any]:
        """The button that reads so."""
        return next(item for item in self.components if item.get("label") == label)


@dataclass(frozen=True)
class Wire:
    """Types and clicks; each waits for the bot's answer."""

    sandbox: RunningSandbox

    async def type(self, who: str, command: str, **options: str) -> Answer:
        """Somebody types a command."""
        control = self.sandbox.control
        return _answer(await asyncio.to_thread(control.discord_command, DISCORD[who], command, options))

    async def pick(self, who: str, answer: Answer, action: str, value: str = "") -> Answer:
        """Somebody picks an option of a menu, the first if none is named."""
        menu = answer.menu(action)
        return await self.click(who, answer, menu["custom_id"], value or menu["options"][0]["value"])

    async def click(self, who: str, answer: Answer, custom_id: str, *values: str) -> Answer:
        """Somebody clicks what a message shows."""
        click = self.sandbox.control.discord_click
        return _answer(await asyncio.to_thread(click, DISCORD[who], answer.id, custom_id, *values))

    def sessions(self) -> list[dict[str, Any]]:
        """The bot's sessions at the gateway."""
        items: list[dict[str, Any]] = self.sandbox.control.call("GET", "/discord/gateway")["items"]
        return items

    def drop(self, **how: bool) -> None:
        """Let the bot's connection end."""
        assert self.sandbox.control.call("POST", "/discord/gateway/drop", how) == {"dropped": 1}


def _answer(done: dict[str, Any]) -> Answer:
    assert not done["pending"], done
    (message,) = done["messages"]
    components = [item for row in message["components"] for item in row["components"]]
    return Answer(message["id"], message["content"], message["ephemeral"], components)
