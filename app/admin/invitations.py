"""Invitations of students and mentors, with the teaching profile that a mentor gets."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.accounts import invitations
from app.accounts import repository as users
from app.accounts.invitations import Invited
from app.accounts.sign_in import SignedIn
from app.accounts.web_sessions import Browser
from app.admin import owed
from app.admin.accounts import become_mentor, lock_profile
from app.core.errors import Invalid
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.mentors.models import Mentor
from app.mentors.rules import SEATS, whole_number
from app.settings import Settings


async def invite(
    uow: UnitOfWork,
    settings: Settings,
    *,
    email: str,
    name: str,
    role: Role,
    time_zone: str,
    seats: int,
    by: Principal,
) -> Invited:
    """`app.accounts.invitations.invite`; a mentor gets a teaching profile with so many `seats`, without hours yet.

    It is shown to nobody until the invitation is taken up.
    """
    invited = await invitations.invite(
        uow, settings, email=email, name=name, role=role, time_zone=time_zone, by=by
    )
    if invited.is_new and role is Role.MENTOR:
        user = await users.user_by_id(uow.session, invited.user_id)
        if user is not None:
            await become_mentor(uow, user, seats)
    return invited


async def accept(
    uow: UnitOfWork, settings: Settings, token: str, *, password: str, time_zone: str, browser: Browser
) -> SignedIn | None:
    """`app.accounts.invitations.accept`; a mentor's hours are in the zone they confirm, if none are set yet."""
    person = await invitations.accept(
        uow, settings, token, password=password, time_zone=time_zone, browser=browser
    )
    if person is not None and person.role is Role.MENTOR:
        await _settle_zone(uow, person.user_id, time_zone)
    return person


async def withdraw(uow: UnitOfWork, user_id: UUID, *, by: Principal) -> None:
    """`app.accounts.invitations.withdraw`; refused while sessions wait for them (`owed.refuse_while_owed`).

    Students who were brought over have packs before they take their account up.
    """
    await lock_profile(uow, user_id)
    await invitations.withdraw(uow, user_id, by=by)
    await owed.refuse_while_owed(uow, user_id)


def seats_of(text: str) -> int:
    """The posted number of seats. Raises Invalid naming `seats`."""
    errors: dict[str, str] = {}
    seats = whole_number({"seats": [text]}, "seats", SEATS, errors)
    if errors:
        raise Invalid(errors)
    return seats


async def _settle_zone(uow: UnitOfWork, mentor_id: UUID, time_zone: str) -> None:
    hours_open = sa.update(Mentor).where(Mentor.id == mentor_id, Mentor.working_hours.is_(None))
    await uow.session.execute(
        hours_open.values(time_zone=time_zone).execution_options(synchronize_session=False)
    )
