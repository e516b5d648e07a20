"""Pages of disputes: what each of the three sees and can do, with and without HTMX; where others lead to them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.booking.service import SessionFacts
from app.core import clock
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.disputes.support import (
    ANSWER,
    CANCELED,
    COMPLETED,
    NO_SHOW,
    REASON,
    REJECTED,
    SCHEDULED,
    UPHELD,
    Court,
)
from tests.support.queries import counted

LIST = "/admin/disputes"
HOUR = timedelta(hours=1)


@pytest.fixture
async def student(visit: Visit) -> Browser:
    return await visit("student")


@pytest.fixture
async def mentor(visit: Visit) -> Browser:
    return await visit("mentor")


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


@pytest.mark.parametrize("status", [COMPLETED, NO_SHOW])
async def test_from_the_session_to_a_dispute(
    court: Court, student: Browser, booked: SessionFacts, status: str
) -> None:
    page = f"/sessions/{booked.id}"
    assert "/dispute" not in (await student.get(page)).text
    at = await court.marked(booked, NO_SHOW if status == NO_SHOW else COMPLETED)
    with clock.standing_at(at + HOUR):
        assert f'href="{page}/dispute"' in (await student.get(page)).text
        form = (await student.get(f"{page}/dispute")).text
        assert 'name="reason"' in form
        sent = await student.post(f"{page}/dispute", {"reason": REASON})
        assert target(sent) == page
        assert "Sent." in student.flashes()[0]
        after = (await student.get(page)).text
        assert "You have disputed how this session is marked" in after
        assert "Disputed by you" in after
        shown = (await student.get(f"{page}/dispute")).text
    assert REASON in shown
    assert "Take it back" in shown
    assert 'name="reason"' not in shown


@pytest.mark.parametrize("words", ["", "Too short", "x" * 1001])
@pytest.mark.parametrize("htmx", [True, False])
async def test_what_cannot_be_sent_comes_back_with_the_words(
    court: Court, student: Browser, booked: SessionFacts, words: str, htmx: bool
) -> None:
    with clock.standing_at(await court.marked(booked)):
        answer = await student.post(f"/sessions/{booked.id}/dispute", {"reason": words}, htmx=htmx)
    assert answer.status_code == 422
    assert ("<html" in answer.text) is not htmx
    assert 'id="reason-error"' in answer.text
    assert words in answer.text
    assert await court.rows() == []


async def test_too_late_says_so_and_keeps_the_words(
    court: Court, student: Browser, booked: SessionFacts
) -> None:
    page = f"/sessions/{booked.id}"
    with clock.standing_at(await court.marked(booked) + timedelta(hours=49)):
        assert "/dispute" not in (await student.get(page)).text
        assert "they are over" in (await student.get(f"{page}/dispute")).text
        answer = await student.post(f"{page}/dispute", {"reason": REASON}, htmx=True)
    assert answer.status_code == 409
    assert 'data-code="too_late"' in answer.text
    assert REASON in answer.text


async def test_a_mentor_reads_and_agrees(court: Court, mentor: Browser, booked: SessionFacts) -> None:
    page = f"/sessions/{booked.id}"
    assert (await mentor.get(f"{page}/dispute")).status_code == 404
    dispute, at = await court.disputed(booked)
    await court.stay(booked, "student", (0, 40))
    with clock.standing_at(at):
        assert f'href="{page}/dispute"' in (await mentor.get("/instructor/dashboard")).text
        assert "Student disputes how this session is marked" in (await mentor.get(page)).text
        shown = (await mentor.get(f"{page}/dispute")).text
        assert REASON in shown
        assert "40 minutes" in shown
        agreed = await mentor.post(f"{page}/dispute/agreement", {"dispute_id": str(dispute)})
        assert target(agreed) == page
        after = (await mentor.get(page)).text
        assert "Taken back: the session went back to the pack, by you" in after
        assert "disputes how" not in after
        assert "disputed" not in (await mentor.get("/instructor/dashboard")).text
    assert (await court.session(booked.id)).status is CANCELED


async def test_a_refused_agreement_says_why(court: Court, mentor: Browser, booked: SessionFacts) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.withdraw(dispute)
        path, form = f"/sessions/{booked.id}/dispute/agreement", {"dispute_id": str(dispute)}
        answer = await mentor.post(path, form, htmx=True)
    assert answer.status_code == 409
    assert 'data-code="decided"' in answer.text
    assert "It was taken back" in answer.text


async def test_a_student_takes_it_back(court: Court, student: Browser, booked: SessionFacts) -> None:
    dispute, at = await court.disputed(booked)
    page = f"/sessions/{booked.id}"
    with clock.standing_at(at):
        answer = await student.post(f"{page}/dispute/withdrawal", {"dispute_id": str(dispute)})
        assert target(answer) == page
        after = (await student.get(page)).text
    assert "The dispute was withdrawn by you" in after
    assert f"{page}/dispute" not in after


@pytest.mark.parametrize("status", [UPHELD, REJECTED])
@pytest.mark.parametrize("htmx", [True, False])
async def test_an_admin_decides_with_a_sentence(
    court: Court, admin: Browser, student: Browser, booked: SessionFacts, status: str, htmx: bool
) -> None:
    dispute, at = await court.disputed(booked)
    await court.stay(booked, "mentor", (0, 25))
    path = f"{LIST}/{dispute}/decision"
    with clock.standing_at(at):
        assert "1</b> session is disputed" in (await admin.get("/admin")).text
        shown = (await admin.get(LIST)).text
        assert REASON in shown
        assert "25 minutes" in shown
        empty = await admin.post(path, {"status": str(status), "answer": ""}, htmx=htmx)
        assert empty.status_code == 422
        assert f'id="dispute-{dispute}-answer-error"' in empty.text
        assert ("<html" in empty.text) is not htmx
        done = await admin.post(path, {"status": str(status), "answer": ANSWER}, htmx=htmx)
        if htmx:
            assert done.status_code == 200
            assert done.text.lstrip().startswith(f'<article id="dispute-{dispute}"')
            assert 'name="status"' not in done.text
        else:
            assert target(done) == LIST
        assert "is disputed" not in (await admin.get("/admin")).text
        assert ANSWER in (await student.get(f"/sessions/{booked.id}/dispute")).text
    assert [row.status for row in await court.rows()] == [status]


@pytest.mark.parametrize("htmx", [True, False])
async def test_who_decides_second_is_told(
    court: Court, admin: Browser, booked: SessionFacts, htmx: bool
) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.concede(dispute)
        form = {"status": "rejected", "answer": ANSWER}
        answer = await admin.post(f"{LIST}/{dispute}/decision", form, htmx=htmx)
    assert answer.status_code == 409
    assert "Somebody has decided about it meanwhile" in answer.text
    assert "by the instructor" in answer.text


async def test_odd_decisions_are_400(court: Court, admin: Browser, booked: SessionFacts) -> None:
    dispute, _ = await court.disputed(booked)
    for status in ("", "open", "withdrawn", "maybe"):
        answer = await admin.post(f"{LIST}/{dispute}/decision", {"status": status, "answer": ANSWER})
        assert answer.status_code == 400
    gone = await admin.post(f"{LIST}/{booked.id}/decision", {"status": "upheld", "answer": ANSWER})
    assert gone.status_code == 404


async def test_of_a_refunded_pack_only_a_rejection_is_offered(
    court: Court, admin: Browser, mentor: Browser, booked: SessionFacts
) -> None:
    await court.disputed(booked)
    await court.sql("update session_packs set status = 'refunded'")
    shown = (await admin.get(LIST)).text
    assert re.findall(r'name="status" value="(\w+)"', shown) == ["rejected"]
    assert "The pack was refunded" in shown
    assert "/agreement" not in re.findall(
        r"<button.*", (await mentor.get(f"/sessions/{booked.id}/dispute")).text
    )


async def test_the_list_filters_and_says_what_is_settled(
    court: Court, admin: Browser, booked: SessionFacts
) -> None:
    dispute, at = await court.disputed(booked)
    assert f"dispute-{dispute}" in (await admin.get(f"{LIST}?status=open")).text
    with clock.standing_at(at):
        await court.mark("mentor", booked.id, SCHEDULED)
    assert f"dispute-{dispute}" not in (await admin.get(f"{LIST}?status=open")).text
    settled = (await admin.get(f"{LIST}?status=settled")).text
    assert f"dispute-{dispute}" in settled
    assert 'name="answer"' not in settled
    assert "No dispute is like that" in (await admin.get(f"{LIST}?status=upheld")).text
    for odd in ("status=nonsense", "page=0", "page=x", "page=99"):
        assert target(await admin.get(f"{LIST}?{odd}")) == LIST


async def test_the_list_is_a_constant_number_of_queries(
    court: Court, admin: Browser, student: Browser, booked: SessionFacts
) -> None:
    _, at = await court.disputed(booked)
    numbers = []
    for _ in range(2):
        for browser, path in ((admin, LIST), (admin, "/admin"), (student, f"/sessions/{booked.id}/dispute")):
            await browser.get("/privacy")
            with counted() as statements:
                assert (await browser.get(path)).status_code == 200
            numbers.append(len(statements))
        if len(numbers) == 3:
            for _ in range(3):
                with clock.standing_at(at):
                    await court.mark("mentor", booked.id, SCHEDULED)
                    await court.mark("mentor", booked.id, NO_SHOW)
                    await court.dispute(booked.id)
                    await court.stay(booked, "mentor", (0, 9))
    assert (await admin.get(LIST)).text.count('class="decision"') == 4
    assert numbers[:3] == numbers[3:]
