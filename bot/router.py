"""Which function answers which command, menu or button, and for whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from app.core.errors import BadRequest
from app.core.limits import Policy
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import Viewer
from app.limits import USER
from app.wiring import Platform
from bot.custom_ids import STALE
from bot.replies import Reply


@dataclass(frozen=True)
class Ask:
    """What somebody asks, with a unit of work that is bound to them.

    `wish` names this one click or command. `options`: of a command, by name. `words`: of a `custom_id`; `values`: what
    was picked in a menu. All of these come from outside.
    """

    platform: Platform
    uow: UnitOfWork
    viewer: Viewer
    wish: str
    options: Mapping[str, str] = field(default_factory=dict)
    words: Sequence[str] = ()
    values: Sequence[str] = ()

    def word(self, place: int) -> str:
        """The word of the `custom_id` at that place, from 0. Raises BadRequest where there is none."""
        if place >= len(self.words):
            raise BadRequest(STALE)
        return self.words[place]

    @property
    def picked(self) -> str:
        """The one option that was picked. Raises BadRequest for none or several."""
        if len(self.values) != 1:
            raise BadRequest(STALE)
        return self.values[0]

    def page(self, path: str) -> str:
        """The address of a page of the platform."""
        return f"{self.platform.settings.public_url}{path}"


Handler: TypeAlias = Callable[[Ask], Awaitable[Reply]]


@dataclass(frozen=True)
class Parameter:
    """An option of a command, which may be left out; `person`: a member of the server instead of a text."""

    name: str
    about: str
    person: bool = False


@dataclass(frozen=True)
class Command:
    """A slash command, for accounts with that role in the platform, and so many a minute as `policy` says."""

    name: str
    about: str
    role: Role
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    policy: Policy = USER


@dataclass(frozen=True)
class Action:
    """What a menu or a button does, for accounts with that role; `policy` as of commands."""

    name: str
    role: Role
    handler: Handler
    policy: Policy = USER


class Router:
    """The commands and actions of all slices, by name."""

    def __init__(self, commands: Sequence[Command], actions: Sequence[Action]) -> None:
        self.commands = {command.name: command for command in commands}
        self.actions = {action.name: action for action in actions}

    def of_role(self, role: Role) -> list[str]:
        """The commands for a role, as they are typed."""
        return [f"/{name}" for name, command in self.commands.items() if command.role is role]
