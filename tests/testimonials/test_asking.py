"""Who is asked for a few words: after the third session of a pack and after the last, each time once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.booking.models import SessionStatus
from app.core import clock
from app.core.rls import ServiceDoor
from app.notifications.mailer import Mailer
from app.notifications.service import Message
from app.settings import Settings
from app.testimonials import asking
from app.testimonials.asking import ASKED_FOR, Asked
from app.testimonials.notices import NOTICES
from tests.testimonials.support import Studio


async def mails(studio: Studio, settings: Settings, kind: str) -> list[tuple[Message, dict[str, Any]]]:
    """What the latest event of that kind sends, composed now."""
    (event,) = await studio.sql(
        "select payload from outbox where payload->>'kind' = :kind order by created_at desc, id desc limit 1",
        kind=kind,
    )
    async with studio.database.service(ServiceDoor.JOB) as uow:
        messages = await NOTICES[kind](uow, settings, event.payload)
    mailer = Mailer.of(settings)
    return [
        (message, mailer.compose(kind, message.address, message.context))
        for message in messages
        if message.skip is None
    ]


async def due(studio: Studio, who: str = "student", *, later: object = None) -> list[Asked]:
    async with studio.database.unit_of_work(studio.principal(who)) as uow:
        now = (await studio.sql("select max(scheduled_at) as last from sessions"))[0].last or clock.now()
        return await asking.due(uow, studio.cast[who], now + (later or now - now))  # type: ignore[operator]


async def test_after_the_third_and_the_last(studio: Studio, settings: Settings) -> None:
    expected = [[], [], ["third"], ["third", "last"]]
    for so_far in expected:
        await studio.hold(1)
        await studio.ask()
        assert await studio.asked() == so_far
    await studio.ask()
    assert await studio.asked() == ["third", "last"]
    ((message, mail),) = await mails(studio, settings, "testimonial_asked")
    assert message.recipient_id == studio.cast["student"]
    assert mail["subject"] == "A few words about Mentor?"
    link = f"{settings.public_url}/testimonials/new?pack_id={studio.cast.packs['student']}"
    assert link in mail["text"]


async def test_once_where_the_third_is_the_last(studio: Studio) -> None:
    await studio.grant("new_student", sessions=3)
    await studio.hold(3, who="new_student")
    await studio.ask()
    assert await studio.asked() == ["last"]


async def test_not_once_something_was_written(studio: Studio, settings: Settings) -> None:
    await studio.hold(3)
    await studio.ask()
    await studio.write()
    assert await mails(studio, settings, "testimonial_asked") == []
    await studio.hold(1)
    await studio.ask()
    assert await studio.asked() == ["third"]
    assert await due(studio) == []


async def test_not_for_a_session_that_was_undone(studio: Studio, settings: Settings) -> None:
    sessions = await studio.hold(3)
    await studio.ask()
    await studio.mark("mentor", sessions[-1], SessionStatus.SCHEDULED)
    assert await mails(studio, settings, "testimonial_asked") == []
    assert await due(studio) == []


async def test_an_undone_session_that_nobody_asked_about(studio: Studio) -> None:
    sessions = await studio.hold(3)
    await studio.mark("mentor", sessions[0], SessionStatus.SCHEDULED)
    await studio.ask()
    assert await studio.asked() == []


@pytest.mark.parametrize("gone", ["student", "mentor"])
async def test_nobody_who_left(studio: Studio, settings: Settings, gone: str) -> None:
    await studio.hold(3)
    await studio.ask()
    await studio.sql("update users set deleted_at = now() where id = :id", id=studio.cast[gone])
    assert await mails(studio, settings, "testimonial_asked") == []


async def test_a_missed_session_asks_nobody(studio: Studio) -> None:
    sessions = await studio.hold(3)
    await studio.ask()
    before = await studio.sql("select count(*) as n from outbox where type = 'session/held'")
    with clock.standing_at((await studio.session(sessions[0])).ends_at):
        await studio.mark("mentor", sessions[0], SessionStatus.NO_SHOW)
    assert await studio.sql("select count(*) as n from outbox where type = 'session/held'") == before


async def test_on_the_dashboard_for_a_while(studio: Studio) -> None:
    await studio.hold(2)
    assert await due(studio) == []
    await studio.hold(1)
    pack = studio.cast.packs["student"]
    assert await due(studio) == [Asked(pack, studio.cast["mentor"], "Mentor")]
    assert await due(studio, "other_student") == []
    assert await due(studio, later=ASKED_FOR) == []


async def test_about_the_latest_pack_alone(studio: Studio) -> None:
    await studio.hold(4)
    second: UUID = await studio.grant("student", sessions=1)
    await studio.hold(1)
    assert [asked.pack_id for asked in await due(studio)] == [second]
    await studio.write(pack=second)
    assert await due(studio) == []


async def test_an_approval_is_told_while_it_holds(studio: Studio, settings: Settings) -> None:
    await studio.hold(3)
    id_ = await studio.write()
    await studio.approve(id_)
    ((message, mail),) = await mails(studio, settings, "testimonial_approved")
    assert message.recipient_id == studio.cast["student"]
    assert mail["subject"] == "Your words about Mentor are on the page"
    assert f"{settings.public_url}/instructors/mentor#testimonials" in mail["text"]
    assert f"{settings.public_url}/testimonials/{id_}" in mail["text"]
    await studio.sql("delete from testimonials")
    assert await mails(studio, settings, "testimonial_approved") == []
