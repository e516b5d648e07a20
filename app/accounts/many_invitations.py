"""Accounts for many people at once, each with an invitation by mail: a few statements, however many they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.accounts import links
from app.accounts.models import Purpose
from app.core import clock
from app.core.ids import hash_secret, new_id
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.settings import Settings

_USERS = sa.text(
    "insert into users (id, email, name, role, time_zone, theme, created_at)"
    " select id, email, name, :role, time_zone, 'auto', :now"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as u(id uuid, email citext, name text, time_zone text)"
    " order by email on conflict (email) do nothing returning id, email"
)
_LINKS = sa.text(
    "insert into email_tokens (id, user_id, purpose, token_hash, created_at, expires_at)"
    " select id, user_id, :purpose, decode(hash, 'hex'), :now, :until"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as t(id uuid, user_id uuid, hash text)"
)
_EVENTS = sa.text(
    "insert into outbox (id, type, payload, key, state, attempts, created_at, available_at)"
    " select event_id, 'notification/send', jsonb_build_object('kind', :purpose, 'user_id', user_id,"
    " 'email_token_id', id), :purpose || ':' || id, 'new', 0, :now, :now"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as t(id uuid, user_id uuid, event_id uuid)"
)
_AUDIT = sa.text(
    "insert into audit_log (id, at, actor_id, actor_role, action, subject_type, subject_id, after, address,"
    " impersonator_id) select audit_id, :now, :actor, :actor_role, 'invite', 'users', user_id,"
    " jsonb_build_object('role', :role), :address, :impersonator"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as t(audit_id uuid, user_id uuid)"
)


@dataclass(frozen=True)
class Guest:
    """Whom to invite; checked and tidy, `email` in lower case, `time_zone` an IANA name."""

    email: str
    name: str
    time_zone: str


async def invite_students(
    uow: UnitOfWork, settings: Settings, guests: Sequence[Guest], *, by: Principal
) -> dict[str, UUID]:
    """Make students' accounts without a password and mail each the link to take it up; their ids by address.

    An address that got an account at this very moment is left out: look again. Service unit of work; commits nothing.
    """
    now = clock.now()
    wished = [{"id": new_id(), **vars(guest)} for guest in guests]
    made = await uow.session.execute(_USERS, {"rows": _json(wished), "role": Role.STUDENT, "now": now})
    ids = {row.email.lower(): row.id for row in made.all()}
    rows = [_invitation(settings, user_id) for user_id in ids.values()]
    until = now + timedelta(hours=links.hours(settings, Purpose.INVITATION))
    shared = {"rows": _json(rows), "now": now}
    purpose = {"purpose": str(Purpose.INVITATION)}
    await uow.session.execute(_LINKS, shared | purpose | {"until": until})
    await uow.session.execute(_EVENTS.bindparams(sa.bindparam("purpose", type_=sa.Text)), shared | purpose)
    actor = {
        "actor": by.user_id,
        "actor_role": by.role,
        "role": str(Role.STUDENT),
        "address": by.address or uow.principal.address,
        "impersonator": by.impersonator_id or uow.principal.impersonator_id,
    }
    await uow.session.execute(_AUDIT.bindparams(sa.bindparam("role", type_=sa.Text)), shared | actor)
    return ids


def _invitation(settings: Settings, user_id: UUID) -> dict[str, Any]:
    id_ = new_id()
    hashed = hash_secret(links.secret(settings, Purpose.INVITATION, id_)).hex()
    return {"id": id_, "user_id": user_id, "hash": hashed, "event_id": new_id(), "audit_id": new_id()}


def _json(rows: Sequence[dict[str, Any]]) -> str:
    return json.dumps(rows, default=str)
