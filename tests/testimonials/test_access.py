"""Every page of testimonials, for everybody: who gets in, and that others' words look like nothing at all."""

from __future__ import annotations

import pytest
from litestar import Litestar

from app.core.seen import digest
from tests.accounts.browser import Browser
from tests.booking.conftest import Visit
from tests.testimonials.support import OTHERS, WORDS, Studio

PEOPLE = ("anonymous", "student", "other_student", "new_student", "mentor", "other_mentor", "admin")
# What each of PEOPLE gets; the student has written about their pack. 303 of a GET leads to /sign-in, for the student to
# what they wrote.
GET = {
    "/testimonials/new?pack_id={pack}": (303, 303, 404, 404, 403, 403, 403),
    "/testimonials/new?pack_id=nonsense": (303, 404, 404, 404, 403, 403, 403),
    "/testimonials/new": (303, 404, 404, 404, 403, 403, 403),
    "/testimonials/{id}": (303, 200, 404, 404, 403, 403, 403),
    "/testimonials/nonsense": (303, 404, 404, 404, 403, 403, 403),
    "/admin/testimonials": (303, 403, 403, 403, 403, 403, 200),
    "/admin/testimonials?status=pending&page=1": (303, 403, 403, 403, 403, 403, 200),
}
POST = {
    "/testimonials": (401, 409, 404, 404, 403, 403, 403),
    "/testimonials/{id}": (401, 303, 404, 404, 403, 403, 403),
    "/admin/testimonials/{id}/decision": (401, 403, 403, 403, 403, 403, 303),
    "/testimonials/{id}/withdrawal": (401, 303, 404, 404, 403, 403, 403),
}
CHANGES = {("student", "/testimonials/{id}"), ("admin", "/admin/testimonials/{id}/decision")}


@pytest.fixture
async def ids(studio: Studio) -> dict[str, str]:
    await studio.hold(3)
    return {"id": str(await studio.write()), "pack": str(studio.cast.packs["student"])}


@pytest.fixture
async def browsers(visit: Visit) -> dict[str, Browser]:
    return {who: await visit(who) for who in PEOPLE}


@pytest.mark.parametrize("path", GET)
async def test_seeing(browsers: dict[str, Browser], ids: dict[str, str], path: str) -> None:
    for who, status in zip(PEOPLE, GET[path], strict=True):
        answer = await browsers[who].get(path.format(**ids))
        assert (who, answer.status_code) == (who, status)
        if who not in ("student", "admin"):
            assert WORDS not in answer.text


@pytest.mark.parametrize("path", POST)
async def test_changing(studio: Studio, browsers: dict[str, Browser], ids: dict[str, str], path: str) -> None:
    form = {"pack_id": ids["pack"], "body": OTHERS, "status": "approved", "seen": digest(WORDS)}
    for who, status in zip(PEOPLE, POST[path], strict=True):
        if (who, path) in CHANGES:
            continue
        before = await studio.rows()
        answer = await browsers[who].post(path.format(**ids), form)
        assert (who, answer.status_code) == (who, status)
        assert (await studio.rows() == before) is (status != 303)
    for who, where in CHANGES:
        if where == path:
            assert (await browsers[who].post(path.format(**ids), form)).status_code == 303


@pytest.mark.parametrize("path", POST)
async def test_every_post_needs_the_csrf_token(
    studio: Studio, browsers: dict[str, Browser], ids: dict[str, str], path: str
) -> None:
    before = await studio.rows()
    for who in ("student", "admin"):
        answer = await browsers[who].post(path.format(**ids), {"body": OTHERS}, csrf=False)
        assert answer.status_code == 403
    assert await studio.rows() == before


def test_the_tables_name_every_page(app: Litestar) -> None:
    served = {
        (method, route.path.replace("{testimonial_id:str}", "{id}"))
        for route in app.routes
        for method in getattr(route, "methods", ())
        if route.path.startswith(("/testimonials", "/admin/testimonials")) and method in ("GET", "POST")
    }
    named = {("GET", path.partition("?")[0].replace("nonsense", "{id}")) for path in GET}
    assert served == named | {("POST", path) for path in POST}
