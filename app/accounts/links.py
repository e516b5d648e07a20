"""Links in mails: single use, with expiry. The secret is derived from the row's id, so that jobs need to know only it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.accounts import repository
from app.accounts.models import EmailToken, Purpose
from app.core import clock
from app.core.crypto import signature
from app.core.ids import hash_secret, new_id
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.settings import Settings

PATHS = {
    Purpose.VERIFY_EMAIL: "/verify/",
    Purpose.RESET_PASSWORD: "/reset-password/",
    Purpose.INVITATION: "/invitations/",
}
AT_MOST_AN_HOUR = 5  # mails of one purpose to one person, whoever asks for them


def hours(settings: Settings, purpose: Purpose) -> int:
    """How long a link works."""
    return {
        Purpose.VERIFY_EMAIL: settings.email_token_hours,
        Purpose.RESET_PASSWORD: settings.reset_token_hours,
        Purpose.INVITATION: 24 * settings.invitation_days,
    }[purpose]


def secret(settings: Settings, purpose: Purpose, id_: UUID) -> str:
    """`<id>.<HMAC-SHA256 over purpose and id>`, URL-safe; the key is derived from SECRET_KEY."""
    return f"{id_.hex}.{signature(settings, 'links in mails', f'{purpose}|{id_}')}"


def address(settings: Settings, token: EmailToken) -> str:
    """The whole address that the mail carries."""
    return settings.public_url.rstrip("/") + PATHS[token.purpose] + secret(settings, token.purpose, token.id)


async def send(uow: UnitOfWork, settings: Settings, user_id: UUID, purpose: Purpose) -> bool:
    """Make a link for the user and have it mailed after the commit; older ones keep working until one is used.

    Nothing is sent after five within an hour: False. Service unit of work.
    """
    now = clock.now()
    if (
        await repository.count_links(uow.session, user_id, purpose, now - timedelta(hours=1))
        >= AT_MOST_AN_HOUR
    ):
        return False
    id_ = new_id()
    await repository.add_link(
        uow.session,
        {
            "id": id_,
            "user_id": user_id,
            "purpose": purpose,
            "token_hash": hash_secret(secret(settings, purpose, id_)),
            "created_at": now,
            "expires_at": now + timedelta(hours=hours(settings, purpose)),
        },
    )
    await telling.tell(uow, purpose.value, {"user_id": user_id, "email_token_id": id_})
    return True


async def owner(uow: UnitOfWork, purpose: Purpose, token: str) -> UUID | None:
    """Whose link it is, if it still works; None for one that is used, outdated, malformed or for something else."""
    return await repository.link_owner(uow.session, purpose, hash_secret(token), clock.now())


async def use(uow: UnitOfWork, purpose: Purpose, token: str) -> UUID | None:
    """Use the link up, and with it all others of the same purpose: of two at once, one gets the owner, one None."""
    now = clock.now()
    user_id = await repository.use_link(uow.session, purpose, hash_secret(token), now)
    if user_id is not None:
        await repository.end_links(uow.session, user_id, purpose, now)
    return user_id
