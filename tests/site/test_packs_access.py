"""Every page around packs, for everybody: who gets in, and that others' rows look like nothing at all."""

from __future__ import annotations

import pytest
from litestar import Litestar

from tests.accounts.browser import Browser
from tests.packs.support import SeatDesk
from tests.site.conftest import Visit
from tests.site.selling import FORM, on_sale

PEOPLE = ("anonymous", "student", "other_student", "new_student", "mentor", "other_mentor", "admin")
# What each of PEOPLE gets. The student has the mentor's only seat and a pack, the new student waits for it; 303 of a
# GET leads to /sign-in.
GET = {
    "/instructor/products": (303, 403, 403, 403, 200, 200, 403),
    "/admin/products": (303, 403, 403, 403, 403, 403, 200),
    "/admin/products?mentor_id={mentor}": (303, 403, 403, 403, 403, 403, 200),
    "/waitlist": (200, 200, 200, 200, 200, 200, 200),
    "/instructor/waitlist": (303, 403, 403, 403, 200, 200, 403),
    "/instructor/waitlist/{place}/removal": (303, 403, 403, 403, 200, 404, 403),
    "/admin/waitlist": (303, 403, 403, 403, 403, 403, 200),
    "/admin/waitlist/{place}/removal": (303, 403, 403, 403, 403, 403, 200),
    "/packs/{pack}": (303, 200, 404, 404, 200, 404, 200),
    "/packs/nonsense": (303, 404, 404, 404, 404, 404, 404),
}
POST = {
    "/instructor/products": (401, 403, 403, 403, 303, 303, 403),
    "/instructor/products/{product}": (401, 403, 403, 403, 303, 404, 403),
    "/instructor/products/{product}/deactivation": (401, 403, 403, 403, 303, 404, 403),
    "/instructor/products/{product}/activation": (401, 403, 403, 403, 303, 404, 403),
    "/admin/products": (401, 403, 403, 403, 403, 403, 303),
    "/admin/products/{product}": (401, 403, 403, 403, 403, 403, 303),
    "/admin/products/{product}/deactivation": (401, 403, 403, 403, 403, 403, 303),
    "/admin/products/{product}/activation": (401, 403, 403, 403, 403, 403, 303),
    "/waitlist": (401, 303, 303, 303, 403, 403, 403),
    "/waitlist/{place}/departure": (401, 404, 404, 303, 403, 403, 403),
    "/instructor/waitlist/{place}/removal": (401, 403, 403, 403, 303, 404, 403),
    "/admin/waitlist/{place}/removal": (401, 403, 403, 403, 403, 403, 303),
}
ROOTS = (
    "/instructor/products",
    "/instructor/waitlist",
    "/admin/products",
    "/admin/waitlist",
    "/waitlist",
    "/packs",
)


@pytest.fixture
async def ids(desk: SeatDesk) -> dict[str, str]:
    """What the placeholders stand for."""
    await desk.capacity(1)
    await desk.join("new_student")
    return {
        "mentor": str(desk.mentor_id),
        "pack": str(desk.cast.packs["student"]),
        "product": str(await on_sale(desk.database, desk.cast)),
        "place": await place(desk),
    }


async def place(desk: SeatDesk) -> str:
    return str((await desk.places(left=False))[desk.cast["new_student"]].id)


@pytest.fixture
async def browsers(visit: Visit) -> dict[str, Browser]:
    return {who: await visit(who) for who in PEOPLE}


@pytest.mark.parametrize("path", GET)
async def test_seeing(browsers: dict[str, Browser], ids: dict[str, str], path: str) -> None:
    where = path.format(**ids)
    for who, status in zip(PEOPLE, GET[path], strict=True):
        page, part = await browsers[who].get(where), await browsers[who].fragment(where)
        assert (who, page.status_code) == (who, status)
        assert (who, part.status_code) == (who, 401 if status == 303 else status)
        if status > 400:
            assert "New Student" not in page.text.replace("Account of New Student", "")
            assert "sessions left" not in page.text


@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
@pytest.mark.parametrize("path", POST)
async def test_changing(
    desk: SeatDesk, browsers: dict[str, Browser], ids: dict[str, str], path: str, htmx: bool
) -> None:
    for who, status in zip(PEOPLE, POST[path], strict=True):
        if "{place}" in path:
            await wait_again(desk)
            ids["place"] = await place(desk)
        before = await state(desk)
        form = FORM | {"mentor_id": ids["mentor"]}
        answer = await browsers[who].post(path.format(**ids), form, htmx=htmx)
        if status == 303 and htmx:
            assert (who, answer.status_code in (200, 409)) == (who, True)
        else:
            assert (who, answer.status_code) == (who, status)
        if status > 400:
            assert await state(desk) == before


async def wait_again(desk: SeatDesk) -> None:
    if desk.cast["new_student"] not in await desk.places(left=False):
        await desk.join("new_student")


async def state(desk: SeatDesk) -> list[str]:
    """Everything that these forms could change."""
    rows = await desk.sql(
        "select to_jsonb(p)::text as row from mentorship_products p"
        " union all select to_jsonb(w)::text from waitlist w order by row"
    )
    return [row.row for row in rows]


@pytest.mark.parametrize("path", POST)
async def test_every_post_needs_the_csrf_token(
    browsers: dict[str, Browser], ids: dict[str, str], path: str
) -> None:
    for who, status in zip(PEOPLE, POST[path], strict=True):
        if status == 303:
            answer = await browsers[who].post(path.format(**ids), FORM, csrf=False)
            assert (who, answer.status_code) == (who, 403)


async def test_the_tables_name_every_page(app: Litestar) -> None:
    served = {
        (method, route.path)
        for route in app.routes
        for method in getattr(route, "methods", ())
        if route.path.startswith(ROOTS) and method in ("GET", "POST")
    }
    names = {"{place}": "{place_id:str}", "{pack}": "{pack_id:str}", "{product}": "{product_id:str}"}
    plain = set()
    for method, path in [*(("GET", path) for path in GET), *(("POST", path) for path in POST)]:
        where = path.partition("?")[0].replace("nonsense", "{pack}")
        for short, long in names.items():
            where = where.replace(short, long)
        plain.add((method, where))
    assert served == plain
