"""`python -m tests.notifications.sender EVENT`: delivers an event's recorded mails once, as a worker would."""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

from app import wiring
from app.notifications import service
from app.settings import Settings


async def main(event_id: UUID) -> None:
    """Deliver, then end."""
    platform = wiring.build(Settings.from_env())
    await service.deliver(platform.database, platform.outlets, event_id)
    await platform.close()


if __name__ == "__main__":
    asyncio.run(main(UUID(sys.argv[1])))
