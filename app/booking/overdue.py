"""Sessions that nobody marked: 48 hours after their end they count as held."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import Final

from app.booking import repository, rules
from app.booking.mark import change_status
from app.booking.models import SessionStatus
from app.booking.refusals import NOT_MARKED, BookingRefused
from app.booking.transactions import decided
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor

logger = logging.getLogger(__name__)

BATCH: Final = 200


async def complete_overdue(database: Database) -> int:
    """Complete every session that ended 48 hours ago and is still scheduled; both people are told. Returns how many.

    Each in a transaction of its own; one that was marked at this moment stays as it was marked.
    """
    completed = 0
    while True:
        async with database.service(ServiceDoor.JOB) as uow:
            ended_before = clock.now() - timedelta(hours=rules.OVERDUE_HOURS)
            ids = await repository.overdue(uow.session, ended_before, BATCH)
            await uow.rollback()
            for session_id in ids:
                change = partial(
                    change_status, uow, session_id, SessionStatus.COMPLETED, told="session_auto_completed"
                )
                try:
                    await decided(uow, change, NOT_MARKED)
                    completed += 1
                except BookingRefused as error:
                    logger.info("session %s was not completed: %s", session_id, error)
        if len(ids) < BATCH:
            return completed
