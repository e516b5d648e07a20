"""An admin signed in as somebody else: for an hour, with a reason, and everything they do is in the audit log.

What only the person themselves may do is refused meanwhile: `app.accounts.themselves`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.accounts import repository, rules, web_sessions
from app.accounts.themselves import require_themselves
from app.core import audit
from app.core.errors import Forbidden, NotFound, Refused
from app.core.ids import hash_secret
from app.core.unit_of_work import Principal, Role, UnitOfWork

LASTS = timedelta(minutes=60)
REASON_LENGTH = 300


@dataclass(frozen=True)
class Worn:
    """The session as somebody else: the cookie's secret, and whose name is worn."""

    secret: str
    name: str
    role: Role


async def record_act(uow: UnitOfWork, method: str, path: str) -> None:
    """Note in the audit log that an admin posted something as somebody else, whatever else is noted about it.

    Looking is not noted; nor is what was refused, for the entry shares the fate of the change.
    """
    if method in ("GET", "HEAD", "OPTIONS"):
        return
    await audit.record(uow, "act_as", "users", uow.user_id, None, {"method": method, "path": path[:200]})


async def begin(
    uow: UnitOfWork, user_id: UUID, *, reason: str, by: Principal, user_agent: str | None
) -> Worn:
    """Sign the admin `by` in as the user; their own session stays as it is. Service unit of work.

    Raises Invalid naming `reason`, NotFound, Refused(`no_impersonation`) for an admin or a deleted account.
    """
    reason = rules.tidy(reason)
    rules.check(reason=_reason_problem(reason))
    require_themselves(by)
    if by.user_id is None or by.user_id not in await repository.lock_admins(uow.session):
        raise Forbidden
    user = await repository.user_by_id(uow.session, user_id, lock=True)
    if user is None:
        raise NotFound
    if user.deleted_at is not None:
        raise Refused("no_impersonation", "This account is deleted: nobody can be signed in to it.")
    if user.role is Role.ADMIN:
        raise Refused("no_impersonation", "Nobody signs in as an admin but they themselves.")
    secret = await web_sessions.start_as(uow, user.id, by.user_id, user_agent, LASTS)
    await audit.record(uow, "sign_in_as", "users", user.id, None, {"reason": reason}, actor=by)
    return Worn(secret, user.name, user.role)


async def end(uow: UnitOfWork, secret: str | None) -> UUID | None:
    """End the session as somebody else that `secret` belongs to; the admin's own is left alone.

    Returns who they were signed in as, None if nobody. Service unit of work.
    """
    worn = await repository.web_session(uow.session, hash_secret(secret)) if secret else None
    if worn is None or worn.impersonator_id is None:
        return None
    await repository.end_web_session(uow.session, worn.token_hash)
    admin = Principal(worn.impersonator_id, Role.ADMIN)
    await audit.record(uow, "sign_out_as", "users", worn.user_id, actor=admin)
    return worn.user_id


async def is_own(uow: UnitOfWork, own_secret: str | None) -> bool:
    """True if the secret that a browser kept is still the session of an admin, which it may carry again."""
    own = await repository.web_session(uow.session, hash_secret(own_secret)) if own_secret else None
    if own is None or own.impersonator_id is not None or own.expires_at <= datetime.now(UTC):
        return False
    user = await repository.user_by_id(uow.session, own.user_id)
    return user is not None and user.deleted_at is None and user.role is Role.ADMIN


def _reason_problem(reason: str) -> str | None:
    if not reason:
        return "Say why: it is kept in the audit log."
    return None if len(reason) <= REASON_LENGTH else f"Please keep it below {REASON_LENGTH} characters."
