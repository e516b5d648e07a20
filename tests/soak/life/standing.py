"""What else the domain's table promises, looked for in the tables at the end: each query finds what must not be there."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.core.db import Database
from app.core.rls import ServiceDoor

NEVER = {
    "a pack past its time with sessions left and none scheduled": """
        select k.id from session_packs k where k.status = 'active' and not k.frozen and k.scheduled_sessions = 0
           and k.remaining_sessions > 0 and k.expires_at < :before
           and not exists (select 1 from seat_reservations r where r.mentor_id = k.mentor_id
                            and r.student_id = k.student_id and r.held_until > :before)""",
    "a balance that isn't the ledger's sum": """
        select k.id from session_packs k where k.remaining_sessions <>
               (select coalesce(sum(e.delta), 0) from pack_entries e where e.pack_id = k.id)""",
    "a seat that outlived its grace, hold or offer": """
        select id from seat_reservations where status in ('grace', 'offered', 'held')
           and greatest(seat_expires_at, held_until) < :before""",
    "a grace of another length than 72 hours": """
        select id from seat_reservations where status = 'grace'
           and abs(extract(epoch from seat_expires_at - changed_at) - 72 * 3600) > 5""",
    "an active seat with nothing to spend": """
        select r.id from seat_reservations r where r.status = 'active'
           and exists (select 1 from session_packs k where k.mentor_id = r.mentor_id and k.student_id = r.student_id)
           and not exists (select 1 from session_packs k where k.mentor_id = r.mentor_id
                            and k.student_id = r.student_id
                            and ((k.status = 'active' and k.remaining_sessions > 0) or k.scheduled_sessions > 0))
           and r.held_until is null and r.id <> all(:given)""",
    "a free seat that somebody waits for": """
        select m.id from mentors m where m.max_active_students > (
               select count(*) from seat_reservations r where r.mentor_id = m.id and r.status <> 'released')
           and exists (select 1 from waitlist w where w.mentor_id = m.id and w.left_at is null
                        and w.offered_at is null and w.joined_at < :before)""",
    "somebody who was offered a seat before who had waited longer": """
        select later.id from waitlist later join waitlist first on first.mentor_id = later.mentor_id
         where first.joined_at < later.joined_at and later.offered_at is not null
           and coalesce(first.offered_at, first.left_at, :before + interval '1 day') > later.offered_at""",
    "a session that nobody marked for 48 hours": """
        select id from sessions where status = 'scheduled' and ends_at < :before - interval '48 hours'""",
    "admins alerted twice within an hour": """
        select later.id from deliveries later join deliveries first on first.recipient_id = later.recipient_id
           and first.channel = later.channel and first.event_id <> later.event_id
         where later.kind = 'sending_stuck' and first.kind = 'sending_stuck'
           and later.state = 'sent' and first.state = 'sent' and later.created_at >= first.created_at
           and later.created_at < first.created_at + interval '59 minutes'""",
    "a session used without a line in the ledger": """
        select s.id from sessions s where s.status in ('completed', 'no_show') and (
               select coalesce(sum(e.delta), 0) from pack_entries e where e.session_id = s.id) <> -1""",
}
ROLES = """
select i.subject from user_identities i where i.provider = 'discord' and exists (
       select 1 from seat_reservations r where r.student_id = i.user_id and r.status in ('active', 'grace'))"""


async def found(database: Database, **values: Any) -> list[str]:
    """What must not be there. `before`: what is younger isn't looked at; `given`: seats that admins gave."""
    told = []
    async with database.service(ServiceDoor.SEED) as uow:
        for what, query in NEVER.items():
            wanted = {name: value for name, value in values.items() if f":{name}" in query}
            rows = (await uow.session.execute(sa.text(query), wanted)).all()
            told += [f"{what}: {row[0]}" for row in rows]
    return told


async def roles(database: Database, members: list[dict[str, Any]], role: str) -> list[str]:
    """Whose role at Discord isn't what their seats say."""
    async with database.service(ServiceDoor.SEED) as uow:
        seated = {row.subject for row in (await uow.session.execute(sa.text(ROLES))).all()}
    has = {member["id"] for member in members if role in member["roles"]}
    return [f"has no role but a seat: {id_}" for id_ in seated - has] + [
        f"has a role but no seat: {id_}" for id_ in has - seated
    ]
