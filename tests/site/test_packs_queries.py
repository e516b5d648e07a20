"""How many questions these pages ask the database: written down, and the same however much there is to show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.rls import ServiceDoor
from app.packs import service as packs
from app.packs.models import EntryKind
from tests.packs.support import SeatDesk
from tests.site.conftest import Visit
from tests.site.selling import FOUR, on_sale
from tests.support.queries import counted

# One of them says who asks.
PAGES = {
    ("anonymous", "/instructors/mentor"): 5,
    ("new_student", "/instructors/mentor"): 7,
    ("anonymous", "/waitlist"): 0,
    ("new_student", "/waitlist"): 2,
    ("mentor", "/instructor/products"): 3,
    ("admin", "/admin/products"): 2,
    ("admin", "/admin/products?mentor_id={mentor}"): 4,
    ("mentor", "/instructor/waitlist"): 4,
    ("admin", "/admin/waitlist"): 3,
    ("admin", "/admin/waitlist/{place}/removal"): 2,
    ("student", "/packs/{pack}"): 3,
}


@pytest.mark.parametrize(("who", "path"), PAGES)
async def test_a_constant_number(desk: SeatDesk, visit: Visit, who: str, path: str) -> None:
    await desk.capacity(1)
    await desk.join("new_student")
    places = await desk.places(left=False)
    where = path.format(
        mentor=desk.mentor_id, place=places[desk.cast["new_student"]].id, pack=desk.cast.packs["student"]
    )
    browser = await visit(who)
    await browser.get("/instructors")  # a new connection has questions of its own
    found = []
    for _ in range(2):
        with counted() as statements:
            answer = await browser.get(where)
        assert answer.status_code == 200
        found.append(len(statements))
        await _much_more(desk)
    assert found == [PAGES[who, path]] * 2, statements


async def _much_more(desk: SeatDesk) -> None:
    for number in range(3):
        await on_sale(desk.database, desk.cast, replace(FOUR, title=f"More {number}"))
    for id_ in await desk.newcomers(3):
        await desk.join(id_)
    await desk.teachers_with_a_line(3)
    seated = await desk.newcomers(3)
    await desk.capacity(8)
    for id_ in seated:
        await desk.take(id_)
    async with desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        for delta in (1, -1, 2):
            await packs.add_entry(uow, desk.cast.packs["student"], EntryKind.ADJUST, delta)
