"""Signing in with a password."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.accounts import passwords, repository, rules, web_sessions
from app.accounts.models import User
from app.accounts.web_sessions import Browser
from app.core.errors import Invalid, Refused
from app.core.unit_of_work import Role, UnitOfWork
from app.settings import Settings

_WRONG = "That e-mail address and password don't go together."


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, and the secret for the browser's cookie. `is_new`: the account was made just now."""

    user_id: UUID
    role: Role
    time_zone: str
    secret: str
    is_new: bool = False


async def sign_in(
    uow: UnitOfWork, settings: Settings, *, email: str, password: str, browser: Browser
) -> SignedIn:
    """Start a web session for whoever knows the password. Service unit of work; no transaction is open meanwhile.

    Raises Invalid, after the same time and with the same words, for a wrong password and for an address without
    account or password; Refused("email_not_verified") to those who know the password of an unconfirmed account.
    """
    user = await repository.user_by_email(uow.session, rules.tidy(email))
    await uow.commit()
    stored = user.password_hash if user and user.deleted_at is None else None
    if not await passwords.matches(stored, password) or user is None or stored is None:
        raise Invalid({"form": _WRONG})
    if user.email_verified_at is None:
        raise Refused("email_not_verified", "This address isn't confirmed yet.", status=422)
    renewed = await passwords.hash_password(password) if passwords.is_outdated(stored) else None
    await _still_the_same(uow, user, stored)
    if renewed:
        await repository.change_user(uow.session, user.id, {"password_hash": renewed})
    secret = await web_sessions.start(uow, settings, user.id, browser)
    return SignedIn(user.id, user.role, user.time_zone, secret)


async def _still_the_same(uow: UnitOfWork, user: User, stored: str) -> None:
    """Nobody changed the password, or deleted the account, while it was checked."""
    now = await repository.user_by_id(uow.session, user.id, lock=True)
    if now is None or now.deleted_at is not None or now.password_hash != stored:
        raise Invalid({"form": _WRONG})
