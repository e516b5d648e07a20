"""From what somebody typed or clicked to the answer: who they are, whether they may, and what went wrong, in words."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.core.errors import AppError, BadRequest, NotFound
from app.core.limits import Limiter
from app.core.unit_of_work import Role
from app.notifications import markdown
from app.wiring import Platform
from bot import custom_ids
from bot.access import principal_of, viewer_of
from bot.custom_ids import STALE
from bot.replies import Button, Reply
from bot.router import Action, Ask, Command, Router

logger = logging.getLogger(__name__)

PLURALS: Final = {Role.STUDENT: "students", Role.MENTOR: "instructors", Role.ADMIN: "admins"}
UNLINKED: Final = "I don’t know who you are on the platform yet. Link your Discord account in your settings, then try again."
GONE: Final = "That is no longer there. Nothing was changed."
OUR_SIDE: Final = (
    "That didn’t work just now, and it is our fault. Please try again in a few minutes;"
    " the pages show whether anything was changed."
)


@dataclass(frozen=True)
class Click:
    """A command that was typed, or a menu or button (`custom_id`) that was used, by a Discord account."""

    id: str
    discord_user_id: str
    command: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    custom_id: str = ""
    values: Sequence[str] = ()


class Answering:
    """Answers clicks with the platform's services, as often as the pages do: both count as one where Redis is set."""

    def __init__(self, platform: Platform, router: Router) -> None:
        self._platform = platform
        self._router = router
        self._limiter = Limiter(platform.settings.redis_url, platform.settings.limits_scale)

    async def answer(self, click: Click) -> Reply:
        """The answer in words, whatever happens; what nobody expected is told to the log, never to the asker."""
        try:
            return await self._answer(click)
        except NotFound:
            return Reply(GONE)
        except AppError as error:
            return Reply(markdown.escape(error.detail))
        except Exception:  # a person waits for words, whatever it was
            logger.exception("%r failed", click.command or click.custom_id)
            return Reply(OUR_SIDE)

    async def _answer(self, click: Click) -> Reply:
        wanted, words = self._wanted(click)
        principal = await principal_of(self._platform, click.discord_user_id)
        if principal is None:
            return self._unlinked()
        await self._limiter.hit(wanted.policy, str(principal.user_id))
        async with self._platform.database.unit_of_work(principal) as uow:
            viewer = await viewer_of(uow)
            if viewer is None:
                return self._unlinked()
            if viewer.role is not wanted.role:
                return Reply(self._not_for(viewer.role, wanted.role))
            ask = Ask(self._platform, uow, viewer, click.id, click.options, words, click.values)
            reply = await wanted.handler(ask)
            await uow.commit()
            return reply

    def _wanted(self, click: Click) -> tuple[Command | Action, list[str]]:
        """What is to be done, and the words of the `custom_id`. Raises BadRequest for what there isn't."""
        if click.command:
            wanted: Command | Action | None = self._router.commands.get(click.command)
            words: list[str] = []
        else:
            name, words = custom_ids.read(click.custom_id)
            wanted = self._router.actions.get(name)
        if wanted is None:
            raise BadRequest(STALE)
        return wanted, words

    def _unlinked(self) -> Reply:
        url = f"{self._platform.settings.public_url}/settings#discord"
        return Reply(UNLINKED, [[Button("Open the settings", url=url)]])

    def _not_for(self, role: Role, wanted: Role) -> str:
        yours = ", ".join(self._router.of_role(role))
        return f"That is for {PLURALS[wanted]}. Yours are {yours}."
