"""The figures of mentees and mentors against the rows themselves, for everybody who may ask; and how many questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core import clock
from app.core.db import Database
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.mentees import figures, relations
from app.mentees.relations import Relation
from tests.cast import Cast
from tests.mentees.school import Facts, Pair, School, Truth, found, truth
from tests.support.queries import counted

SEEDS = range(4)
ADMIN = Principal(new_id(), Role.ADMIN)


def facts(relation: Relation) -> Facts:
    """What the truth speaks of."""
    names = ("mentor_id", "student_id", "mentor_name", "mentor_slug", "student_name", "student_email")
    return {name: value for name, value in msgspec.structs.asdict(relation).items() if name not in names}


def as_pairs(found: list[Relation]) -> dict[Pair, Facts]:
    """By pair; each once."""
    pairs = [(relation.mentor_id, relation.student_id) for relation in found]
    assert len(pairs) == len(set(pairs))
    return {pair: facts(relation) for pair, relation in zip(pairs, found, strict=True)}


def where(truth: Truth, is_wanted: Callable[[Pair], bool]) -> dict[Pair, Facts]:
    return {pair: facts for pair, facts in truth.relations.items() if is_wanted(pair)}


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_figures_are_those_of_the_rows(database: Database, seed: int) -> None:
    school = await found(database, seed)
    with clock.standing_at(school.now):
        true = await truth(database, school.now)
        assert len(true.relations) > 8
        for mentor in school.mentors:
            for who in (ADMIN, Principal(mentor, Role.MENTOR)):
                async with database.unit_of_work(who) as uow:
                    await _mentor(uow, true, mentor)
        for student in school.students:
            for who in (ADMIN, Principal(student, Role.STUDENT)):
                async with database.unit_of_work(who) as uow:
                    of = as_pairs(await relations.of_student(uow, student))
                    assert of == where(true, lambda pair: pair[1] == student)  # noqa: B023
        async with database.service(ServiceDoor.JOB) as uow:
            await _all_at_once(uow, true, school)


async def _mentor(uow: UnitOfWork, true: Truth, mentor: UUID) -> None:
    expected = where(true, lambda pair: pair[0] == mentor)
    mine = await relations.of_mentor(uow, mentor)
    assert as_pairs(mine) == expected
    assert await relations.count_of_mentor(uow, mentor) == len(expected)
    assert msgspec.structs.asdict(await figures.of_mentor(uow, mentor)) == true.mentors[mentor]
    credit = await figures.credit_of_mentor(uow, mentor)
    assert credit.used == sum(one["used"] for one in expected.values())
    assert credit.remaining == sum(one["remaining"] for one in expected.values())
    for relation in mine:
        assert await relations.one(uow, mentor, relation.student_id) == relation
        assert relation.student_name == true.people[relation.student_id].name
        sits = relation.seat_status not in (None, "released") or uow.principal.role == Role.ADMIN
        assert relation.student_email == (true.people[relation.student_id].email if sits else None)
        low = relation.remaining == 1 and relation.total > 1
        assert relation.low == (low or relation.seat_status == "grace")


async def _all_at_once(uow: UnitOfWork, true: Truth, school: School) -> None:
    by_mentor = await relations.of_mentors(uow, school.mentors, each=100)
    every = [relation for mentees in by_mentor.values() for relation in mentees.relations]
    assert as_pairs(every) == true.relations
    by_student = await relations.of_students(uow, school.students)
    assert as_pairs([relation for some in by_student.values() for relation in some]) == true.relations
    streamed = [relation async for relation in relations.stream_of_mentors(uow, school.mentors)]
    assert sorted(streamed, key=_pair) == sorted(every, key=_pair)
    first = await relations.of_mentors(uow, school.mentors, each=2)
    for mentor, mentees in by_mentor.items():
        assert first[mentor].relations == mentees.relations[:2]
        assert first[mentor].total == mentees.total == len(mentees.relations)
        assert await relations.of_mentor(uow, mentor, limit=2, offset=1) == mentees.relations[1:3]
    every_figure = await figures.of_mentors(uow, school.mentors)
    assert {id_: msgspec.structs.asdict(one) for id_, one in every_figure.items()} == true.mentors


def _pair(relation: Relation) -> Pair:
    return relation.mentor_id, relation.student_id


async def test_nobody_sees_the_relations_of_others(database: Database) -> None:
    school = await found(database, 1)
    true = await truth(database, school.now)
    mentor, student = next(iter(true.relations))
    others = [Principal(id_, Role.MENTOR) for id_ in school.mentors if id_ != mentor]
    others += [Principal(id_, Role.STUDENT) for id_ in school.students if id_ != student]
    for who in others:
        async with database.unit_of_work(who) as uow:
            assert all(who.user_id in _pair(one) for one in await relations.of_mentor(uow, mentor))
            assert all(who.user_id in _pair(one) for one in await relations.of_student(uow, student))
            with pytest.raises(NotFound):
                await relations.one(uow, mentor, student)


async def test_a_pack_is_over_when_its_time_is(database: Database, cast: Cast) -> None:
    pair = cast["mentor"], cast["student"]
    async with database.service(ServiceDoor.JOB) as uow:
        before = await relations.one(uow, *pair)
        assert before.pack_expires_at is not None
        with clock.standing_at(before.pack_expires_at):
            after = await relations.one(uow, *pair)
    assert (before.pack_status, before.remaining) == ("active", 4)
    assert (after.pack_status, after.remaining, after.pack_expires_at) == (
        "expired",
        0,
        before.pack_expires_at,
    )
    with clock.standing_at(before.pack_expires_at - timedelta(microseconds=1)):
        async with database.service(ServiceDoor.JOB) as uow:
            assert await relations.one(uow, *pair) == before


QUESTIONS: dict[str, Callable[[UnitOfWork, School], Any]] = {
    "of_mentor": lambda uow, school: relations.of_mentor(uow, school.mentors[0]),
    "of_mentors": lambda uow, school: relations.of_mentors(uow, school.mentors, each=5),
    "of_student": lambda uow, school: relations.of_student(uow, school.students[1]),
    "of_students": lambda uow, school: relations.of_students(uow, school.students),
    "count_of_mentor": lambda uow, school: relations.count_of_mentor(uow, school.mentors[0]),
    "figures.of_mentors": lambda uow, school: figures.of_mentors(uow, school.mentors),
    "figures.credit_of_mentor": lambda uow, school: figures.credit_of_mentor(uow, school.mentors[0]),
}


async def test_each_is_one_question(database: Database) -> None:
    school = await found(database, 2)
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.session.connection()
        for name, ask in QUESTIONS.items():
            with counted() as statements:
                await ask(uow, school)
            assert (name, len(statements)) == (name, 1)


async def test_who_has_nothing(database: Database) -> None:
    async with database.unit_of_work(ADMIN) as uow:
        nobody = new_id()
        assert await relations.of_mentor(uow, nobody) == []
        assert await relations.of_student(uow, nobody) == []
        assert await relations.of_mentors(uow, [], each=5) == {}
        assert await figures.of_mentor(uow, nobody) == figures.Figures()
