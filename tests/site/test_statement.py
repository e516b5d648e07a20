"""`/packs/{id}`: each line of the ledger in words, with the balance after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.core import clock
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.packs import service as packs
from app.packs.models import EntryKind
from app.site.statement import WORDS
from tests.cast import Cast
from tests.packs.support import SeatDesk
from tests.site.conftest import Visit

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with clock.standing_at(MONDAY):
        yield


async def write(desk: SeatDesk, pack_id: UUID, kind: EntryKind, delta: int, reason: str = "") -> None:
    async with desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await packs.add_entry(uow, pack_id, kind, delta, reason=reason)


def ledger(html: str) -> list[tuple[str, str, str]]:
    """The lines as (what, change, left)."""
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [(re.sub(r"<[^>]+>", " ", what).strip(), change, left) for _, what, change, left in cells]


async def test_every_kind_of_line_has_its_words_and_a_balance(visit: Visit, desk: SeatDesk) -> None:
    pack_id = desk.cast.packs["student"]
    changes = [
        (EntryKind.COMPLETE, -1, ""),
        (EntryKind.NO_SHOW, -1, ""),
        (EntryKind.REVERSAL, 1, ""),
        (EntryKind.LATE_CANCEL, -1, ""),
        (EntryKind.ADJUST, 2, "A gift <for> patience"),
        (EntryKind.REFUND, -1, ""),
        (EntryKind.EXPIRE, -3, ""),
    ]
    for minutes, (kind, delta, reason) in enumerate(changes, 1):
        with clock.standing_at(MONDAY + timedelta(minutes=minutes)):
            await write(desk, pack_id, kind, delta, reason)
    answer = await (await visit("student")).get(f"/packs/{pack_id}")
    assert answer.status_code == 200
    assert ledger(answer.text) == [
        ("Given by the studio", "+4", "4"),
        ("Session held", "−1", "3"),
        ("Missed session", "−1", "2"),
        ("Given back", "+1", "3"),
        ("Canceled less than 24 hours before the start", "−1", "2"),
        ("Changed by the studio  A gift &lt;for&gt; patience", "+2", "4"),
        ("Refunded", "−1", "3"),
        ("Expired unused", "−3", "0"),
    ]
    assert "0 of 4 sessions left" in answer.text
    assert set(WORDS) == set(EntryKind)


async def test_times_are_the_readers_and_sessions_are_linked(visit: Visit, desk: SeatDesk) -> None:
    pack_id, session_id = desk.cast.packs["student"], new_id()
    start = MONDAY - timedelta(days=3)
    await desk.sql(
        "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at,"
        " completed_at, version, notes, recording_consent, event_generation, event_sync) values (:id, :mentor,"
        " :student, :pack, 'completed', :start, :end, tstzrange(:start, :end), :start, :end, 0, '', false, 0, 'none')",
        id=session_id,
        mentor=desk.cast["mentor"],
        student=desk.cast["student"],
        pack=pack_id,
        start=start,
        end=start + timedelta(hours=1),
    )
    async with desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await packs.add_entry(uow, pack_id, EntryKind.COMPLETE, -1, session_id=session_id)
    for person, expected in (
        ("student", "Fri 20 Nov 2026, 10:00"),
        ("mentor", "Fri 20 Nov 2026, 15:00"),
        ("admin", "Fri 20 Nov 2026, 15:00"),
    ):
        page = (await (await visit(person)).get(f"/packs/{pack_id}")).text
        assert f'<a href="/sessions/{session_id}">{expected}</a>' in page, person


async def test_a_bought_pack_leads_to_its_receipt(visit: Visit, desk: SeatDesk, cast: Cast) -> None:
    pack_id, order_id, product_id = cast.packs["student"], new_id(), new_id()
    assert "/receipts/" not in (await (await visit("student")).get(f"/packs/{pack_id}")).text
    await desk.sql(
        "insert into mentorship_products (id, mentor_id, title, description, price_minor, currency, sessions_per_pack,"
        " validity_days, active, created_at) values (:id, :mentor, 'New name', '', 99, 'EUR', 4, 45, true, :now)",
        id=product_id,
        mentor=cast["mentor"],
        now=MONDAY,
    )
    await desk.sql(
        "insert into orders (id, mentor_id, student_id, product_id, pack_id, provider, status, title, sessions,"
        " validity_days, currency, original_amount, discount_amount, tax_amount, total_amount, created_at, hold_until,"
        " paid_at) values (:id, :mentor, :student, :product, :pack, 'stripe', 'paid', 'Four sessions', 4, 45, 'EUR',"
        " 48000, 0, 0, 48000, :now, :now, :now)",
        id=order_id,
        mentor=cast["mentor"],
        student=cast["student"],
        product=product_id,
        pack=pack_id,
        now=MONDAY,
    )
    for person in ("student", "mentor", "admin"):
        page = (await (await visit(person)).get(f"/packs/{pack_id}")).text
        assert f'href="/receipts/{order_id}"' in page
        assert "<h1>Four sessions</h1>" in page  # as it was sold


async def test_a_frozen_pack_says_so_and_booked_sessions_are_counted(visit: Visit, desk: SeatDesk) -> None:
    pack_id = desk.cast.packs["student"]
    await desk.sql(
        "update session_packs set frozen = true, scheduled_sessions = 2 where id = :id", id=pack_id
    )
    page = (await (await visit("student")).get(f"/packs/{pack_id}")).text
    assert "The payment is disputed" in page
    assert "2 of them booked" in page
    assert "data-print hidden" in page
