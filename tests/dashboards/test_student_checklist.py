"""Getting started: each step for itself, done ones stay done, put aside until it is wanted again."""

from __future__ import annotations

import dataclasses
import html
import re

import pytest

from app.accounts.student_profile import OwnProfile
from app.core.db import Database
from app.dashboards.student_checklist import discord_href, items
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import Desk
from tests.cast import Cast

ABOUT, GOALS = "I draw people on trains. <3", "Hands, at last.\n\nAnd a book. 🎨"


@pytest.fixture
async def student(visit: Visit) -> Browser:
    return await visit("new_student")


def steps(page: str) -> dict[str, bool]:
    """Titles of the steps, and whether they are done."""
    found = re.findall(r'<details class="step( is-done)?"[^>]*>\s*<summary><span[^>]*></span>([^<]+)', page)
    return {html.unescape(title): bool(done) for done, title in found}


async def saved(database: Database, cast: Cast) -> tuple[object, ...]:
    async with database.unit_of_work(cast.principal("new_student")) as uow:
        row = await uow.fetch_one(
            "select about, goals, zone_confirmed_at is not null, put_aside_at is not null from student_profiles",
            {},
        )
        return tuple(row) if row else ()


async def test_step_by_step_without_scripts(student: Browser, database: Database, cast: Cast) -> None:
    page = (await student.get("/dashboard")).text
    assert list(steps(page).values()) == [False, False, False]
    assert "0 of 3 done" in page
    for number, (path, form) in enumerate(
        (
            ("/dashboard/goals", {"goals": GOALS.replace("\n", "\r\n")}),
            ("/dashboard/time-zone", {"time_zone": "UTC"}),
            ("/dashboard/about", {"about": f"  {ABOUT} "}),
        ),
        1,
    ):
        assert target(await student.post(path, form)).startswith("/dashboard")
        page = (await student.get("/dashboard")).text
        assert f"{number} of 3 done" in page
    assert await saved(database, cast) == (ABOUT, GOALS, True, False)
    assert "You are all set" in page
    await student.post("/dashboard/checklist", {"finished": "1"})
    assert student.flashes() == ["That was all. Have a good time."]
    assert 'id="checklist"' not in (await student.get("/dashboard")).text


async def test_step_by_step_with_htmx(student: Browser) -> None:
    done = await student.post("/dashboard/about", {"about": ABOUT}, htmx=True)
    assert done.status_code == 200
    assert done.text.lstrip().startswith('<section id="checklist"')
    assert steps(done.text)["A few words about you"]
    assert "<html" not in done.text


async def test_another_zone_is_taken_over(student: Browser, desk: Desk) -> None:
    page = (await student.get("/dashboard")).text
    assert re.search(r"It is <b data-zone-time>\d\d:\d\d</b> in <span data-zone-name>UTC</span>", page)
    assert target(await student.post("/dashboard/time-zone", {"time_zone": "Asia/Tokyo"})) == "/dashboard"
    assert "Asia/Tokyo" in student.flashes()[0]
    rows = await desk.sql("select time_zone from users where id = :id", id=desk.cast["new_student"])
    assert rows[0].time_zone == "Asia/Tokyo"
    moved = await student.post("/dashboard/time-zone", {"time_zone": "Europe/Rome"}, htmx=True)
    assert moved.headers["hx-redirect"] == "/dashboard"


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("about", "   ", "Please write a few words about yourself, or leave this for later."),
        ("goals", "", "Please write what you would like to learn, or leave this for later."),
        ("about", "x" * 1001, "Keep it within 1,000 characters; these are 1,001."),
        ("goals", "🎨" * 1002, "Keep it within 1,000 characters; these are 1,002."),
        ("time_zone", "Europe/Atlantis", "We don't know that time zone. Please choose one from the list."),
        ("time_zone", "", "Please choose your time zone."),
    ],
)
async def test_what_is_wrong_stands_beside_it(
    student: Browser, database: Database, cast: Cast, name: str, text: str, error: str, htmx: bool
) -> None:
    answer = await student.post(f"/dashboard/{name.replace('_', '-')}", {name: text}, htmx=htmx)
    assert answer.status_code == 422
    assert error in html.unescape(answer.text)
    assert ("<html" in answer.text) is not htmx
    assert answer.text.count('<details class="step" open>') == 1
    assert "autofocus" in answer.text
    if len(text) > 100:
        assert text in answer.text
    assert await saved(database, cast) == ()


@pytest.mark.parametrize("length", [1000, 999])
async def test_a_thousand_fit(student: Browser, database: Database, cast: Cast, length: int) -> None:
    await student.post("/dashboard/about", {"about": "🎨" * length})
    assert (await saved(database, cast))[0] == "🎨" * length


async def test_put_aside_and_taken_up_from_the_settings(student: Browser) -> None:
    take_up = 'action="/settings/checklist"'
    assert take_up not in (await student.get("/settings")).text
    await student.post("/dashboard/checklist")
    assert 'id="checklist"' not in (await student.get("/dashboard")).text
    assert take_up in (await student.get("/settings")).text
    late = await student.post("/dashboard/about", {"about": ""})  # from a tab that still shows it
    assert (late.status_code, 'id="checklist"' in late.text) == (422, True)
    assert target(await student.post("/settings/checklist")) == "/dashboard"
    assert 'id="checklist"' in (await student.get("/dashboard")).text


async def test_the_same_words_are_edited_in_the_settings(
    student: Browser, visit: Visit, database: Database, cast: Cast
) -> None:
    await student.post("/dashboard/about", {"about": ABOUT})
    assert html.escape(ABOUT, quote=False) in (await student.get("/settings")).text
    wrong = await student.post("/settings/about", {"about": "x" * 1001, "goals": GOALS}, htmx=True)
    assert wrong.status_code == 422
    assert wrong.text.lstrip().startswith('<section id="about"')
    assert 'id="about-you-error"' in wrong.text
    assert GOALS in wrong.text
    assert (await saved(database, cast))[:2] == (ABOUT, "")
    done = await student.post("/settings/about", {"about": "", "goals": GOALS}, htmx=True)
    assert (done.status_code, "Saved" in done.text) == (200, True)
    assert (await saved(database, cast))[:2] == ("", GOALS)
    assert 'id="about"' not in (await (await visit("mentor")).get("/settings")).text


def test_discord_is_spoken_of_where_it_can_be_linked() -> None:
    configured = Settings(discord_client_id="1", discord_client_secret="s", discord_bot_token="t")
    assert discord_href(configured) == "/auth/discord?next=/dashboard"
    assert discord_href(dataclasses.replace(configured, discord_bot_token="")) is None
    assert discord_href(Settings()) is None


def test_discord_is_a_step_where_it_can_be_linked() -> None:
    for profile, done in ((OwnProfile(), False), (OwnProfile(discord=True), True)):
        assert items(profile, "/auth/discord")[-1]["done"] is done
        assert len(items(profile, None)) == 3
