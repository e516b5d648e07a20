"""Signing up and confirming the address. Works on the service's unit of work: nobody is known yet."""

from __future__ import annotations

from uuid import UUID

from app.accounts import links, passwords, repository, rules
from app.accounts.models import Purpose, User
from app.core import clock
from app.core.ids import new_id
from app.core.unit_of_work import Role, UnitOfWork
from app.notifications import telling
from app.notifications.kinds import Anchor
from app.settings import Settings


async def sign_up(
    uow: UnitOfWork, settings: Settings, *, name: str, email: str, password: str, time_zone: str
) -> None:
    """Make a student's account and mail the link that confirms its address.

    An address that has an account gets a mail that says so instead, and the caller can't tell the difference. One
    that was never confirmed belongs to nobody yet: the newest sign-up replaces it and ends the older links. One that
    was invited is sent its invitation again; what was typed here is dropped, for anybody could have typed it.
    Raises Invalid naming `name`, `email`, `password`, `time_zone`.
    """
    name, email = rules.tidy(name), rules.tidy(email)
    rules.check(
        name=rules.name_problem(name),
        email=rules.email_problem(email),
        password=rules.password_problem(password, email),
        time_zone=rules.zone_problem(time_zone),
    )
    # Hashed before anything is looked up: known and unknown addresses take the same time.
    fields = {"name": name, "password_hash": await passwords.hash_password(password), "time_zone": time_zone}
    user_id = await repository.add_user(uow.session, _row(email, Role.STUDENT, fields))
    if user_id is not None:
        await links.send(uow, settings, user_id, Purpose.VERIFY_EMAIL)
        return
    known = await repository.user_by_email(uow.session, email, lock=True)
    if known is not None and known.deleted_at is None:
        await _sign_up_again(uow, settings, known, fields)


async def _sign_up_again(uow: UnitOfWork, settings: Settings, known: User, fields: dict[str, str]) -> None:
    now = clock.now()
    if _is_invited(known):
        await links.send(uow, settings, known.id, Purpose.INVITATION)
        return
    if known.email_verified_at is None:
        await repository.change_user(uow.session, known.id, fields)
        await repository.end_links(uow.session, known.id, Purpose.VERIFY_EMAIL, now)
        await links.send(uow, settings, known.id, Purpose.VERIFY_EMAIL)
        return
    # One mail in ten minutes, however often somebody tries.
    moment = f"{now:%Y-%m-%dT%H}:{now.minute // 10}"
    await telling.tell(uow, "already_registered", {"user_id": known.id, "moment": moment})


async def add_user(
    uow: UnitOfWork,
    *,
    name: str,
    email: str,
    role: Role,
    time_zone: str,
    password_hash: str | None,
    verified: bool,
) -> UUID | None:
    """Insert an account with checked fields; None if the address is taken."""
    fields = {"name": name, "password_hash": password_hash, "time_zone": time_zone}
    row = _row(email, role, fields) | {"email_verified_at": clock.now() if verified else None}
    user_id = await repository.add_user(uow.session, row)
    if user_id is not None and verified:
        await begin(uow, user_id, role)
    return user_id


async def begin(uow: UnitOfWork, user_id: UUID, role: Role) -> None:
    """The account became usable just now: its address is confirmed. Students are reminded of getting started."""
    if role is Role.STUDENT:
        await telling.schedule(uow, Anchor.ACCOUNT, clock.now(), {"user_id": user_id})


async def resend_verification(uow: UnitOfWork, settings: Settings, *, email: str) -> None:
    """Mail the confirming link again; nothing happens for an address that needs none, and nobody can tell."""
    user = await repository.user_by_email(uow.session, rules.tidy(email))
    if user is not None and user.deleted_at is None and user.email_verified_at is None:
        await links.send(
            uow, settings, user.id, Purpose.INVITATION if _is_invited(user) else Purpose.VERIFY_EMAIL
        )


def _is_invited(user: User) -> bool:
    """True for an account that waits for its owner (`app.accounts.invitations`)."""
    return user.email_verified_at is None and user.password_hash is None


async def address_to_verify(uow: UnitOfWork, token: str) -> str | None:
    """The e-mail address that the link would confirm; None if the link doesn't work."""
    user_id = await links.owner(uow, Purpose.VERIFY_EMAIL, token)
    user = await repository.user_by_id(uow.session, user_id) if user_id else None
    return user.email if user and user.deleted_at is None else None


async def verify(uow: UnitOfWork, token: str) -> str | None:
    """Confirm the address that the link was sent to and return it; None if the link doesn't work. Once a link."""
    user_id = await links.use(uow, Purpose.VERIFY_EMAIL, token)
    user = await repository.user_by_id(uow.session, user_id, lock=True) if user_id else None
    if user is None or user.deleted_at is not None:
        return None
    await confirm(uow, user)
    return user.email


async def confirm(uow: UnitOfWork, user: User) -> None:
    """The account's address is its owner's; somebody has shown that. Service unit of work."""
    if user.email_verified_at is None:
        await repository.change_user(uow.session, user.id, {"email_verified_at": clock.now()})
        await begin(uow, user.id, user.role)


def _row(email: str, role: Role, fields: dict[str, str | None] | dict[str, str]) -> dict[str, object]:
    return {"id": new_id(), "email": email, "role": role, "theme": "auto", "created_at": clock.now()} | fields
