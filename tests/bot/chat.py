"""A conversation with the bot as somebody of the cast has it: commands are typed, menus and buttons are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from bot.answering import Answering, Click
from bot.replies import Button, Menu, Reply

DISCORD = {
    "student": "100000000000000001",
    "other_student": "100000000000000002",
    "new_student": "100000000000000003",
    "mentor": "100000000000000004",
    "other_mentor": "100000000000000005",
    "nobody": "100000000000000006",
    "admin": "100000000000000007",
}
"""Discord accounts by name of the cast; `nobody` has none on the platform."""


def menu_of(reply: Reply, action: str) -> Menu:
    """The answer's menu for an action."""
    (found,) = [row for row in reply.rows if isinstance(row, Menu) and row.custom_id.split(":")[0] == action]
    return found


def buttons_of(reply: Reply) -> list[Button]:
    """The answer's buttons."""
    return [button for row in reply.rows if not isinstance(row, Menu) for button in row]


def button_of(reply: Reply, label: str) -> Button:
    """The answer's button that reads so."""
    (found,) = [button for button in buttons_of(reply) if button.label == label]
    return found


def links(reply: Reply) -> list[str]:
    """Where the answer's buttons lead."""
    return [button.url for button in buttons_of(reply) if button.url]


@dataclass
class Chat:
    """Speaks with the bot behind the gateway; tests/bot/test_gateway.py speaks through it."""

    answering: Answering
    _numbers: count[int] = field(default_factory=lambda: count(1))

    async def type(self, who: str, command: str, **options: str) -> Reply:
        """Somebody types a command."""
        click = Click(self._wish(), DISCORD[who], command=command, options=options)
        return await self.answering.answer(click)

    async def use(self, who: str, custom_id: str, *values: str) -> Reply:
        """Somebody uses a menu or a button, whether it was shown to them or not."""
        return await self.answering.answer(
            Click(self._wish(), DISCORD[who], custom_id=custom_id, values=values)
        )

    async def pick(self, who: str, reply: Reply, action: str, value: str | None = None) -> Reply:
        """Somebody picks an option of a menu that an answer showed, the first if none is named."""
        menu = menu_of(reply, action)
        offered = [option.value for option in menu.options]
        assert value is None or value in offered
        return await self.use(who, menu.custom_id, value or offered[0])

    async def press(self, who: str, reply: Reply, label: str) -> Reply:
        """Somebody presses a button that an answer showed."""
        return await self.use(who, button_of(reply, label).custom_id)

    def _wish(self) -> str:
        return str(1_200_000_000_000_000_000 + next(self._numbers))


def values(menu: Menu) -> Sequence[str]:
    """What can be picked."""
    return [option.value for option in menu.options]
