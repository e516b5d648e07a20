"""Google accounts as a way to sign in. What Google says is trusted only as far as it says it has checked it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import msgspec

from app.accounts import invitations, repository, rules, sign_up, web_sessions
from app.accounts.models import Provider, User
from app.accounts.sign_in import SignedIn
from app.accounts.themselves import require_themselves
from app.accounts.web_sessions import Browser
from app.core import audit, clock
from app.core.errors import NotFound, Refused
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.core.zones import is_zone
from app.settings import Settings

_TRIES = 3


class UserInfo(msgspec.Struct, frozen=True):
    """Google's account, as its userinfo endpoint describes it; `sub` is the one name that never changes."""

    sub: str
    email: str = ""
    email_verified: bool = False
    name: str = ""


@dataclass(frozen=True)
class Connection:
    """The signed-in user's ways to sign in: the connected Google account's address, and whether there is a password."""

    google_email: str | None
    has_password: bool


async def sign_in_with_google(
    uow: UnitOfWork, settings: Settings, info: UserInfo, *, time_zone: str, browser: Browser
) -> SignedIn:
    """Sign in whoever owns the Google account, making a student's account the first time. Service unit of work.

    `time_zone`: of a new account, as the browser reported it; anything unknown becomes UTC.
    An existing account with the same address is connected only if both sides have confirmed that address.
    Raises Refused: `google_email_unverified`, `google_not_linked`, `google_other_account`, `account_closed`.
    """
    _require_verified(info)
    for _ in range(_TRIES):
        user_id, is_new = await _owner_or_newcomer(uow, info, time_zone)
        if user_id is not None:
            return await _start(uow, settings, user_id, browser, is_new)
        # Somebody signed in with the same account or address at this moment: look again at what is there now.
        await uow.rollback()
    raise Refused("google_busy", "That didn't work just now. Nothing was changed; please try again.")


async def _start(
    uow: UnitOfWork, settings: Settings, user_id: UUID, browser: Browser, is_new: bool
) -> SignedIn:
    user = await repository.user_by_id(uow.session, user_id, lock=True)
    if user is None or user.deleted_at is not None:
        raise Refused(
            "account_closed", "The account that belongs to this Google account was closed.", status=422
        )
    secret = await web_sessions.start(uow, settings, user.id, browser)
    return SignedIn(user.id, user.role, user.time_zone, secret, is_new)


async def _owner_or_newcomer(uow: UnitOfWork, info: UserInfo, time_zone: str) -> tuple[UUID | None, bool]:
    """Whose Google account it is from now on, and whether that user is new; None if somebody else was faster."""
    known = await repository.identity_owner(uow.session, Provider.GOOGLE, info.sub)
    if known is not None:
        return known, False
    user = await repository.user_by_email(uow.session, rules.tidy(info.email))
    user_id = await _may_connect(uow, user, info) if user else await _add(uow, info, time_zone)
    if user_id is None or not await _connect(uow, user_id, info):
        return None, False
    return user_id, user is None


async def _add(uow: UnitOfWork, info: UserInfo, time_zone: str) -> UUID | None:
    return await sign_up.add_user(
        uow,
        name=_name_of(info),
        email=rules.tidy(info.email),
        role=Role.STUDENT,
        time_zone=time_zone if is_zone(time_zone) else "UTC",
        password_hash=None,
        verified=True,
    )


async def _may_connect(uow: UnitOfWork, user: User, info: UserInfo) -> UUID:
    if invitations.is_open(user):
        # Google vouches for the address that was invited, and nobody has a password yet.
        await invitations.confirm(uow, user)
    elif user.deleted_at is not None or user.email_verified_at is None:
        raise Refused(
            "google_not_linked",
            "There is an account with this address whose owner hasn't confirmed it. Sign in with the password, or"
            " reset it, and connect Google in the settings. Nothing was changed.",
            status=422,
        )
    connected = await repository.identity_of(uow.session, user.id, Provider.GOOGLE)
    # The same subject: another first sign-in of the same person was committed since we looked for it.
    if connected is not None and connected.subject != info.sub:
        raise Refused(
            "google_other_account",
            "The account with this address is connected to another Google account. Sign in with that one, or with"
            " the password. Nothing was changed.",
            status=422,
        )
    return user.id


async def link_google(uow: UnitOfWork, user_id: UUID, info: UserInfo) -> None:
    """Let the signed-in user sign in with this Google account, too. Doing it again changes nothing.

    Service unit of work. Raises Refused: `google_email_unverified`, `google_taken`, `google_other_account`.
    """
    _require_verified(info)
    if await _connect(uow, user_id, info):
        return
    owner = await repository.identity_owner(uow.session, Provider.GOOGLE, info.sub)
    if owner == user_id:
        return
    if owner is not None:
        raise Refused("google_taken", "That Google account signs in somebody else here. Nothing was changed.")
    raise Refused(
        "google_other_account",
        "You are connected to another Google account. Disconnect that one first. Nothing was changed.",
    )


async def unlink_google(uow: UnitOfWork) -> None:
    """Disconnect the signed-in user's Google account.

    Raises NotFound if none is connected, Refused("last_way_in") if it is the only way to sign in.
    """
    require_themselves(uow.principal)
    user = await repository.user_by_id(uow.session, uow.user_id, lock=True)
    if user is None or user.password_hash is None:
        raise Refused("last_way_in", "Set a password first, or you could not come back in.")
    if await repository.take_identity(uow.session, user.id, Provider.GOOGLE) is None:
        raise NotFound("Google is not connected.")
    await audit.record(uow, "unlink_identity", "users", user.id, before={"provider": Provider.GOOGLE})


async def connection(uow: UnitOfWork) -> Connection:
    """How the signed-in user can sign in."""
    user = await repository.user_by_id(uow.session, uow.user_id)
    identity = await repository.identity_of(uow.session, uow.user_id, Provider.GOOGLE)
    return Connection(
        google_email=(identity.email or "a Google account") if identity else None,
        has_password=user is not None and user.password_hash is not None,
    )


async def _connect(uow: UnitOfWork, user_id: UUID, info: UserInfo) -> bool:
    row = {
        "user_id": user_id,
        "provider": Provider.GOOGLE,
        "subject": info.sub,
        "email": rules.tidy(info.email),
        "created_at": clock.now(),
    }
    connected = await repository.add_identity(uow.session, row)
    user = await repository.user_by_id(uow.session, user_id) if connected else None
    if user is not None:
        actor = Principal(user_id, user.role)
        given = {"provider": Provider.GOOGLE}
        await audit.record(uow, "link_identity", "users", user_id, after=given, actor=actor)
    return connected


def _require_verified(info: UserInfo) -> None:
    if not info.email_verified or rules.email_problem(rules.tidy(info.email)):
        raise Refused(
            "google_email_unverified",
            "Google says that the e-mail address of this account isn't confirmed. Confirm it there first, or sign up"
            " here with a password. Nothing was changed.",
            status=422,
        )


def _name_of(info: UserInfo) -> str:
    name = rules.tidy(info.name) or info.email.partition("@")[0]
    return name[: rules.NAME_LENGTH]
