"""A new password: by knowing the old one, or by a link to the mailbox. Both end the other sign-ins."""

from __future__ import annotations

from app.accounts import discord, links, passwords, repository, rules, sign_up
from app.accounts.models import Purpose, User
from app.accounts.themselves import require_themselves
from app.core import audit, clock
from app.core.errors import Invalid, Unauthenticated
from app.core.ids import hash_secret
from app.core.unit_of_work import Principal, UnitOfWork
from app.notifications import telling
from app.settings import Settings


async def change_password(uow: UnitOfWork, *, current: str, new: str, secret: str | None) -> None:
    """Change the signed-in user's password; the browser that carries `secret` stays signed in, all others don't.

    An account without a password (made by Google) gets its first one; `current` is not asked then.
    Raises Invalid naming `current_password` or `new_password`.
    """
    require_themselves(uow.principal)
    user = await _me(uow)
    stored = user.password_hash
    await uow.commit()
    if stored is not None and not await passwords.matches(stored, current):
        raise Invalid({"current_password": "That isn't your password now."})
    rules.check(new_password=rules.password_problem(new, user.email))
    hashed = await passwords.hash_password(new)
    if (await _me(uow, lock=True)).password_hash != stored:
        raise Invalid({"current_password": "Your password was changed a moment ago somewhere else."})
    await repository.end_web_sessions(
        uow.session, user.id, but=hash_secret(secret) if secret is not None else None
    )
    await _store(uow, user, hashed, "change_password")


async def request_reset(uow: UnitOfWork, settings: Settings, *, email: str) -> None:
    """Mail a link to set a new password, if the address has an account; nobody can tell. Service unit of work.

    Raises Invalid naming `email`.
    """
    email = rules.tidy(email)
    rules.check(email=rules.email_problem(email))
    user = await repository.user_by_email(uow.session, email)
    if user is not None and user.deleted_at is None:
        await links.send(uow, settings, user.id, Purpose.RESET_PASSWORD)


async def reset_works(uow: UnitOfWork, token: str) -> bool:
    """True while the link can set a password. Service unit of work."""
    return await links.owner(uow, Purpose.RESET_PASSWORD, token) is not None


async def reset_password(uow: UnitOfWork, token: str, *, new: str) -> bool:
    """Set a new password by the link and shut everybody out; False if the link doesn't work. Service unit of work.

    Web sessions and access tokens end, Google accounts with another address are disconnected and Discord, which acts
    for its owner, is unlinked: somebody who got in may have made them. Whoever opened the link owns the mailbox: an unconfirmed address is confirmed by it. A password that is refused
    (Invalid naming `password`) leaves the link good for another try.
    """
    user_id = await links.owner(uow, Purpose.RESET_PASSWORD, token)
    user = await repository.user_by_id(uow.session, user_id) if user_id else None
    await uow.commit()
    if user is None or user.deleted_at is not None:
        return False
    rules.check(password=rules.password_problem(new, user.email))
    hashed = await passwords.hash_password(new)
    if await links.use(uow, Purpose.RESET_PASSWORD, token) is None:
        return False
    await repository.user_by_id(uow.session, user.id, lock=True)
    await repository.shut_out(uow.session, user.id, user.email)
    await discord.shut_out(uow, Principal(user.id, user.role), user.id)
    for purpose in (Purpose.VERIFY_EMAIL, Purpose.INVITATION):
        await repository.end_links(uow.session, user.id, purpose, clock.now())
    await sign_up.confirm(uow, user)
    await _store(uow, user, hashed, "reset_password")
    return True


async def _store(uow: UnitOfWork, user: User, hashed: str, action: str) -> None:
    await repository.change_user(uow.session, user.id, {"password_hash": hashed})
    await audit.record(uow, action, "users", user.id, actor=Principal(user.id, user.role))
    await telling.tell(uow, "password_changed", {"user_id": user.id})


async def _me(uow: UnitOfWork, *, lock: bool = False) -> User:
    user = await repository.user_by_id(uow.session, uow.user_id, lock=lock)
    if user is None or user.deleted_at is not None:
        raise Unauthenticated
    return user
