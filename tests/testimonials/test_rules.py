"""How long a text is: the same for the page, for the database, and, but for joined emoji, for people."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.text import tidy_lines
from app.core.unit_of_work import UnitOfWork
from app.testimonials import rules

ODD = st.sampled_from(
    ["🎨", "👩‍🎨", "é", "e\u0301", "\u200b", "\ufeff", " ", "\n", "\r\n", "\t", "ñ", "x", "\x00", "\u2028"]
)
TEXTS = st.lists(ODD | st.characters(exclude_categories=["Cs"]), max_size=80).map("".join)


@given(TEXTS)
def test_tidying_is_done_once_and_leaves_nothing_at_the_edges(text: str) -> None:
    tidied = tidy_lines(text)
    assert tidy_lines(tidied) == tidied
    assert tidied == tidied.strip()
    assert not {"\r", "\x00"} & set(tidied)
    assert tidy_lines(f" \n{text}\u200b\t ") == tidied


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("é" * 3, 3),
        ("e\u0301" * 3, 3),
        ("🎨🎨", 2),
        ("a\r\nb", 3),
        ("a\r\n\r\nb", 4),
        ("  a b  ", 3),
        ("\ufeff\u200b a \u200d", 1),
        ("a\x00b\x07c", 3),
        ("\u200b \u200b", 0),
    ],
)
def test_how_long_a_text_is(text: str, length: int) -> None:
    assert len(tidy_lines(text)) == length


@pytest.mark.parametrize("char", ["x", "é", "e\u0301", "🎨", "\U0001f1f5", "字"])
def test_the_limits_are_fifty_and_a_thousand(char: str) -> None:
    for length, fine in ((0, False), (49, False), (50, True), (1000, True), (1001, False)):
        assert (rules.problem(tidy_lines(f" {char * length}\r\n")) is None) is fine


async def accepted(uow: UnitOfWork, text: str) -> bool:
    """What the table's own check says of a text."""
    about = "select pg_get_expr(conbin, conrelid) from pg_constraint where conname = 'ck_testimonials_body'"
    check = (await uow.session.execute(sa.text(about))).scalar_one()
    asked: sa.Select[Any] = sa.select(sa.literal_column(check)).select_from(
        sa.select(sa.literal(text).label("body")).subquery()
    )
    return bool((await uow.session.execute(asked)).scalar_one())


@pytest.mark.parametrize("char", ["x", "é", "🎨", "字", "👩‍🎨", "\n"])
async def test_the_database_counts_and_trims_as_we_do(database: Database, char: str) -> None:
    texts = [
        tidy_lines(f"a{char * times}b")
        for times in (14, 15, 16, 17, *range(46, 51), *range(331, 335), 997, 998, 999)
    ]
    async with database.service(ServiceDoor.SEED) as uow:
        for text in texts:
            assert await accepted(uow, text) is (rules.problem(text) is None), len(text)
        for edge in ("{} ", " {}", "{}\n", "\t{}", "\r{}"):
            assert not await accepted(uow, edge.format("x" * 60))
