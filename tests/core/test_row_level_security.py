"""Row-level security alone: every table asked as every role, with no check of the application in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.core.db import Database
from app.core.rls import ServiceDoor
from app.models import metadata
from tests.core.rows import CAST, NOW, PAIRS, World, all_rows

OUTSIDE_THE_MODELS = {"alembic_version", "saq_jobs", "saq_stats", "saq_versions"}

# Who sees whose row: given the name of the row's student, mentor or owner.
Seen = Callable[[str], set[str]]


def everyone(owner: str) -> set[str]:
    return {*CAST, "anonymous"}


def self_only(owner: str) -> set[str]:
    return {owner}


def self_or_admin(owner: str) -> set[str]:
    return {owner, "admin"}


def pair_or_admin(student: str) -> set[str]:
    return {student, PAIRS[student], "admin"}


def mentor_or_admin(mentor: str) -> set[str]:
    return {mentor, "admin"}


def admin_only(owner: str) -> set[str]:
    return {"admin"}


def student_or_admin(student: str) -> set[str]:
    return {student, "admin"}


def nobody(owner: str) -> set[str]:
    return set()


VISIBLE: dict[str, Seen] = {
    "users": self_or_admin,
    "user_identities": self_or_admin,
    "web_sessions": self_only,
    "access_tokens": self_only,
    "email_tokens": nobody,
    "oauth_states": nobody,
    "mentors": everyone,
    "date_overrides": everyone,
    "mentorship_products": mentor_or_admin,  # the rows here are not on sale; those on sale are public
    "session_packs": pair_or_admin,
    "pack_entries": pair_or_admin,
    "seat_reservations": pair_or_admin,
    "seat_entries": pair_or_admin,
    "waitlist": pair_or_admin,
    "calendar_connections": mentor_or_admin,
    "busy_windows": mentor_or_admin,
    "sessions": pair_or_admin,
    "outbox": admin_only,
    "deliveries": self_or_admin,
    "audit_log": admin_only,
    "notification_opt_outs": self_or_admin,
    "watchdog": admin_only,
    "idempotency_keys": self_only,
    "orders": pair_or_admin,
    "payments": pair_or_admin,
    "refunds": pair_or_admin,
    "webhook_events": admin_only,
    "reconciliation_runs": admin_only,
    "reconciliation_findings": admin_only,
    "absences": everyone,
    "move_proposals": pair_or_admin,
    "mentee_notes": mentor_or_admin,
    "renewal_requests": mentor_or_admin,
    "testimonials": student_or_admin,  # of approved ones everybody may read the words, by a function
    "student_profiles": pair_or_admin,  # the pair has a live seat
    "session_counts": mentor_or_admin,
    "call_tokens": nobody,
    "session_visits": pair_or_admin,
    "recording_consents": pair_or_admin,
    "session_disputes": pair_or_admin,
}


@pytest.fixture
async def world(database: Database) -> World:
    world = all_rows()
    async with database.service(ServiceDoor.SEED) as uow:
        for table, rows in world.rows.items():
            for _, values in rows:
                await uow.session.execute(sa.insert(metadata.tables[table]).values(values))
        await uow.commit()
    return world


def count(table: sa.Table) -> sa.Select[tuple[int]]:
    """Rows of a table through its first column: some tables grant only columns."""
    return sa.select(sa.func.count(table.primary_key.columns.values()[0]))


async def owners_seen(database: Database, world: World, table: str, asker: str) -> set[str]:
    """The owners of the rows that `asker` can read, judged row by row with a filter on the primary key."""
    description = metadata.tables[table]
    seen = set()
    async with database.unit_of_work(world.principal(asker)) as uow:
        try:
            for owner, values in world.rows[table]:
                keys = [column == values[column.name] for column in description.primary_key.columns]
                if (await uow.session.execute(count(description).where(*keys))).scalar_one():
                    seen.add(owner)
        except ProgrammingError as refused:
            if not isinstance(refused.orig, InsufficientPrivilege):
                raise
            return set()
    return seen


@pytest.mark.parametrize("asker", [*CAST, "anonymous"])
async def test_everybody_sees_exactly_their_own_rows(database: Database, world: World, asker: str) -> None:
    for table, visible in VISIBLE.items():
        if table == "seat_entries":
            continue
        expected = {owner for owner, _ in world.rows[table] if asker in visible(owner)}
        assert await owners_seen(database, world, table, asker) == expected, (table, asker)


@pytest.mark.parametrize("asker", [*CAST, "anonymous"])
async def test_history_of_seats_is_the_pairs(database: Database, world: World, asker: str) -> None:
    entries = metadata.tables["seat_entries"]
    async with database.unit_of_work(world.principal(asker)) as uow:
        seen = set((await uow.session.execute(sa.select(entries.c.student_id))).scalars())
    assert seen == {world.ids[student] for student in PAIRS if asker in pair_or_admin(student)}


@pytest.mark.parametrize("asker", ["other_student", "other_mentor", "anonymous"])
async def test_others_rows_can_not_be_changed(database: Database, world: World, asker: str) -> None:
    for table in VISIBLE:
        description = metadata.tables[table]
        mine = [values for owner, values in world.rows.get(table, ()) if owner in ("student", "mentor")]
        for values in mine:
            keys = [column == values[column.name] for column in description.primary_key.columns]
            column = description.columns.values()[-1]
            for statement in (
                sa.update(description).where(*keys).values({column: column}),
                sa.delete(description).where(*keys),
            ):
                async with database.unit_of_work(world.principal(asker)) as uow:
                    try:
                        assert (await uow.session.execute(statement)).rowcount == 0, (table, asker)  # type: ignore[attr-defined]
                    except ProgrammingError as refused:
                        if not isinstance(refused.orig, InsufficientPrivilege):
                            raise


async def test_ranges_and_counts_carry_no_ids(database: Database, world: World) -> None:
    async with database.unit_of_work(world.principal("other_student")) as uow:
        query = sa.text("select busy, blocked from mentor_times(:mentor, :since, :until)")
        values = {"mentor": world.ids["mentor"], "since": NOW, "until": NOW + timedelta(days=1)}
        hour = f"[{int(NOW.timestamp())},{int(NOW.timestamp()) + 3600}]"
        assert (await uow.session.execute(query, values)).one() == (hour, hour)
        seats = await uow.session.execute(
            sa.text("select seats_in_use(:mentor)"), {"mentor": world.ids["mentor"]}
        )
        assert seats.scalar_one() == 1


@pytest.mark.parametrize(
    ("asker", "emails"),
    [
        ("student", {"student": True, "mentor": False, "other_mentor": False}),
        ("mentor", {"mentor": True, "student": True, "other_mentor": False}),
        ("other_mentor", {"other_mentor": True, "other_student": True, "mentor": False}),
        ("admin", dict.fromkeys(CAST, True)),
        ("anonymous", {"mentor": False, "other_mentor": False}),
    ],
)
async def test_names_go_to_those_who_meet(
    database: Database, world: World, asker: str, emails: dict[str, bool]
) -> None:
    async with database.unit_of_work(world.principal(asker)) as uow:
        rows = (await uow.session.execute(sa.text("select name, email from people"))).all()
    assert {row.name: row.email is not None for row in rows} == emails


async def test_the_email_hides_when_the_seat_is_released(database: Database, world: World) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(
            sa.text("update seat_reservations set status = 'released', changed_at = :now"), {"now": NOW}
        )
        await uow.commit()
    async with database.unit_of_work(world.principal("mentor")) as uow:
        query = sa.text("select email from people where name = 'student'")
        assert (await uow.session.execute(query)).scalar_one() is None


@pytest.mark.parametrize("table", ["pack_entries", "seat_entries", "audit_log"])
async def test_history_can_not_be_rewritten(database: Database, world: World, table: str) -> None:
    for statement in (f"update {table} set at = at", f"delete from {table}"):
        async with database.service(ServiceDoor.SEED) as uow:
            with pytest.raises(DBAPIError, match="append-only"):
                await uow.session.execute(sa.text(statement))


async def test_every_table_is_guarded(database: Database) -> None:
    query = sa.text(
        "select relname, relrowsecurity from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'public' and c.relkind = 'r'"
    )
    async with database.service(ServiceDoor.SEED) as uow:
        tables = {row.relname: row.relrowsecurity for row in await uow.session.execute(query)}
    assert set(tables) - OUTSIDE_THE_MODELS == set(VISIBLE) == set(metadata.tables)
    assert {name for name, guarded in tables.items() if not guarded} == {"alembic_version"}


async def test_the_runtime_roles_own_nothing_and_bypass_nothing(database: Database) -> None:
    roles = sa.text(
        "select rolname, rolsuper or rolbypassrls or rolcreaterole as strong from pg_roles where rolname like 'mentorship%'"
    )
    owned = sa.text("select distinct tableowner::text from pg_tables where schemaname = 'public'")
    async with database.service(ServiceDoor.SEED) as uow:
        assert not any(row.strong for row in await uow.session.execute(roles))
        assert set((await uow.session.execute(owned)).scalars()) == {"mentorship_owner"}


async def test_binding_ends_with_the_transaction(database: Database, world: World) -> None:
    async with database.unit_of_work(world.principal("student")) as uow:
        await uow.session.execute(sa.text("select 1"))
        await uow.commit()
    async with database.unit_of_work() as uow:
        for _ in range(3):
            assert (await uow.session.execute(sa.text("select count(*) from sessions"))).scalar_one() == 0
            await uow.commit()


# What nobody may do to rows that they may see: the application never does, nor does the database let it.
FORGERIES = {
    "credit out of nothing": (
        "student",
        "insert into pack_entries (id, pack_id, kind, delta, actor_id, reason, at) select gen_random_uuid(), id,"
        " 'purchase', 100, app_user_id(), '', now() from session_packs",
    ),
    "a session given back to oneself": (
        "student",
        "insert into pack_entries (id, pack_id, session_id, kind, delta, actor_id, reason, at) select gen_random_uuid(),"
        " pack_id, id, 'reversal', 1, app_user_id(), '', now() from sessions",
    ),
    "a line in another's name": (
        "mentor",
        "insert into pack_entries (id, pack_id, session_id, kind, delta, actor_id, reason, at) select gen_random_uuid(),"
        " pack_id, id, 'complete', -1, student_id, '', now() from sessions",
    ),
    "a pack that a mentor fills": (
        "mentor",
        "insert into pack_entries (id, pack_id, kind, delta, actor_id, reason, at) select gen_random_uuid(), id,"
        " 'grant', 5, app_user_id(), '', now() from session_packs",
    ),
    "a pack that never ends": ("student", "update session_packs set expires_at = now() + interval '9 years'"),
    "a pack thawed": ("student", "update session_packs set frozen = false"),
    "a seat that was not paid for": ("student", "update seat_reservations set status = 'active'"),
    "the old place in the line": ("student", "update waitlist set left_at = null, outcome = null"),
    "praise of a mentor never met": (
        "student",
        "insert into testimonials (id, pack_id, mentor_id, student_id, body, status, written_at) select"
        " gen_random_uuid(), id, mentor_id, student_id, repeat('x', 50), 'pending', now() from session_packs",
    ),
    "praise approved by its writer": (
        "student",
        "update testimonials set status = 'approved', decided_at = now()",
    ),
    "an offer to oneself": (
        "student",
        "insert into waitlist (id, mentor_id, student_id, joined_at, offered_at) select gen_random_uuid(), m.id,"
        " app_user_id(), now(), now() from mentors m where m.slug = 'other-mentor'",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_own_rows_can_not_be_forged(database: Database, world: World, forgery: str) -> None:
    forger, statement = FORGERIES[forgery]
    async with database.unit_of_work(world.principal(forger)) as uow:
        with pytest.raises(ProgrammingError, match="row-level security"):
            await uow.session.execute(sa.text(statement))
