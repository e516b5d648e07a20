"""Accounts as others use them: making, finding, changing roles, deleting, restoring, forgetting."""

from __future__ import annotations

from uuid import UUID

from app.accounts import discord, passwords, repository, rules, sign_up
from app.accounts.access_tokens import issue_token
from app.accounts.models import User
from app.core import audit, clock
from app.core.errors import Forbidden, Invalid, NotFound, Refused
from app.core.unit_of_work import Principal, Role, UnitOfWork

__all__ = [
    "change_role",
    "create_user",
    "delete_user",
    "find_by_email",
    "forget",
    "issue_token",
    "restore_user",
]

FORMER = "Former member"


async def create_user(
    uow: UnitOfWork,
    *,
    name: str,
    email: str,
    role: Role,
    time_zone: str,
    password: str | None = None,
    password_hash: str | None = None,
    verified: bool = True,
) -> UUID:
    """Make an account and return its id, for demo data, invitations and the operator. Service unit of work.

    `time_zone`: an IANA name. Without `password`, or the `password_hash` of one, its owner signs in with Google or by
    resetting it. No mail is sent now; a student whose address is `verified` is reminded of getting started.
    Raises Invalid naming the field, also where the address is taken.
    """
    name, email = rules.tidy(name), rules.tidy(email)
    rules.check(
        name=rules.name_problem(name),
        email=rules.email_problem(email),
        password=rules.password_problem(password, email) if password is not None else None,
        time_zone=rules.zone_problem(time_zone),
    )
    if password is not None:
        password_hash = await passwords.hash_password(password)
    user_id = await sign_up.add_user(
        uow,
        name=name,
        email=email,
        role=role,
        time_zone=time_zone,
        password_hash=password_hash,
        verified=verified,
    )
    if user_id is None:
        raise Invalid({"email": "There is an account with this address already."})
    return user_id


async def find_by_email(uow: UnitOfWork, email: str) -> User | None:
    """The account with that address, in whatever case it is written, unless it was deleted."""
    user = await repository.user_by_email(uow.session, rules.tidy(email))
    return user if user is not None and user.deleted_at is None else None


async def change_role(uow: UnitOfWork, user_id: UUID, role: Role, *, by: Principal | None = None) -> None:
    """Give an account another role; whatever was signed in with the old one, tokens included, ends. Service unit of work.

    What the role means elsewhere is `app.admin.roles`. `by`: the admin, None for the operator. Raises NotFound,
    Forbidden if `by` is an admin no more, Refused: `own_account`, `last_admin` where nobody would be left to administer.
    """
    admins = await repository.lock_admins(uow.session)
    user = await _live(uow, user_id)
    if user.role is role:
        return
    before = user.role
    _require_right(user, admins, by)
    await repository.end_sign_ins(uow.session, user_id)
    await repository.change_user(uow.session, user_id, {"role": role})
    await audit.record(uow, "change_role", "users", user_id, {"role": before}, {"role": role}, actor=by)


async def delete_user(uow: UnitOfWork, user_id: UUID, *, by: Principal | None = None) -> None:
    """Close an account so that it can be restored: signed out everywhere, invisible. Service unit of work.

    Access tokens and identities stay, without use, for a restored account. `by` and what is raised: as `change_role`.
    """
    admins = await repository.lock_admins(uow.session)
    user = await _live(uow, user_id)
    _require_right(user, admins, by)
    await repository.end_web_sessions(uow.session, user_id)
    await repository.change_user(uow.session, user_id, {"deleted_at": clock.now()})
    await discord.sync_role(uow, user_id)
    await audit.record(uow, "delete_user", "users", user_id, actor=by)


async def restore_user(uow: UnitOfWork, user_id: UUID, *, by: Principal | None = None) -> None:
    """Open a closed account again; its owner signs in anew. Service unit of work.

    Raises NotFound if it isn't closed, Refused("forgotten") if nothing is left to restore.
    """
    user = await repository.user_by_id(uow.session, user_id, lock=True)
    if user is None or user.deleted_at is None:
        raise NotFound
    if user.forgotten_at is not None:
        raise Refused("forgotten", "This account was erased and can't be restored.")
    await repository.change_user(uow.session, user_id, {"deleted_at": None})
    await discord.sync_role(uow, user_id)
    await audit.record(uow, "restore_user", "users", user_id, actor=by)


async def forget(uow: UnitOfWork, user_id: UUID, *, actor: Principal | None = None) -> None:
    """Overwrite a person with nobody (domain: "Forgetting"): row, identities, links, web sessions, tokens.

    Service unit of work; `actor` asked for it. What the other slices hold is erased by `app.site.forgetting`, in the
    same transaction and only if nothing is owed any more. Raises NotFound, Refused("last_admin").
    """
    admins = await repository.lock_admins(uow.session)
    user = await repository.lock_user(uow.session, user_id)
    if user is None or user.forgotten_at is not None:
        raise NotFound
    _leave_an_admin(user, admins)
    now = clock.now()
    await discord.let_go(uow, user_id)
    await repository.drop_secrets(uow.session, user_id)
    await repository.change_user(
        uow.session,
        user_id,
        {
            "name": FORMER,
            "email": f"{user_id.hex}@forgotten.invalid",
            "email_verified_at": None,
            "password_hash": None,
            "time_zone": "UTC",
            "theme": "auto",
            "deleted_at": user.deleted_at or now,
            "forgotten_at": now,
            "mail_paused_at": None,
            "mail_paused_reason": None,
        },
    )
    await audit.record(uow, "forget_user", "users", user_id, actor=actor)


async def _live(uow: UnitOfWork, user_id: UUID) -> User:
    """The account, locked also against packs, sessions and orders that are being written: they are seen or come after."""
    user = await repository.lock_user(uow.session, user_id)
    if user is None or user.deleted_at is not None:
        raise NotFound
    return user


def _require_right(user: User, admins: set[UUID], by: Principal | None) -> None:
    _leave_an_admin(user, admins)
    if by is None:
        return
    if by.user_id == user.id:
        raise Refused("own_account", "This is your own account: another admin has to do that.")
    if by.user_id not in admins:
        raise Forbidden


def _leave_an_admin(user: User, admins: set[UUID]) -> None:
    if admins == {user.id}:
        raise Refused("last_admin", "This is the only admin; make somebody else one first.")
