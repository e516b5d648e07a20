"""Mails about disputes: who gets which, in which words, and nobody of what is no longer so."""

from __future__ import annotations

from typing import Any

import pytest

from app.booking.service import SessionFacts
from app.core import clock
from app.core.rls import ServiceDoor
from app.disputes.notices import NOTICES
from app.notifications.mailer import Mailer
from app.notifications.service import Message, outdated
from app.settings import Settings
from tests.disputes.support import ANSWER, REASON, REJECTED, SCHEDULED, UPHELD, Court


async def mails(court: Court, settings: Settings, kind: str) -> list[Message]:
    """What the event of that kind sends, composed now."""
    (row,) = await court.sql("select payload from outbox where payload ->> 'kind' = :kind", kind=kind)
    async with court.database.service(ServiceDoor.JOB) as uow:
        return await NOTICES[kind](uow, settings, row.payload)


def text_of(settings: Settings, kind: str, message: Message) -> str:
    """The mail's plain text in one line; its HTML is rendered, too."""
    mail: Any = Mailer.of(settings).compose(kind, message.address, message.context)
    return " ".join(mail["text"].split())


async def test_the_mentor_and_the_admins_hear_of_a_dispute(
    court: Court, settings: Settings, booked: SessionFacts
) -> None:
    await court.disputed(booked)
    mentor, admin = await mails(court, settings, "session_disputed")
    assert [mentor.recipient_id, admin.recipient_id] == [court.cast["mentor"], court.cast["admin"]]
    assert mentor.context["link"] == f"{settings.public_url}/sessions/{booked.id}/dispute"
    assert admin.context["link"] == f"{settings.public_url}/admin/disputes"
    for message in (mentor, admin):
        text = text_of(settings, "session_disputed", message)
        assert "Student disputes that this session" in text
        assert REASON in text
    assert "with Mentor is marked as no-show" in text_of(settings, "session_disputed", admin)


@pytest.mark.parametrize("how", ["withdrawn", "decided", "marked anew"])
async def test_nobody_hears_of_one_that_is_over(
    court: Court, settings: Settings, booked: SessionFacts, how: str
) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        if how == "withdrawn":
            await court.withdraw(dispute)
        elif how == "decided":
            await court.decide(dispute, REJECTED)
        else:
            await court.mark("mentor", booked.id, SCHEDULED)
    told = await mails(court, settings, "session_disputed")
    assert told == [outdated(court.cast["mentor"]), outdated(court.cast["admin"])]


async def test_both_hear_of_a_decision(court: Court, settings: Settings, booked: SessionFacts) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.decide(dispute, UPHELD)
    student, mentor = await mails(court, settings, "dispute_decided")
    said = [text_of(settings, "dispute_decided", message) for message in (student, mentor)]
    assert "The studio agreed: the session went back to your pack" in said[0]
    assert "The studio agreed: the session went back to their pack" in said[1]
    assert all(ANSWER in text for text in said)


async def test_a_rejection_says_that_the_mark_stays(
    court: Court, settings: Settings, booked: SessionFacts
) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.decide(dispute, REJECTED)
    for message in await mails(court, settings, "dispute_decided"):
        text = text_of(settings, "dispute_decided", message)
        assert "the mark stays" in text
        assert ANSWER in text


async def test_an_agreement_names_who_agreed(court: Court, settings: Settings, booked: SessionFacts) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.concede(dispute)
    student, mentor = await mails(court, settings, "dispute_decided")
    assert "Mentor agreed:" in text_of(settings, "dispute_decided", student)
    assert "You agreed:" in text_of(settings, "dispute_decided", mentor)


async def test_who_left_is_not_told(court: Court, settings: Settings, booked: SessionFacts) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.decide(dispute, REJECTED)
    await court.sql("update users set deleted_at = now() where id = :id", id=court.cast["mentor"])
    (told,) = await mails(court, settings, "dispute_decided")
    assert told.recipient_id == court.cast["student"]
