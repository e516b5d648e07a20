"""Whoever leaves takes their words along, and those about them."""

from __future__ import annotations

import pytest

from app.accounts import student_profile
from app.site import forgetting
from tests.testimonials.support import WORDS, Studio


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_words_go_with_either_of_the_two(studio: Studio, who: str) -> None:
    await studio.hold(4)
    await studio.approve(await studio.write())
    async with studio.database.unit_of_work(studio.principal("student")) as uow, uow.transaction():
        await student_profile.change(uow, {"about": WORDS, "goals": WORDS})
    await forgetting.leave(studio.database, studio.google, studio.principal(who), studio.cast[who])
    assert await studio.rows() == []
    profiles = await studio.sql("select user_id from student_profiles")
    assert [row.user_id for row in profiles] == ([] if who == "student" else [studio.cast["student"]])
    kept = await studio.sql(
        "select to_jsonb(a)::text as row from audit_log a union all select payload::text from outbox"
    )
    assert not any(WORDS[:20] in row.row for row in kept)
