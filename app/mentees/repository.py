"""The SQL of relations: one statement, for some mentors, some students, or one pair.

Each part is asked for pair by pair (lateral), so that the work grows with what is shown and rides on indexes that hold
all it needs. The view `people` is asked for one person at a time below a limit: it guards its rows, and nothing is
joined with such a view before all of them were looked at.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

Of = Literal["mentors", "students", "pair"]

_WHERE: Final[Mapping[Of, str]] = {
    "mentors": "mentor_id = any(:mentors)",
    "students": "student_id = any(:students)",
    "pair": "mentor_id = :mentor_id and student_id = :student_id",
}
_PAIRS: Final = """
with pairs as (
    select mentor_id, student_id from session_packs where {where}
     union
    select mentor_id, student_id from seat_reservations where {where} and status in ('active', 'grace')
)
"""
_NAMED: Final = """, named as (
    select pairs.*, coalesce(p.name, :gone) as student_name, p.email as student_email
      from pairs
      left join lateral (select name, email from people where id = pairs.student_id limit 1) p on true
), placed as (
    select named.*, row_number() over mine as place, count(*) over (partition by mentor_id) as mentees
      from named window mine as (partition by mentor_id order by lower(student_name), student_id)
), page as (
    select * from placed where place > :offset and (cast(:each as int) is null or place <= :offset + :each)
)
"""
# Credit and the current pack: of those that can be spent the one that lasts longest, else the one bought last.
_PACKS: Final = """
      select coalesce(sum(total_sessions), 0) as total,
             coalesce(sum(remaining_sessions) filter (where spendable), 0) as remaining,
             (array_agg(id order by spendable desc, lasts desc, purchased_at desc, id desc))[1] as pack_id,
             (array_agg(state order by spendable desc, lasts desc, purchased_at desc, id desc))[1] as pack_status,
             (array_agg(expires_at order by spendable desc, lasts desc, purchased_at desc, id desc))[1] as pack_expires_at
        from (select k.*, status = 'active' and expires_at > :now as spendable,
                     case when status = 'active' and expires_at > :now then expires_at end as lasts,
                     case when status = 'active' and expires_at <= :now then 'expired' else status end as state
                from session_packs k where k.mentor_id = page.mentor_id and k.student_id = page.student_id) packs
"""
# A completed or missed session took one from the ledger; of canceled ones the ledger knows which did.
_SESSIONS: Final = """
      select count(*) filter (where status = 'completed') as completed,
             count(*) filter (where status = 'scheduled') as scheduled,
             max(scheduled_at) filter (where status = 'completed') as last_session,
             min(scheduled_at) filter (where status = 'scheduled' and scheduled_at > :now) as next_session,
             count(*) filter (where status in ('completed', 'no_show'))
             - coalesce(sum(case when status = 'canceled'
                                 then (select sum(e.delta) from pack_entries e where e.session_id = s.id) end), 0)::bigint as used
        from sessions s where s.mentor_id = page.mentor_id and s.student_id = page.student_id
"""
_SEAT: Final = """
      select status as seat_status, seat_expires_at
        from seat_reservations r where r.mentor_id = page.mentor_id and r.student_id = page.student_id
       order by status = 'released', changed_at desc, id desc limit 1
"""
_RELATIONS: Final = f"""
select page.mentor_id, page.student_id, page.mentees, page.student_name, page.student_email,
       coalesce(m.name, :gone) as mentor_name, t.slug::text as mentor_slug, packs.*, meetings.*, seat.*
  from page
  join mentors t on t.id = page.mentor_id
  left join lateral (select name from people where id = page.mentor_id limit 1) m on true
  left join lateral ({_PACKS}) packs on true
  left join lateral ({_SESSIONS}) meetings on true
  left join lateral ({_SEAT}) seat on true
 order by page.mentor_id, page.place
"""  # noqa: S608 - made of constants


@cache
def _relations(of: Of) -> sa.TextClause:
    return sa.text(_PAIRS.format(where=_WHERE[of]) + _NAMED + _RELATIONS)


async def relations(session: AsyncSession, of: Of, values: Mapping[str, Any]) -> Sequence[RowMapping]:
    """The relations of `mentors`, `students` or a pair, by mentor and the student's name.

    `values`: the ids by the names of the condition, `now`, `gone` (the name of who left), and of each mentor's the
    `each` first (None: all) after `offset`. `mentees` of a row: how many its mentor has.
    """
    return (await session.execute(_relations(of), values)).mappings().all()


async def stream(
    session: AsyncSession, of: Of, values: Mapping[str, Any]
) -> AsyncGenerator[RowMapping, None]:
    """As `relations`, a few hundred rows at a time in memory."""
    result = await session.stream(_relations(of), values, execution_options={"yield_per": 500})
    try:
        async for row in result.mappings():
            yield row
    finally:
        await result.close()


async def count(session: AsyncSession, mentor_id: UUID) -> int:
    """How many relations a mentor has."""
    query = sa.text(_PAIRS.format(where=_WHERE["mentors"]) + "select count(*) from pairs")  # noqa: S608 - constants
    return int((await session.execute(query, {"mentors": [mentor_id]})).scalar_one())
