"""How long rows live that nobody needs any more. One table says it all; each statement may run twice."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from app.core import clock
from app.core.unit_of_work import UnitOfWork

# `:business` and `:machine` are now. What machine time made expire is deleted by machine time.
PURGES: dict[str, str] = {
    "answers kept for idempotency keys, 24 hours": (
        "delete from idempotency_keys where created_at < cast(:business as timestamptz) - interval '24 hours'"
    ),
    "trips to a consent page that nobody came back from": (
        "delete from oauth_states where expires_at < cast(:machine as timestamptz)"
    ),
    "links in mails, a week after their end": (
        "delete from email_tokens where expires_at < cast(:machine as timestamptz) - interval '7 days'"
    ),
    "signed-in browsers": "delete from web_sessions where expires_at < cast(:machine as timestamptz)",
    "tokens of video rooms, a day after the room closed": (
        "delete from call_tokens where expires_at < cast(:business as timestamptz) - interval '1 day'"
    ),
    "webhooks, 90 days": (
        "delete from webhook_events where received_at < cast(:business as timestamptz) - interval '90 days'"
    ),
    "comparisons with payment providers, a year": (
        "delete from reconciliation_runs where started_at < cast(:business as timestamptz) - interval '1 year'"
    ),
    "roles on Discord that are set, or that nobody could set, for they name accounts": (
        "delete from outbox where type = 'discord/role'"
        " and (state = 'done' and done_at < cast(:business as timestamptz) - interval '2 days'"
        " or state = 'dead' and available_at < cast(:business as timestamptz) - interval '30 days')"
    ),
    "periodic events that are done": (
        "delete from outbox where key like 'every:%' and state = 'done'"
        " and done_at < cast(:business as timestamptz) - interval '2 days'"
    ),
}


async def purge(uow: UnitOfWork) -> dict[str, int]:
    """Delete what is past its time; returns how many rows of each sort."""
    now = {"business": clock.now(), "machine": datetime.now(UTC)}
    deleted = {}
    for sort, statement in PURGES.items():
        counted = sa.text(f"with gone as ({statement} returning 1) select count(*) from gone")  # noqa: S608
        values = {name: value for name, value in now.items() if f":{name}" in statement}
        deleted[sort] = (await uow.session.execute(counted, values)).scalar_one()
    return deleted
