"""What was done in a soak, when, by whom: written by the driver, read by the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Happened:
    """Something that was done and not refused. `at` is business time, just after it."""

    at: datetime
    what: str
    facts: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.facts[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass
class History:
    """Everything that was done, in its order; how often something was refused."""

    events: list[Happened] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    def note(self, at: datetime, what: str, **facts: Any) -> None:
        """Something was done."""
        self.events.append(Happened(at, what, facts))

    def refuse(self, what: str) -> None:
        """Something was wished for in vain."""
        self.refused[what] = self.refused.get(what, 0) + 1

    def of(self, *whats: str) -> Iterator[Happened]:
        """Those of some sorts, in their order."""
        return (event for event in self.events if event.what in whats)
