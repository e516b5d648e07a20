"""Every page of disputes, for everybody: who gets in, and that others' disputes look like nothing at all."""

from __future__ import annotations

import pytest
from litestar import Litestar

from app.booking.service import SessionFacts
from app.core import clock
from tests.accounts.browser import Browser
from tests.booking.conftest import Visit
from tests.disputes.support import ANSWER, REASON, Court

PEOPLE = ("anonymous", "student", "other_student", "new_student", "mentor", "other_mentor", "admin")
# What each of PEOPLE gets; the student has disputed it. 303 of a GET leads to /sign-in, for admins to where they decide.
GET = {
    "/sessions/{id}/dispute": (303, 200, 404, 404, 200, 404, 303),
    "/sessions/nonsense/dispute": (303, 404, 404, 404, 404, 404, 303),
    "/admin/disputes": (303, 403, 403, 403, 403, 403, 200),
    "/admin/disputes?status=open&page=1": (303, 403, 403, 403, 403, 403, 200),
}
POST = {
    "/sessions/{id}/dispute": (401, 409, 404, 404, 403, 403, 403),
    "/sessions/{id}/dispute/withdrawal": (401, 303, 404, 404, 403, 403, 403),
    "/sessions/{id}/dispute/agreement": (401, 403, 403, 403, 303, 404, 403),
    "/admin/disputes/{dispute}/decision": (401, 403, 403, 403, 403, 403, 303),
}
ALLOWED = {
    "/sessions/{id}/dispute/withdrawal": "student",
    "/sessions/{id}/dispute/agreement": "mentor",
    "/admin/disputes/{dispute}/decision": "admin",
}


@pytest.fixture
async def ids(court: Court, booked: SessionFacts) -> dict[str, str]:
    dispute, at = await court.disputed(booked)
    return {"id": str(booked.id), "dispute": str(dispute), "at": at.isoformat()}


@pytest.fixture
async def browsers(visit: Visit) -> dict[str, Browser]:
    return {who: await visit(who) for who in PEOPLE}


@pytest.mark.parametrize("path", GET)
async def test_seeing(browsers: dict[str, Browser], ids: dict[str, str], path: str) -> None:
    for who, status in zip(PEOPLE, GET[path], strict=True):
        answer = await browsers[who].get(path.format(**ids))
        assert (who, answer.status_code) == (who, status)
        assert (REASON in answer.text) is (status == 200)


@pytest.mark.parametrize("path", POST)
async def test_changing(
    court: Court, browsers: dict[str, Browser], booked: SessionFacts, ids: dict[str, str], path: str
) -> None:
    form = {"reason": REASON, "dispute_id": ids["dispute"], "status": "rejected", "answer": ANSWER}
    with clock.standing_at(booked.end):
        for who, status in zip(PEOPLE, POST[path], strict=True):
            if who == ALLOWED.get(path):
                continue
            before = await court.rows(), await court.session(booked.id)
            answer = await browsers[who].post(path.format(**ids), form)
            assert (who, answer.status_code) == (who, status)
            after = await court.rows(), await court.session(booked.id)
            assert (after[0], after[1].version) == (before[0], before[1].version)
        if path in ALLOWED:
            answer = await browsers[ALLOWED[path]].post(path.format(**ids), form)
            assert answer.status_code == 303
            assert [row.status for row in await court.rows()] != ["open"]


@pytest.mark.parametrize("path", POST)
async def test_every_post_needs_the_csrf_token(
    court: Court, browsers: dict[str, Browser], ids: dict[str, str], path: str
) -> None:
    form = {"reason": REASON, "dispute_id": ids["dispute"], "status": "rejected", "answer": ANSWER}
    for who in ("student", "mentor", "admin"):
        answer = await browsers[who].post(path.format(**ids), form, csrf=False)
        assert answer.status_code == 403
    assert [row.status for row in await court.rows()] == ["open"]


async def test_a_dispute_of_another_session_is_nothing(
    court: Court, browsers: dict[str, Browser], ids: dict[str, str]
) -> None:
    """The path names one session, the form the dispute of another."""
    other = (await court.book("student", (await court.offers("student"))[-1])).session
    for who, act in (("student", "withdrawal"), ("mentor", "agreement")):
        for id_ in (str(other.id), str(court.cast["student"])):
            answer = await browsers[who].post(
                f"/sessions/{id_}/dispute/{act}", {"dispute_id": ids["dispute"]}
            )
            assert answer.status_code == 404
    assert [row.status for row in await court.rows()] == ["open"]


def test_the_tables_name_every_page(app: Litestar) -> None:
    served = {
        (method, route.path.replace("{session_id:str}", "{id}").replace("{dispute_id:str}", "{dispute}"))
        for route in app.routes
        for method in getattr(route, "methods", ())
        if "dispute" in route.path and method in ("GET", "POST")
    }
    named = {("GET", path.partition("?")[0].replace("nonsense", "{id}")) for path in GET}
    assert served == named | {("POST", path) for path in POST}


@pytest.mark.parametrize(
    ("worn", "path"),
    [("student", ""), ("student", "/withdrawal"), ("mentor", "/agreement")],
)
async def test_an_admin_who_is_signed_in_as_them_neither_disputes_nor_agrees(
    court: Court, visit: Visit, booked: SessionFacts, worn: str, path: str
) -> None:
    if path:
        form = {"dispute_id": str((await court.disputed(booked))[0])}
    else:
        await court.marked(booked)
        form = {"reason": REASON}
    admin, before = await visit("admin"), await court.rows()
    await admin.post(f"/admin/users/{court.cast[worn]}/impersonation", {"reason": "they asked"})
    assert (await admin.get(f"/sessions/{booked.id}/dispute")).status_code == 200
    refused = await admin.post(f"/sessions/{booked.id}/dispute{path}", form)
    assert refused.status_code == 403
    assert "Only they can do this themselves" in refused.text
    assert await court.rows() == before
