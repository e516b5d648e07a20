"""Personal access tokens: what programs show to the JSON endpoints. Hashed, shown once. Machine time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.accounts import repository, rules
from app.accounts.themselves import require_themselves
from app.core import audit
from app.core.errors import Invalid, NotFound
from app.core.ids import hash_secret, new_secret
from app.core.unit_of_work import UnitOfWork

PREFIX = "mp_"  # so that secret scanners, and people, see what it is
AT_MOST = 50


@dataclass(frozen=True)
class Token:
    """A token as its owner sees it; instants in UTC."""

    id: UUID
    name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    expired: bool


async def create_token(uow: UnitOfWork, *, name: str, days: str) -> str:
    """Make a token for the signed-in user and return it, this once. `days`: as posted, one of 30, 90, 365.

    Raises Invalid naming `name` or `expires_in_days`.
    """
    require_themselves(uow.principal)
    name = rules.tidy(name)
    rules.check(name=rules.token_name_problem(name), expires_in_days=rules.token_days_problem(days))
    if len(await repository.access_tokens(uow.session, uow.user_id)) >= AT_MOST:
        raise Invalid({"name": f"You have {AT_MOST} tokens. Please revoke one that you don't need any more."})
    token = await issue_token(uow, uow.user_id, name, int(days))
    await audit.record(uow, "create_access_token", "users", uow.user_id, after={"days": int(days)})
    return token


async def issue_token(uow: UnitOfWork, user_id: UUID, name: str, days: int) -> str:
    """A new token of a user, good for `days` days of machine time: `mp_` and 43 characters, kept hashed."""
    token = PREFIX + new_secret()
    now = datetime.now(UTC)
    await repository.add_access_token(
        uow.session,
        {
            "user_id": user_id,
            "token_hash": hash_secret(token),
            "name": name,
            "created_at": now,
            "expires_at": now + timedelta(days=days),
        },
    )
    return token


async def list_tokens(uow: UnitOfWork) -> list[Token]:
    """The signed-in user's tokens, the newest first."""
    now = datetime.now(UTC)
    return [
        Token(row.id, row.name, row.created_at, row.expires_at, row.last_used_at, row.expires_at <= now)
        for row in await repository.access_tokens(uow.session, uow.user_id)
    ]


async def revoke_token(uow: UnitOfWork, id_: UUID) -> None:
    """A token of the signed-in user stops working at once. Raises NotFound."""
    require_themselves(uow.principal)
    if not await repository.drop_access_token(uow.session, uow.user_id, id_):
        raise NotFound("There is no such token any more.")
    await audit.record(uow, "revoke_access_token", "users", uow.user_id)
