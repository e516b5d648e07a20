"""What mails about accounts say and to whom: one function a kind of `notification/send`.

Each takes the service unit of work, the settings and the event's payload {"kind", "user_id", "email_token_id"}. A
link that was used or doesn't work any more is skipped; whoever closed their account is told nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.accounts import links, repository
from app.accounts.models import EmailToken, User
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.notifications.service import Message, outdated
from app.settings import Settings

Payload = Mapping[str, Any]


async def verify_email(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """To somebody who signed up. Context: `name`, `link`, `expires_hours`."""
    return await _with_link(uow, settings, payload)


async def reset_password(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """To somebody who forgot the password. Context: `name`, `link`, `expires_hours`."""
    return await _with_link(uow, settings, payload)


async def invitation(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """To somebody an admin made an account for. Context: `name`, `link`, `expires_days`, `role`."""
    user, token = await _recipient(uow, payload), await _link(uow, payload)
    if user is None or token is None:
        return [outdated(user.id)] if user else []
    address = links.address(settings, token)
    context = {"name": user.name, "link": address, "expires_days": settings.invitation_days}
    return [Message(user.id, user.email, context | {"role": user.role})]


async def already_registered(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """To somebody who has an account and signed up again. Context: `name`, `sign_in_link`, `reset_link`."""
    links_ = {"sign_in_link": _page(settings, "/sign-in"), "reset_link": _page(settings, "/reset-password")}
    return await _plain(uow, payload, links_)


async def password_changed(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """To somebody whose password was changed or reset. Context: `name`, `reset_link`."""
    return await _plain(uow, payload, {"reset_link": _page(settings, "/reset-password")})


async def _plain(uow: UnitOfWork, payload: Payload, addresses: dict[str, str]) -> list[Message]:
    user = await _recipient(uow, payload)
    return [Message(user.id, user.email, {"name": user.name} | addresses)] if user else []


async def _with_link(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    user, token = await _recipient(uow, payload), await _link(uow, payload)
    if user is None or token is None:
        return [outdated(user.id)] if user else []
    context = {
        "name": user.name,
        "link": links.address(settings, token),
        "expires_hours": links.hours(settings, token.purpose),
    }
    return [Message(user.id, user.email, context)]


async def _link(uow: UnitOfWork, payload: Payload) -> EmailToken | None:
    token = await repository.link_by_id(uow.session, UUID(payload["email_token_id"]))
    works = token is not None and token.used_at is None and token.expires_at > clock.now()
    return token if works else None


async def _recipient(uow: UnitOfWork, payload: Payload) -> User | None:
    user = await repository.user_by_id(uow.session, UUID(payload["user_id"]))
    return user if user is not None and user.deleted_at is None else None


def _page(settings: Settings, path: str) -> str:
    return settings.public_url.rstrip("/") + path


NOTICES = {
    "verify_email": verify_email,
    "reset_password": reset_password,
    "invitation": invitation,
    "already_registered": already_registered,
    "password_changed": password_changed,
}
