"""Alerts to admins: sending is stuck."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import watchdog
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.core.watchdog import Reading
from app.notifications import telling
from app.notifications.catalogue import CATALOGUE
from app.notifications.service import Message, SkipReason
from app.payments import sales
from app.settings import Settings

logger = logging.getLogger(__name__)


async def look(uow: UnitOfWork, settings: Settings) -> None:
    """Say in the log, each time, and tell every admin, once an hour, if the oldest event waits for too long."""
    reading = await watchdog.read(uow)
    if not reading.is_stuck(limit(settings)):
        return
    logger.error(
        "sending is stuck: %s events wait, the oldest (%s) for %s minutes; %s workers are alive",
        *(reading.waiting, reading.oldest_what, minutes(reading), reading.workers),
    )
    if await watchdog.claim_alert(uow, reading.at):
        await telling.tell(uow, "sending_stuck", {"hour": iso(reading.at)})


async def sending_stuck(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"hour"}`: every admin, unless all was sent meanwhile: then they learn of it if it happens again."""
    reading = await watchdog.read(uow)
    over = not reading.is_stuck(limit(settings))
    if over:
        await watchdog.take_alert_back(uow)
    context = {
        "waiting": reading.waiting,
        "minutes": minutes(reading),
        "what": what(reading),
        "limit": settings.alert_after_minutes,
        "undelivered": reading.count("failed", "uncertain"),
        "link": f"{settings.public_url}/admin/jobs",
    }
    skip = SkipReason.OUTDATED if over else None
    return [
        Message(admin.id, admin.email, context | {"recipient_name": admin.name}, skip=skip)
        for admin in await sales.admins(uow.session)
    ]


def limit(settings: Settings) -> timedelta:
    """How long something may wait."""
    return timedelta(minutes=settings.alert_after_minutes)


def minutes(reading: Reading) -> int:
    """How long the oldest has waited, in whole minutes."""
    return int(reading.waited.total_seconds() // 60)


def what(reading: Reading) -> str:
    """What the oldest is, as settings call it; its type where it is no notification."""
    kind = CATALOGUE.get(reading.oldest_what or "")
    return kind.about if kind else reading.oldest_what or ""


NOTICES = {"sending_stuck": sending_stuck}
