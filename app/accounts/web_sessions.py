"""Signed-in browsers: a new secret at every sign-in, kept hashed, ended one by one or all at once. Machine time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.accounts import devices, repository
from app.accounts.themselves import require_themselves
from app.core.errors import NotFound
from app.core.ids import hash_secret, new_secret
from app.core.unit_of_work import UnitOfWork
from app.settings import Settings

OUR_TEAM = "One of our admins, looking after your account"


@dataclass(frozen=True)
class Browser:
    """What a request says about the browser it comes from: its name, and the session secret it carries already."""

    user_agent: str | None = None
    secret: str | None = None


@dataclass(frozen=True)
class Device:
    """A signed-in browser as its owner sees it; `last_seen_at` to ten minutes, UTC."""

    id: UUID
    label: str
    last_seen_at: datetime
    current: bool


async def start(uow: UnitOfWork, settings: Settings, user_id: UUID, browser: Browser) -> str:
    """Sign a user in and return the cookie's secret. Service unit of work.

    Whatever the browser carried before ends here, so that nobody's earlier secret becomes a signed-in one.
    """
    if browser.secret:
        await repository.end_web_session(uow.session, hash_secret(browser.secret))
    now, secret = datetime.now(UTC), new_secret()
    await repository.add_web_session(
        uow.session,
        {
            "user_id": user_id,
            "token_hash": hash_secret(secret),
            "created_at": now,
            "last_seen_at": now,
            "expires_at": now + timedelta(days=settings.sign_in_days),
            "user_agent": devices.kept(browser.user_agent),
        },
    )
    return secret


async def start_as(
    uow: UnitOfWork, user_id: UUID, impersonator_id: UUID, user_agent: str | None, lasts: timedelta
) -> str:
    """Sign an admin in as a user and return the cookie's secret (`app.accounts.impersonation`). Service unit of work."""
    now, secret = datetime.now(UTC), new_secret()
    await repository.add_web_session(
        uow.session,
        {
            "user_id": user_id,
            "token_hash": hash_secret(secret),
            "created_at": now,
            "last_seen_at": now,
            "expires_at": now + lasts,
            "user_agent": devices.kept(user_agent),
            "impersonator_id": impersonator_id,
        },
    )
    return secret


async def end(uow: UnitOfWork, secret: str | None) -> None:
    """Sign this browser out; a secret that is nobody's ends nothing."""
    if secret:
        await repository.end_web_session(uow.session, hash_secret(secret))


async def end_one(uow: UnitOfWork, id_: UUID) -> None:
    """Sign one of the user's browsers out. Raises NotFound if it isn't signed in, or not theirs.

    Whatever an admin is signed in as somebody else ends, too: it may have begun in that browser.
    """
    require_themselves(uow.principal)
    if not await repository.end_web_session_by_id(uow.session, uow.user_id, id_):
        raise NotFound("That device is not signed in any more.")
    await repository.end_impersonations(uow.session, uow.user_id)


async def end_all(uow: UnitOfWork) -> None:
    """Sign the user out everywhere, this browser included."""
    require_themselves(uow.principal)
    await repository.end_web_sessions(uow.session, uow.user_id)


async def list_devices(uow: UnitOfWork, secret: str | None) -> list[Device]:
    """Where the user is signed in; the browser that carries `secret` comes first."""
    mine = hash_secret(secret) if secret else b""
    rows = await repository.web_sessions(uow.session, uow.user_id, datetime.now(UTC))
    found = [
        Device(
            row.id,
            OUR_TEAM if row.impersonator_id else devices.label(row.user_agent),
            row.last_seen_at,
            row.token_hash == mine,
        )
        for row in rows
    ]
    return sorted(found, key=lambda device: not device.current)
