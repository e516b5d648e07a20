"""How somebody is reached at an instant: by mail always, on Discord when linked, but for what they turned off."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.notifications.catalogue import CATALOGUE
from tests.soak.life.expected import Step, as_of
from tests.soak.life.history import History

SENT, CLOSED = "sent", "closed"


@dataclass(frozen=True)
class Ways:
    """What people chose, by time."""

    linked: dict[UUID, list[Step]]
    off: dict[tuple[UUID, str, str], list[Step]]
    is_open: dict[str, list[Step]]

    @classmethod
    def of(cls, history: History) -> Ways:
        """As the history has it."""
        ways = cls(defaultdict(list), defaultdict(list), defaultdict(list))
        for event in history.of("link", "unlink"):
            account = event.discord_id if event.what == "link" else None
            ways.linked[event.user_id].append(Step(event.at, account))
        for event in history.of("turn off", "turn on"):
            choice = (event.user_id, event.kind, event.channel)
            ways.off[choice].append(Step(event.at, event.what == "turn off"))
        for event in history.of("messages"):
            ways.is_open[event.discord_id].append(Step(event.at, event.open))
        return ways

    def outcomes(
        self, kind: str, person: UUID, wished: str, at: datetime, sent_at: datetime | None = None
    ) -> dict[str, str]:
        """What becomes of a notification on each channel, told at `at`; `wished`: `sent`, or why it is skipped.

        `sent_at`: when it was sent, by default at once: only then it turns out whether somebody takes messages.
        """
        entry = CATALOGUE[kind]
        account = as_of(self.linked.get(person, []), at)
        channels = [channel.value for channel in entry.channels if channel.value == "email" or account]
        if wished != SENT:
            return dict.fromkeys(channels, wished)
        found = {
            channel: "turned_off" if entry.optional and self._is_off(person, kind, channel, at) else SENT
            for channel in channels
        }
        if found.get("discord") == SENT and not as_of(self.is_open.get(account, []), sent_at or at, True):
            found["discord"] = CLOSED
            found["email"] = SENT  # who can't be written to directly gets the mail that they had turned off
        return found

    def _is_off(self, person: UUID, kind: str, channel: str, at: datetime) -> bool:
        return bool(as_of(self.off.get((person, kind, channel), []), at))
