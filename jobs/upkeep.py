"""Housekeeping of the platform's own tables."""

from __future__ import annotations

import logging

from app.core import retention
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.notifications import service as notifications
from app.wiring import Platform

logger = logging.getLogger(__name__)


async def purge(platform: Platform, event: Event) -> None:
    """Delete what is past its time."""
    async with platform.database.service(ServiceDoor.JOB) as uow:
        deleted = await retention.purge(uow)
        deleted["texts of mails"] = await notifications.forget_rendered(uow)
        await uow.commit()
    logger.info("purged %s", deleted)
