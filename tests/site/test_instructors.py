"""The public pages: found by anybody, honest about seats and times, in a constant number of queries."""

from __future__ import annotations

import pytest
from litestar.testing import AsyncTestClient

from app.asgi import create_app
from app.core.db import Database
from app.settings import Settings
from tests import cast as casting
from tests.cast import Cast


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
async def client(settings: Settings, cast: Cast):  # type: ignore[no-untyped-def]
    async with AsyncTestClient(create_app(settings)) as client:
        yield client


async def test_anybody_finds_a_mentor_and_when_they_are_free(client: AsyncTestClient) -> None:  # type: ignore[type-arg]
    landing = await client.get("/")
    assert landing.status_code == 200
    assert "/instructors/mentor" in landing.text
    listed = await client.get("/instructors")
    assert "2 seats left" in listed.text
    profile = await client.get("/instructors/mentor")
    assert profile.status_code == 200
    assert "2 of 3 seats left" in profile.text
    assert "<time datetime=" in profile.text


async def test_search_answers_with_a_fragment(client: AsyncTestClient) -> None:  # type: ignore[type-arg]
    answer = await client.get("/instructors", params={"q": "other"}, headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert "Other Mentor" in answer.text
    assert 'href="/instructors/mentor"' not in answer.text
    assert "nobody" in (await client.get("/instructors", params={"q": "100%_\\"})).text.lower()


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
async def test_a_page_that_is_not_there_is_the_first(client: AsyncTestClient, page: str) -> None:  # type: ignore[type-arg]
    answer = await client.get("/instructors", params={"page": page})
    assert answer.status_code == 200
    assert "There is no such page, so this is the first page." in answer.text
    assert 'href="/instructors/mentor"' in answer.text


@pytest.mark.parametrize("slug", ["nobody", "a" * 300, "MENTOR'--"])
async def test_an_unknown_instructor_is_404(client: AsyncTestClient, slug: str) -> None:  # type: ignore[type-arg]
    assert (await client.get(f"/instructors/{slug}")).status_code == 404


async def test_a_nul_character_is_no_server_error(client: AsyncTestClient) -> None:  # type: ignore[type-arg]
    assert (await client.get("/instructors/%00")).status_code == 400
