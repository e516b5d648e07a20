"""Notes about a mentee: kept as typed, never over what the writer hasn't read, gone with who is forgotten."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid, NotFound
from app.core.rls import ServiceDoor
from app.core.seen import digest
from app.mentees.notes import MAX, NotesDiffer, checked
from app.site import traces
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.mentees.support import MenteeDesk

PATH = "/instructor/students/{}/notes"


async def test_what_is_typed_is_kept_as_it_is(mentees: MenteeDesk) -> None:
    for text, before in (("  One\r\n\nTwo ", ""), ("", "  One\n\nTwo "), ("é 🫐 <b>", "")):
        await mentees.keep(text, before)
        assert await mentees.kept() == text.replace("\r\n", "\n")


async def test_another_windows_text_is_not_overwritten(mentees: MenteeDesk) -> None:
    await mentees.keep("First", "")
    with pytest.raises(NotesDiffer) as caught:
        await mentees.keep("Second", "")
    assert (caught.value.status, caught.value.theirs.body) == (409, "First")
    assert await mentees.kept() == "First"
    await mentees.keep("Second", "", "First")
    assert await mentees.kept() == "Second"


async def test_the_same_text_twice_is_no_conflict(mentees: MenteeDesk) -> None:
    await mentees.keep("Same", "")
    assert (await mentees.keep("Same", "something else")).body == "Same"


async def test_of_two_first_versions_one_is_told(mentees: MenteeDesk) -> None:
    answers = await asyncio.gather(
        *(mentees.keep(f"Version {number}", "") for number in range(6)), return_exceptions=True
    )
    kept = await mentees.kept()
    assert sum(isinstance(answer, NotesDiffer) for answer in answers) == 5
    assert all(answer.theirs.body == kept for answer in answers if isinstance(answer, NotesDiffer))


async def test_of_two_changes_at_once_one_is_told(mentees: MenteeDesk) -> None:
    await mentees.keep("Seen by all", "")
    answers = await asyncio.gather(
        *(mentees.keep(f"Version {number}", "Seen by all") for number in range(6)), return_exceptions=True
    )
    assert sum(isinstance(answer, NotesDiffer) for answer in answers) == 5


@given(st.text(max_size=50))
def test_texts_keep_everything_but_line_ends(text: str) -> None:
    if "\x00" in text:
        with pytest.raises(Invalid):
            checked(text)
    else:
        assert checked(text) == text.replace("\r\n", "\n")


def test_a_text_has_room_for_so_much() -> None:
    assert checked("x" * MAX) == "x" * MAX
    assert len(checked("\r\n" * MAX)) == MAX
    with pytest.raises(Invalid) as caught:
        checked("x" * (MAX + 1234))
    assert caught.value.fields == {"body": "Notes hold 10,000 characters; these are 1,234 too many."}


@pytest.mark.parametrize(("mentor", "student"), [("other_mentor", "student"), ("mentor", "new_student")])
async def test_only_about_mentees_of_ones_own(mentees: MenteeDesk, mentor: str, student: str) -> None:
    with pytest.raises(NotFound):
        await mentees.keep("Secret", "", mentor=mentor, student=student)


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_they_go_with_who_is_forgotten(mentees: MenteeDesk, who: str) -> None:
    await mentees.keep("Draws from the shoulder now", "")
    await mentees.keep("Not theirs", "", mentor="other_mentor", student="other_student")
    async with mentees.database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await traces.erase(uow.session, mentees.cast[who], datetime.now(UTC))
    rows = await mentees.sql("select body from mentee_notes")
    assert [row.body for row in rows] == ["Not theirs"]


@pytest.fixture
async def browser(visit: Visit) -> Browser:
    return await visit("mentor")


def seen_in(text: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]+)"', text)
    assert found
    return found[1]


async def test_saving_itself_answers_with_the_state_alone(mentees: MenteeDesk, browser: Browser) -> None:
    path = PATH.format(mentees.student_id)
    page = (await browser.get(path.removesuffix("/notes"))).text
    saved = await browser.post(path, {"body": "Line\r\nand <wash>", "seen": seen_in(page)}, htmx=True)
    assert saved.status_code == 200
    assert saved.text.lstrip().startswith('<div id="notes-state"')
    assert "<textarea" not in saved.text
    assert ">Saved<" in saved.text
    assert seen_in(saved.text) == digest("Line\nand <wash>")
    again = await browser.post(path, {"body": "More", "seen": seen_in(saved.text)}, htmx=True)
    assert again.status_code == 200
    assert "and &lt;wash&gt;" not in (await browser.get(path.removesuffix("/notes"))).text
    assert await mentees.kept() == "More"


async def test_the_second_tab_is_told_and_decides(mentees: MenteeDesk, browser: Browser) -> None:
    path = PATH.format(mentees.student_id)
    await mentees.keep("Theirs <b>", "")
    mine = {"body": "Mine", "seen": digest("")}
    told = await browser.post(path, mine, htmx=True)
    assert told.status_code == 409
    assert "Theirs &lt;b&gt;" in told.text
    assert seen_in(told.text) == digest("")
    assert await mentees.kept() == "Theirs <b>"
    assert (await browser.post(path, mine, htmx=True)).status_code == 409
    keep = re.search(r'name="keep" value="([0-9a-f]+)"', told.text)
    assert keep
    kept = await browser.post(path, mine | {"keep": keep[1]}, htmx=True)
    assert (kept.status_code, await mentees.kept()) == (200, "Mine")
    await mentees.keep("Third", "Mine")
    late = await browser.post(path, {"body": "Mine, again", "seen": digest(""), "keep": keep[1]}, htmx=True)
    assert (late.status_code, "Third" in late.text) == (409, True)
    taken = await browser.post(path, {"body": "Mine, again", "seen": digest(""), "take": "theirs"}, htmx=True)
    assert taken.status_code == 200
    assert 'hx-swap-oob="true"' in taken.text
    assert "Third</textarea>" in taken.text
    assert await mentees.kept() == "Third"


async def test_a_save_whose_answer_was_lost_is_no_conflict_with_oneself(
    mentees: MenteeDesk, browser: Browser
) -> None:
    path = PATH.format(mentees.student_id)
    await mentees.keep("Lost on\nits way", "")
    form: Any = {"body": "Lost on its way, more", "seen": digest("")}
    form |= {"tried": ["Lost on\r\nits way", "Lost on its way,"]}
    assert (await browser.post(path, form, htmx=True)).status_code == 200
    assert await mentees.kept() == "Lost on its way, more"


async def test_without_scripts_everything_is_a_page(mentees: MenteeDesk, browser: Browser) -> None:
    path = PATH.format(mentees.student_id)
    home = path.removesuffix("/notes")
    assert target(await browser.post(path, {"body": "Plain", "seen": digest("")})) == home
    assert browser.flashes() == ["Notes saved."]
    told = await browser.post(path, {"body": "Mine <i>", "seen": digest("")})
    assert (told.status_code, "<html" in told.text) == (409, True)
    assert "Mine &lt;i&gt;</textarea>" in told.text
    assert "Plain" in told.text
    target(await browser.post(path, {"body": "Mine", "seen": "", "take": "theirs"}))
    assert await mentees.kept() == "Plain"


@pytest.mark.parametrize("body", ["x" * (MAX + 1), "nul\x00"])
@pytest.mark.parametrize("htmx", [True, False])
async def test_what_can_not_be_kept_comes_back_beside_the_field(
    mentees: MenteeDesk, browser: Browser, body: str, htmx: bool
) -> None:
    answer = await browser.post(
        PATH.format(mentees.student_id), {"body": body, "seen": digest("")}, htmx=htmx
    )
    assert answer.status_code == 422
    assert 'id="notes-body-error"' in answer.text
    assert ('aria-invalid="true"' in answer.text) is not htmx
    assert (f"{body}</textarea>" in answer.text) is not htmx
    assert await mentees.kept() == ""
