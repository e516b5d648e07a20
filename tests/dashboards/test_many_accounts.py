"""Pages that show names look up those names, however many accounts there are: nobody walks through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.core import clock
from app.core.db import Database
from tests.booking.conftest import Visit
from tests.booking.support import Desk
from tests.support.queries import sent

PAGES = [
    ("student", "/dashboard"),
    ("student", "/sessions"),
    ("student", "/sessions/{session}"),
    ("student", "/sessions/{session}/proposal"),
    ("student", "/calendar"),
    ("student", "/calendar/series"),
    ("student", "/packs/{pack}"),
    ("student", "/waitlist"),
    ("mentor", "/instructor/dashboard"),
    ("mentor", "/instructor/sessions"),
    ("mentor", "/instructor/sessions/{session}/proposal"),
    ("mentor", "/instructor/students"),
    ("mentor", "/instructor/students/{student}"),
    ("mentor", "/instructor/absences/preview?first_day={day}&last_day={later}"),
    ("mentor", "/instructor/waitlist"),
    ("admin", "/sessions/{session}"),
    ("admin", "/admin/waitlist"),
    ("admin", "/admin/testimonials"),
    ("admin", "/admin/products"),
    ("admin", "/admin/orders"),
    ("admin", "/admin/jobs"),
    ("admin", "/admin/calendars"),
    ("admin", "/admin/instructors"),
    ("admin", "/admin/sessions/{session}"),
    ("anonymous", "/"),
    ("anonymous", "/instructors"),
    ("student", "/instructors/mentor"),
]


@pytest.mark.parametrize(("who", "path"), PAGES)
async def test_nobody_walks_through_all_accounts(
    desk: Desk, visit: Visit, admin_url: str, who: str, path: str
) -> None:
    booked = (await desk.book("student", (await desk.offers("student", days=20))[-1])).session
    await desk.sql(
        "insert into users (id, email, name, role, time_zone, theme, created_at)"
        " select gen_random_uuid(), 'many-' || n || '@example.test', 'Many ' || n, 'student', 'UTC', 'auto', now()"
        " from generate_series(1, 3000) n"
    )
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as server:
        await server.execute("analyze users")  # as the server does by itself after a while
    where = path.format(
        session=booked.id,
        pack=booked.pack_id,
        student=desk.cast["student"],
        day=f"{booked.start:%Y-%m-%d}",
        later=f"{clock.now() + timedelta(days=30):%Y-%m-%d}",
    )
    browser = await visit(who)
    with sent() as statements:
        answer = await browser.get(where)
    assert answer.status_code in (200, 303), answer.text
    walks = [query for query, values in statements if await _walks(desk.database, desk, who, query, values)]
    assert walks == []


async def _walks(database: Database, desk: Desk, who: str, query: str, values: Any) -> bool:
    """True if the plan of the query, asked by the same person, reads all of `users`."""
    if not query.lower().lstrip().startswith(("select", "with")):
        return False
    async with database.unit_of_work(desk.principal(who)) as uow:
        connection = (await (await uow.session.connection()).get_raw_connection()).driver_connection
        assert isinstance(connection, psycopg.AsyncConnection)
        cursor = await connection.execute(f"explain (format json) {query}", values)
        row = await cursor.fetchone()
    assert row is not None
    return any(
        node.get("Relation Name") == "users" and "Seq" in node["Node Type"]
        for node in _nodes(row[0][0]["Plan"])
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
