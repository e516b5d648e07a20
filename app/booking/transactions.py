"""A change of sessions as one transaction: constraints decide races, deadlocks are tried again a bounded number of times."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from psycopg import errors
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.booking.refusals import BookingRefused, refusal
from app.core.unit_of_work import UnitOfWork

logger = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS: Final = 4
_CONSTRAINTS: Final = {
    "ex_sessions_mentor_blocked": "slot_taken",
    "ex_sessions_student_own": "own_session",
    "ck_session_packs_credit": "no_credit",
    "ck_sessions_recording_consent": "no_recording_consent",
}
_PASSING = (errors.DeadlockDetected, errors.SerializationFailure)


async def decided(uow: UnitOfWork, change: Callable[[], Awaitable[T]], unchanged: str) -> T:
    """Run `change` and commit. Whatever it raises undoes all of it; locks are free again either way.

    Raises BookingRefused where a constraint says no: it saw what the checks before could not.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with uow.transaction():
                return await change()
        except IntegrityError as error:
            code = _CONSTRAINTS.get(constraint_of(error) or "")
            if code is None:
                raise
            raise BookingRefused(refusal(code, unchanged)) from error
        except DBAPIError as error:
            if attempt == ATTEMPTS or not isinstance(error.orig, _PASSING):
                raise
            logger.warning("attempt %s lost to %s", attempt, type(error.orig).__name__)
    raise AssertionError("unreachable")


def constraint_of(error: IntegrityError) -> str | None:
    """The name of the constraint that was violated."""
    return error.orig.diag.constraint_name if isinstance(error.orig, errors.Error) else None
