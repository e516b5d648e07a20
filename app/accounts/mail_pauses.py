"""Addresses that take no mail: paused when a mail comes back for good or is called spam, until somebody tries again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.accounts.models import MailPause, User
from app.core import audit, clock, inbox
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications import webhooks

AT_MOST = 100
_SUPPRESSED = {"previous_bounce": MailPause.BOUNCED, "previous_complaint": MailPause.COMPLAINED}


async def process(database: Database, webhook_id: UUID) -> None:
    """Act on what Resend told of a mail; a second time nothing happens."""
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        webhook = await inbox.waiting(uow, webhook_id)
        if webhook is not None:
            await inbox.close(uow, webhook_id, await _act(uow, webhook.type, webhook.body))


async def _act(uow: UnitOfWork, type_: str, body: Mapping[str, Any]) -> str:
    """Pause whom it is about; what became of it, in a word."""
    data = _part(body, "data")
    reason = reason_of(type_, data)
    if reason is None:
        return "ignored"
    if reason is MailPause.BOUNCED:
        await webhooks.came_back(uow, str(data.get("email_id", "")), _why(type_, data))
    owners = await _owners(uow, data.get("to"))
    for user_id in owners:
        await pause(uow, user_id, reason)
    return "done" if owners else "not ours"


def reason_of(type_: str, data: Mapping[str, Any]) -> MailPause | None:
    """Why the address should be left alone; None for good news and for what passes by itself."""
    if type_ == "email.complained":
        return MailPause.COMPLAINED
    if type_ == "email.bounced" and _part(data, "bounce").get("type") == "Permanent":
        return MailPause.BOUNCED
    if type_ == "email.suppressed":  # by Resend, which remembers what became of earlier mails
        return _SUPPRESSED.get(_part(data, "suppressed").get("reason", ""), MailPause.BOUNCED)
    return None


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name)
    return part if isinstance(part, dict) else {}


def _why(type_: str, data: Mapping[str, Any]) -> str:
    told = _part(data, "bounce") or _part(data, "suppressed")
    return f"{type_.removeprefix('email.')}: {str(told.get('message', ''))[:300]}"


async def _owners(uow: UnitOfWork, addresses: Any) -> list[UUID]:
    if not isinstance(addresses, list):
        return []
    query = sa.select(User.id).where(User.email.in_([str(address) for address in addresses]))
    return list(await uow.session.scalars(query.order_by(User.id)))


async def pause(uow: UnitOfWork, user_id: UUID, reason: MailPause) -> bool:
    """Send no mail to the user from now on; False if none is sent to them already."""
    done = await _change(uow, user_id, User.mail_paused_at.is_(None), clock.now(), reason)
    if done:
        await audit.record(uow, "pause_mail", "users", user_id, None, {"reason": reason})
    return done


async def resume(uow: UnitOfWork, user_id: UUID) -> bool:
    """Send mail to the user again, as they or an admin wish; False if it wasn't paused, or isn't theirs to say.

    What was skipped meanwhile stays so.
    """
    done = await _change(uow, user_id, User.mail_paused_at.is_not(None), None, None)
    if done:
        await audit.record(uow, "resume_mail", "users", user_id)
    return done


async def paused(uow: UnitOfWork) -> Sequence[Any]:
    """For an admin: (id, name, email, mail_paused_at, mail_paused_reason), the latest first. One query."""
    columns = [User.id, User.name, User.email, User.mail_paused_at, User.mail_paused_reason]
    query = sa.select(*columns).where(User.mail_paused_at.is_not(None), User.deleted_at.is_(None))
    return (await uow.session.execute(query.order_by(User.mail_paused_at.desc()).limit(AT_MOST))).all()


async def _change(
    uow: UnitOfWork, user_id: UUID, if_: sa.ColumnElement[bool], at: Any, reason: MailPause | None
) -> bool:
    query = (
        sa.update(User)
        .where(User.id == user_id, if_)
        .values(mail_paused_at=at, mail_paused_reason=reason)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    return (await uow.session.execute(query)).scalar_one_or_none() is not None
