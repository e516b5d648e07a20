"""How many questions a page asks the database: written down, and the same however much there is to show."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from tests.booking.conftest import Visit
from tests.booking.support import Desk
from tests.support.queries import counted

# One of them says who asks.
PAGES = {
    ("student", "/calendar?mentor_id={mentor}&day={day}", True): 2,
    ("student", "/calendar?mentor_id={mentor}&month={month}", True): 2,
    ("student", "/calendar", False): 3,
    ("student", "/calendar/series?mentor_id={mentor}", True): 2,
    ("student", "/calendar/series", False): 3,
    ("student", "/sessions", False): 5,
    ("student", "/sessions/{session}", False): 4,
    ("student", "/sessions/{session}/move", False): 3,
    ("student", "/sessions/{session}/cancellation", True): 2,
    ("student", "/sessions/{session}/invite.ics", False): 2,
    ("mentor", "/instructor/sessions", False): 4,
    ("mentor", "/instructor/sessions?status=canceled&page=2", False): 3,
    ("mentor", "/instructor/sessions/{session}/cancellation", True): 2,
    ("student", "/api/mentors/{mentor}/availability", False): 2,
}


@pytest.mark.parametrize(("who", "path", "htmx"), PAGES)
async def test_a_constant_number(desk: Desk, visit: Visit, who: str, path: str, htmx: bool) -> None:
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[-1])).session
    later = clock.now() + timedelta(days=5)
    where = path.format(
        mentor=desk.cast["mentor"], session=booked.id, day=f"{later:%Y-%m-%d}", month=f"{later:%Y-%m}"
    )
    browser = await visit(who)
    await browser.get("/settings")  # a new connection has questions of its own
    found = []
    for _ in range(2):
        with counted() as statements:
            answer = await (browser.fragment(where) if htmx else browser.get(where))
        assert answer.status_code == 200
        found.append(len(statements))
        await _much_more(desk)
    assert found == [PAGES[who, path, htmx]] * 2, statements


async def _much_more(desk: Desk) -> None:
    await desk.sql(
        "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at,"
        " canceled_at, version, notes, recording_consent, event_generation, event_sync)"
        " select gen_random_uuid(), mentor_id, student_id, pack_id, 'canceled', at, at + interval '1 hour',"
        " tstzrange(at, at + interval '1 hour'), at - interval '3 days', at - interval '1 day', 1, '', false, 0, 'none'"
        " from sessions, generate_series(now() - interval '45 days', now() - interval '1 day', '1 day') at"
    )
    for _ in range(3):
        await desk.grant("student", mentor="other_mentor")


async def test_a_booking_tells_and_reminds_in_two_statements(desk: Desk) -> None:
    offers = await desk.offers("student")
    with counted() as statements:
        await desk.book("student", offers[-1])
    assert len([one for one in statements if "insert into outbox" in one]) == 2
    assert len(await desk.sql("select id from outbox where payload->>'kind' like 'session_reminder%'")) == 2
