"""An admin's work on somebody's account: another role, deletion and restoration, with what they mean to every slice.

All on the service's unit of work, for nobody may change these columns of a user; `by` is the admin who asks.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.accounts import repository as users
from app.accounts import service as accounts
from app.accounts.models import User
from app.admin import owed
from app.core.errors import NotFound, Refused
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.mentors import enrollment
from app.mentors.models import Mentor
from app.packs import waitlist

DEFAULT_SEATS = 5


async def change_role(uow: UnitOfWork, user_id: UUID, role: Role, *, by: Principal) -> bool:
    """Make a user a student, mentor or admin; False if they are that already. They are signed out everywhere.

    Somebody who becomes a mentor gets a teaching profile, or the one they had before. Whoever has a seat, sessions or
    packs, of either side, keeps their role until those are over; waiting ends. Raises NotFound, Forbidden, Refused
    (`own_account`, `last_admin`, `deleted`, `unconfirmed`, `seats_live`, and as `owed.refuse_while_owed`).
    """
    user = await _seen(uow, user_id)
    if user.deleted_at is not None:
        raise Refused("deleted", "This account is deleted. Restore it first.")
    if user.role is role:
        return False
    if role is Role.ADMIN and user.email_verified_at is None:
        raise Refused("unconfirmed", "Nobody has confirmed this address yet, so it can't be an admin's.")
    await lock_profile(uow, user_id)
    await accounts.change_role(uow, user_id, role, by=by)
    await owed.refuse_while_owed(uow, user_id)
    await owed.refuse_while_seated(uow, user_id)
    await waitlist.end_all(uow, user_id)
    if role is Role.MENTOR:
        await become_mentor(uow, user)
    return True


async def become_mentor(uow: UnitOfWork, user: User, seats: int = DEFAULT_SEATS) -> None:
    """Give a user the teaching profile of a mentor, unless they have one: no hours yet, so many seats, their zone."""
    if await uow.session.get(Mentor, user.id) is None:
        await enrollment.enroll(
            uow, user.id, name=user.name, time_zone=user.time_zone, max_active_students=seats
        )


async def delete(uow: UnitOfWork, user_id: UUID, *, by: Principal) -> bool:
    """Delete an account so that it can be restored; False if it is deleted already.

    Raises NotFound, Forbidden, Refused (`own_account`, `last_admin`, and as `owed.refuse_while_owed`).
    """
    if (await _seen(uow, user_id)).deleted_at is not None:
        return False
    await lock_profile(uow, user_id)
    await accounts.delete_user(uow, user_id, by=by)
    await owed.refuse_while_owed(uow, user_id)
    return True


async def restore(uow: UnitOfWork, user_id: UUID, *, by: Principal) -> bool:
    """Give a deleted account back, all of it; False if it isn't deleted. Raises NotFound, Refused(`forgotten`)."""
    user = await _seen(uow, user_id)
    if user.deleted_at is None:
        return False
    await accounts.restore_user(uow, user_id, by=by)
    if user.role is Role.MENTOR:
        await uow.emit("seats/offer", {"mentor_id": user_id})  # who waited may have waited for this
    return True


async def _seen(uow: UnitOfWork, user_id: UUID) -> User:
    user = await users.user_by_id(uow.session, user_id)
    if user is None:
        raise NotFound
    return user


async def lock_profile(uow: UnitOfWork, user_id: UUID) -> None:
    """Nobody takes a seat of theirs, or books with them, meanwhile."""
    await uow.session.execute(sa.select(Mentor.id).where(Mentor.id == user_id).with_for_update())
