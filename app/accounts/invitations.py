"""Accounts that an admin makes for somebody else: without a password, until their owner takes the invitation up.

An invited account is one without a password whose address nobody has confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.accounts import links, passwords, repository, rules, sign_up, web_sessions
from app.accounts.models import Purpose, User
from app.accounts.sign_in import SignedIn
from app.accounts.web_sessions import Browser
from app.core import audit, clock
from app.core.errors import Invalid, NotFound, Refused
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.settings import Settings

INVITABLE = (Role.STUDENT, Role.MENTOR)
NOT_INVITED = "This account is in use already: there is no invitation to send or take back."
TOO_OFTEN = f"This address was sent {links.AT_MOST_AN_HOUR} invitations within an hour. Please wait a while."


@dataclass(frozen=True)
class Invited:
    """Whose account it is. Not `is_new`: the address had an account (a deleted one, perhaps) and nothing was sent."""

    user_id: UUID
    is_new: bool


@dataclass(frozen=True)
class Invitation:
    """Whom a link invites, and as what."""

    user_id: UUID
    name: str
    email: str
    role: Role
    time_zone: str


def is_open(user: User) -> bool:
    """True while the account waits for its owner."""
    return user.deleted_at is None and user.email_verified_at is None and user.password_hash is None


async def invite(
    uow: UnitOfWork,
    settings: Settings,
    *,
    email: str,
    name: str,
    role: Role,
    time_zone: str,
    by: Principal,
) -> Invited:
    """Make an account for somebody and mail them the link to take it up. Service unit of work; commits nothing.

    `role`: student or mentor (a mentor's teaching profile is made by `app.admin.invitations`). `time_zone`: an IANA
    name, "" for UTC until its owner says otherwise. `by`: the admin. Raises Invalid naming `name`, `email`, `role`,
    `time_zone`.
    """
    name, email, time_zone = rules.tidy(name), rules.tidy(email), time_zone or "UTC"
    rules.check(
        name=rules.name_problem(name),
        email=rules.email_problem(email),
        role=None if role in INVITABLE else "Invite a student or an instructor.",
        time_zone=rules.zone_problem(time_zone),
    )
    user_id = await sign_up.add_user(
        uow, name=name, email=email, role=role, time_zone=time_zone, password_hash=None, verified=False
    )
    if user_id is None:
        return Invited(await _known(uow, email), is_new=False)
    await links.send(uow, settings, user_id, Purpose.INVITATION)
    await audit.record(uow, "invite", "users", user_id, None, {"role": role}, actor=by)
    return Invited(user_id, is_new=True)


async def _known(uow: UnitOfWork, email: str) -> UUID:
    user = await repository.user_by_email(uow.session, email)
    if user is None:  # erased at this very moment
        raise Invalid({"email": "That didn't work just now. Please try again."})
    return user.id


async def send_again(uow: UnitOfWork, settings: Settings, user_id: UUID, *, by: Principal) -> None:
    """Mail a new link; the older ones end. Service unit of work.

    Raises NotFound, Refused(`not_invited`, `too_often`).
    """
    user = await _invited(uow, user_id)
    await repository.end_links(uow.session, user.id, Purpose.INVITATION, clock.now())
    if not await links.send(uow, settings, user.id, Purpose.INVITATION):
        raise Refused("too_often", TOO_OFTEN)
    await audit.record(uow, "send_invitation", "users", user.id, actor=by)


async def withdraw(uow: UnitOfWork, user_id: UUID, *, by: Principal) -> None:
    """Take an invitation back: its links end, and the account, which nobody ever used, is deleted (restorable).

    Service unit of work. Raises NotFound, Refused(`not_invited`).
    """
    user = await _invited(uow, user_id)
    now = clock.now()
    await repository.end_links(uow.session, user.id, Purpose.INVITATION, now)
    await repository.change_user(uow.session, user.id, {"deleted_at": now})
    await audit.record(uow, "withdraw_invitation", "users", user.id, actor=by)


async def invitation(uow: UnitOfWork, token: str) -> Invitation | None:
    """Whom the link invites; None if it doesn't work (any more). Service unit of work."""
    user = await _guest(uow, token)
    return Invitation(user.id, user.name, user.email, user.role, user.time_zone) if user else None


async def accept(
    uow: UnitOfWork, settings: Settings, token: str, *, password: str, time_zone: str, browser: Browser
) -> SignedIn | None:
    """Take an account up: its password, its zone, its address confirmed by the link, and signed in.

    None if the link doesn't work; of two at once, one gets in. What is refused (Invalid naming `password`,
    `time_zone`) leaves the link good for another try. Service unit of work; no transaction is open while hashing.
    """
    guest = await _guest(uow, token)
    await uow.commit()
    if guest is None:
        return None
    rules.check(
        password=rules.password_problem(password, guest.email), time_zone=rules.zone_problem(time_zone)
    )
    hashed = await passwords.hash_password(password)
    user_id = await links.use(uow, Purpose.INVITATION, token)
    user = await repository.user_by_id(uow.session, user_id, lock=True) if user_id else None
    if user is None or not is_open(user):
        return None
    values = {"password_hash": hashed, "email_verified_at": clock.now(), "time_zone": time_zone}
    await repository.change_user(uow.session, user.id, values)
    await sign_up.begin(uow, user.id, user.role)
    await repository.end_links(uow.session, user.id, Purpose.VERIFY_EMAIL, clock.now())
    await repository.end_links(uow.session, user.id, Purpose.RESET_PASSWORD, clock.now())
    await audit.record(uow, "accept_invitation", "users", user.id, actor=Principal(user.id, user.role))
    secret = await web_sessions.start(uow, settings, user.id, browser)
    return SignedIn(user.id, user.role, time_zone, secret, is_new=True)


async def confirm(uow: UnitOfWork, user: User) -> None:
    """An invited person showed in another way that the address is theirs: the account is in use. Service unit of work."""
    await sign_up.confirm(uow, user)
    await repository.end_links(uow.session, user.id, Purpose.INVITATION, clock.now())
    await audit.record(uow, "accept_invitation", "users", user.id, actor=Principal(user.id, user.role))


async def _guest(uow: UnitOfWork, token: str) -> User | None:
    user_id = await links.owner(uow, Purpose.INVITATION, token)
    user = await repository.user_by_id(uow.session, user_id) if user_id else None
    return user if user is not None and is_open(user) else None


async def _invited(uow: UnitOfWork, user_id: UUID) -> User:
    user = await repository.user_by_id(uow.session, user_id, lock=True)
    if user is None:
        raise NotFound
    if not is_open(user):
        raise Refused("not_invited", NOT_INVITED)
    return user
