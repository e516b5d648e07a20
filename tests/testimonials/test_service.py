"""Writing about a pack: who may, how often, until when, and who reads it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.booking.models import SessionStatus
from app.core import clock
from app.core.errors import Invalid, NotFound, Refused
from app.core.ids import new_id
from app.testimonials import repository, service
from app.testimonials.models import TestimonialStatus as Status
from tests.testimonials.support import OTHERS, WORDS, Studio


async def refused(code: str, attempt: object) -> None:
    with pytest.raises(Refused) as caught:
        await attempt  # type: ignore[misc]
    assert caught.value.code == code


async def test_after_the_third_session(studio: Studio) -> None:
    for count in range(3):
        assert len(await studio.sql("select 1 from sessions where status = 'completed'")) == count
        await refused("not_yet", studio.write())
        await studio.hold(1)
    await studio.write(f"  {WORDS}\r\n")
    (row,) = await studio.rows()
    assert (row.body, row.status, row.decided_by) == (WORDS, "pending", None)


async def test_after_the_last_session_of_a_short_pack(studio: Studio) -> None:
    pack = await studio.grant("other_student", sessions=1)
    await refused("not_yet", studio.write(who="other_student", pack=pack))
    await studio.hold(1, who="other_student")
    await studio.write(who="other_student", pack=pack)


async def test_not_about_a_pack_that_was_only_missed(studio: Studio) -> None:
    pack = await studio.grant("new_student", sessions=1)
    (session,) = await studio.hold(1, who="new_student")
    await studio.sql("update sessions set status = 'no_show' where id = :id", id=session)
    await refused("not_yet", studio.write(who="new_student", pack=pack))


@pytest.mark.parametrize("who", ["other_student", "new_student"])
async def test_not_about_anothers_pack(studio: Studio, who: str) -> None:
    await studio.hold(3)
    for pack in (studio.cast.packs["student"], new_id()):
        with pytest.raises(NotFound):
            await studio.write(who=who, pack=pack)
    assert await studio.rows() == []


@pytest.mark.parametrize("body", ["", "   ", "short", "x" * 49, "x" * 1001, "\u200b" * 60])
async def test_neither_too_short_nor_too_long(studio: Studio, body: str) -> None:
    await studio.hold(3)
    with pytest.raises(Invalid) as caught:
        await studio.write(body)
    assert list(caught.value.fields) == ["body"]
    assert await studio.rows() == []


async def test_once_a_pack_whoever_is_quicker(studio: Studio) -> None:
    await studio.hold(3)
    texts = [f"{WORDS} {number}" for number in range(6)]
    results = await asyncio.gather(*(studio.write(text) for text in texts), return_exceptions=True)
    written = [result for result in results if isinstance(result, UUID)]
    codes = {result.code for result in results if isinstance(result, Refused)}
    assert (len(written), codes) == (1, {"already_written"})
    (row,) = await studio.rows()
    assert row.body in texts
    await refused("already_written", studio.write(OTHERS))


async def test_again_about_the_next_pack(studio: Studio) -> None:
    await studio.hold(4)
    await studio.write()
    pack = await studio.grant("student", sessions=1)
    await studio.hold(1)
    await studio.write(OTHERS, pack=pack)
    assert [row.body for row in await studio.rows()] == [WORDS, OTHERS]


async def change(studio: Studio, id_: UUID, body: str, who: str = "student") -> None:
    async with studio.database.unit_of_work(studio.principal(who)) as uow, uow.transaction():
        await service.change(uow, id_, body)


async def withdraw(studio: Studio, id_: UUID, who: str = "student") -> None:
    async with studio.database.unit_of_work(studio.principal(who)) as uow, uow.transaction():
        await service.withdraw(uow, id_)


async def test_changed_until_somebody_decides(studio: Studio) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    await change(studio, id_, OTHERS)
    assert [row.body for row in await studio.rows()] == [OTHERS]
    await studio.approve(id_, OTHERS)
    await refused("decided", change(studio, id_, WORDS))
    assert [row.body for row in await studio.rows()] == [OTHERS]


@pytest.mark.parametrize("status", list(Status))
async def test_taken_back_at_any_time_and_written_anew(studio: Studio, status: Status) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    if status is not Status.PENDING:
        await studio.decide(id_, status)
    await withdraw(studio, id_)
    assert await studio.rows() == []
    with pytest.raises(NotFound):
        await withdraw(studio, id_)
    await studio.write(OTHERS)
    assert [row.status for row in await studio.rows()] == ["pending"]


@pytest.mark.parametrize("who", ["other_student", "mentor"])
async def test_others_neither_read_nor_change_nor_take_back(studio: Studio, who: str) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    await studio.approve(id_)
    for attempt in (change(studio, id_, OTHERS, who), withdraw(studio, id_, who)):
        with pytest.raises(NotFound):
            await attempt
    assert [row.body for row in await studio.rows()] == [WORDS]


async def test_what_was_not_read_is_not_approved(studio: Studio) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    await change(studio, id_, OTHERS)
    await refused("rewritten", studio.approve(id_, WORDS))
    assert [row.status for row in await studio.rows()] == ["pending"]


async def test_a_decision_is_audited_and_told_once(studio: Studio) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    for status in (Status.APPROVED,) * 2 + (
        Status.DECLINED,
        Status.APPROVED,
    ):
        await studio.decide(id_, status)
    entries = await studio.sql(
        "select actor_id, before, after from audit_log where action = 'decide_testimonial' order by at, id"
    )
    assert [(row.before["status"], row.after["status"]) for row in entries] == [
        ("pending", "approved"),
        ("approved", "declined"),
        ("declined", "approved"),
    ]
    assert {row.actor_id for row in entries} == {studio.cast["admin"]}
    told = await studio.sql("select 1 from outbox where payload->>'kind' = 'testimonial_approved'")
    assert len(told) == 1


@pytest.mark.parametrize("who", ["anonymous", "new_student", "other_mentor"])
async def test_everybody_reads_approved_words_and_a_first_name(studio: Studio, who: str) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    principal = studio.cast.principal(who)

    async def public(mentor: str | None) -> list[repository.Public]:
        async with studio.database.unit_of_work(principal) as uow:
            return await repository.public(uow.session, studio.cast[mentor] if mentor else None, 5)

    assert await public("mentor") == []
    await studio.approve(id_)
    await studio.sql("update users set name = 'Ada Lovelace' where id = :id", id=studio.cast["student"])
    (said,) = await public("mentor")
    assert (said.student_name, said.body, said.mentor_slug) == ("Ada", WORDS, "mentor")
    assert await public(None) == [said]
    assert await public("other_mentor") == []
    async with studio.database.unit_of_work(principal) as uow:
        with pytest.raises(NotFound):
            await service.one(uow, id_)
    for gone in ("student", "mentor"):
        await studio.sql("update users set deleted_at = now() where id = :id", id=studio.cast[gone])
        assert await public("mentor") == []
        await studio.sql("update users set deleted_at = null where id = :id", id=studio.cast[gone])


async def test_the_database_holds_what_the_service_does(studio: Studio) -> None:
    await studio.hold(2)
    for body, error in ((WORDS, ProgrammingError), ("x" * 49, (ProgrammingError, IntegrityError))):
        async with studio.database.unit_of_work(studio.principal("student")) as uow:
            about = await repository.pack(uow.session, studio.cast.packs["student"])
            assert about is not None
            with pytest.raises(error):
                await repository.add(uow.session, about, uow.user_id, body, clock.now())


async def test_an_undone_session_takes_nothing_back(studio: Studio) -> None:
    sessions = await studio.hold(3)
    id_ = await studio.write()
    await studio.mark("mentor", sessions[0], SessionStatus.SCHEDULED)
    await change(studio, id_, OTHERS)
    assert [row.body for row in await studio.rows()] == [OTHERS]
