"""Proposing and answering by the pages: plain forms, and the same by fragments."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from app.booking.service import SessionFacts
from app.core import clock
from app.core.templating import iso
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import Desk
from tests.booking.test_proposals import ProposalDesk


@pytest.fixture
def asked(desk: Desk) -> ProposalDesk:
    return ProposalDesk(desk)


@pytest.fixture
async def offers(desk: Desk) -> list[datetime]:
    return await desk.offers("student")


@pytest.fixture
async def booked(desk: Desk, offers: list[datetime]) -> SessionFacts:
    return (await desk.book("student", offers[0])).session


@pytest.fixture
async def mentor(visit: Visit) -> Browser:
    return await visit("mentor")


@pytest.fixture
async def student(visit: Visit) -> Browser:
    return await visit("student")


def starts(html: str) -> list[str]:
    return re.findall(r'data-start="([^"]+)"', html)


def proposal_id(html: str) -> str:
    found = re.search(r'name="proposal_id" value="([^"]+)"', html)
    assert found is not None
    return found[1]


async def test_from_proposal_to_acceptance_by_plain_forms(
    asked: ProposalDesk, booked: SessionFacts, mentor: Browser, student: Browser
) -> None:
    page = await mentor.get(f"/sessions/{booked.id}")
    assert f'href="/instructor/sessions/{booked.id}/proposal"' in page.text
    picker = await mentor.get(f"/instructor/sessions/{booked.id}/proposal")
    assert (picker.status_code, "in New York" in picker.text) == (200, True)
    assert "Why not another time?" not in picker.text
    wanted = starts(picker.text)[-1]
    posted = await mentor.post(f"/instructor/sessions/{booked.id}/proposal", {"start": wanted})
    assert target(posted) == f"/sessions/{booked.id}"
    assert "Another time is proposed" in (await mentor.get(f"/sessions/{booked.id}")).text
    assert f"/sessions/{booked.id}/proposal" in (await student.get("/sessions")).text
    assert "Mentor proposes another time" in (await student.get(f"/sessions/{booked.id}")).text
    page = await student.get(f"/sessions/{booked.id}/proposal")
    form = {"proposal_id": proposal_id(page.text)}
    answer = await student.post(f"/sessions/{booked.id}/proposal/acceptance", form)
    assert target(answer) == f"/sessions/{booked.id}"
    assert iso((await asked.desk.session(booked.id)).scheduled_at) == wanted
    assert "proposes another time" not in (await student.get(f"/sessions/{booked.id}")).text
    assert target(await student.get(f"/sessions/{booked.id}/proposal")) == f"/sessions/{booked.id}"


async def test_days_and_months_of_the_picker_are_fragments(booked: SessionFacts, mentor: Browser) -> None:
    later = clock.now() + timedelta(days=5)
    path = f"/instructor/sessions/{booked.id}/proposal"
    for query, root in (
        (f"day={later:%Y-%m-%d}", '<section id="day"'),
        (f"month={later:%Y-%m}", '<section id="month"'),
    ):
        part = await mentor.fragment(f"{path}?{query}")
        assert (part.status_code, root in part.text, "<html" in part.text) == (200, True, False)
        assert (await mentor.get(f"{path}?{query}")).status_code == 200
    for query in ("day=soon", "month=13"):
        assert (await mentor.get(f"{path}?{query}")).status_code == 400


@pytest.mark.parametrize("htmx", [False, True])
async def test_a_time_that_is_taken_is_not_proposed(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime], mentor: Browser, htmx: bool
) -> None:
    await asked.desk.book(await asked.desk.student(), offers[4])
    path = f"/instructor/sessions/{booked.id}/proposal"
    answer = await mentor.post(path, {"start": iso(offers[4])}, htmx=htmx)
    assert (answer.status_code, 'data-code="slot_taken"' in answer.text) == (409, True)
    assert ("<html" in answer.text, 'id="balance"' in answer.text) == (not htmx, False)
    assert "Nothing was proposed" in answer.text
    assert (await mentor.post(path, {"start": "tomorrow"}, htmx=htmx)).status_code == 400


@pytest.mark.parametrize("htmx", [False, True])
async def test_a_proposed_time_that_is_gone_comes_with_the_nearest(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime], student: Browser, htmx: bool
) -> None:
    id_ = await asked.propose(booked.id, offers[6])
    await asked.desk.book(await asked.desk.student(), offers[6])
    form = {"proposal_id": str(id_)}
    answer = await student.post(f"/sessions/{booked.id}/proposal/acceptance", form, htmx=htmx)
    assert (answer.status_code, "<html" in answer.text) == (409, not htmx)
    assert 'data-code="slot_taken"' in answer.text
    assert "no longer free" in answer.text
    instead = re.findall(r'name="start" value="([^"]+)"', answer.text)
    assert len(instead) == 4
    assert set(instead) <= {
        iso(start) for start in offers[1:] if abs(start - offers[6]) >= timedelta(hours=1)
    }
    moved = await student.post(f"/sessions/{booked.id}/move", {"start": instead[0]})
    assert target(moved) == f"/sessions/{booked.id}"
    assert await asked.states() == ["withdrawn"]


@pytest.mark.parametrize("htmx", [False, True])
async def test_keeping_the_time(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime], student: Browser, htmx: bool
) -> None:
    form = {"proposal_id": str(await asked.propose(booked.id, offers[4]))}
    path = f"/sessions/{booked.id}/proposal/refusal"
    answer = await student.post(path, form, htmx=htmx)
    where = answer.headers["hx-redirect"] if htmx else target(answer)
    assert (where, await asked.states()) == (f"/sessions/{booked.id}", ["declined"])
    assert (await student.post(path, {"proposal_id": "x"}, htmx=htmx)).status_code == 400
    stale = {"proposal_id": str(booked.id)}
    assert (await student.post(path, stale, htmx=htmx)).status_code == 404


async def test_an_answer_to_a_replaced_proposal_shows_the_new_one(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime], student: Browser
) -> None:
    first = await asked.propose(booked.id, offers[4])
    second = await asked.propose(booked.id, offers[6])
    answer = await student.post(f"/sessions/{booked.id}/proposal/acceptance", {"proposal_id": str(first)})
    assert (answer.status_code, proposal_id(answer.text)) == (409, str(second))
    assert 'data-code="proposal_closed"' in answer.text


async def test_within_24_hours_the_pages_let_an_asked_student_move(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime], student: Browser
) -> None:
    later = next(start for start in offers if start > booked.start + timedelta(days=2))
    with clock.standing_at(booked.start - timedelta(hours=3)):
        move = f'href="/sessions/{booked.id}/move"'
        assert move not in (await student.get(f"/sessions/{booked.id}")).text
        assert target(await student.get(f"/sessions/{booked.id}/move")) == f"/sessions/{booked.id}"
        await asked.propose(booked.id, later)
        for path in ("/sessions", f"/sessions/{booked.id}", f"/sessions/{booked.id}/proposal"):
            assert move in (await student.get(path)).text
        assert "you can still move it" in (await student.get(f"/sessions/{booked.id}")).text
        assert (await student.get(f"/sessions/{booked.id}/move")).status_code == 200


async def test_taking_it_back(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime], mentor: Browser
) -> None:
    await asked.propose(booked.id, offers[4])
    path = f"/instructor/sessions/{booked.id}/proposal/withdrawal"
    assert target(await mentor.post(path)) == f"/sessions/{booked.id}"
    assert await asked.states() == ["withdrawn"]
    assert target(await mentor.post(path)) == f"/sessions/{booked.id}"
    assert any("any more" in text for text in mentor.flashes())


async def test_a_session_that_is_over_is_not_proposed_elsewhere(
    desk: Desk, booked: SessionFacts, mentor: Browser
) -> None:
    await desk.cancel("mentor", booked.id)
    answer = await mentor.get(f"/instructor/sessions/{booked.id}/proposal")
    assert target(answer) == f"/sessions/{booked.id}"
    assert any("no longer scheduled" in text for text in mentor.flashes())


async def test_what_happened_names_the_proposal(
    asked: ProposalDesk, booked: SessionFacts, offers: list[datetime], student: Browser
) -> None:
    await asked.propose(booked.id, offers[4])
    assert "Another time was proposed" in (await student.get(f"/sessions/{booked.id}")).text
