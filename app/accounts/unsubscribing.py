"""Turning a kind of notification off by the link in it: who has the link may, signed in or not.

The request's unit of work becomes the link's owner, so that row-level security lets it do that and nothing more.
"""

from __future__ import annotations

from app.accounts import repository
from app.core.unit_of_work import ANONYMOUS, Principal, UnitOfWork
from app.notifications import preferences
from app.notifications.unsubscribe import Choice


async def reader(uow: UnitOfWork, choice: Choice) -> str | None:
    """The address of the link's owner, partly hidden; None if the account is gone. From here on `uow` is theirs."""
    await uow.become(Principal(choice.user_id, ANONYMOUS.role, address=uow.principal.address))
    user = await repository.user_by_id(uow.session, choice.user_id)
    return None if user is None or user.deleted_at is not None else hidden(user.email)


async def is_off(uow: UnitOfWork, choice: Choice) -> bool:
    """True if it was turned off before."""
    return (choice.kind.name, choice.channel) in await preferences.turned_off(uow, choice.user_id)


async def turn(uow: UnitOfWork, choice: Choice, *, on: bool) -> None:
    """Turn it on or off; again changes nothing."""
    change = preferences.turn_on if on else preferences.turn_off
    await change(uow, choice.user_id, [(choice.kind.name, choice.channel)])


def hidden(email: str) -> str:
    """`s…@example.test`: enough to know one's own address by, and nothing for whom the mail was passed on to."""
    name, _, domain = email.partition("@")
    return f"{name[0]}…@{domain}"
