"""The audit log: who did what to which row. Append-only; a trigger and the grants see to that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core import clock
from app.core.ids import new_id
from app.core.models import AuditEntry
from app.core.unit_of_work import Principal, UnitOfWork


async def record(
    uow: UnitOfWork,
    action: str,
    subject_type: str,
    subject_id: UUID | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    actor: Principal | None = None,
) -> None:
    """Write an entry in the caller's transaction: it stays if and only if the change stays.

    `action` is a verb of the domain ("change_role"), `subject_type` a table. `before` and `after` hold the fields that
    changed, as JSON: ids, codes and numbers, never a person's data; of personal fields only the names, as
    {"changed": [...]}. `actor`: who did it, where that isn't the unit of work's principal (a link in a mail acts for its user on the service's unit of work, an admin on accounts).
    The admin behind an actor, and from where they act, come from whichever of the two principals knows.
    """
    who = actor or uow.principal
    await uow.session.execute(
        sa.insert(AuditEntry).values(
            id=new_id(),
            at=clock.now(),
            actor_id=who.user_id,
            actor_role=who.role,
            action=action,
            subject_type=subject_type,
            subject_id=subject_id,
            before=sa.null() if before is None else dict(before),
            after=sa.null() if after is None else dict(after),
            address=who.address or uow.principal.address,
            impersonator_id=who.impersonator_id or uow.principal.impersonator_id,
        )
    )
