"""One mail for an event and a person: whoever sends, however often, whatever Resend answers."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from typing import Any

import pytest

from app.core.db import Database
from app.core.outbox import Retry
from app.core.rls import ServiceDoor
from app.notifications import service
from app.notifications.mailer import Mailer
from app.notifications.models import DeliveryState
from app.notifications.service import Attachment
from app.settings import Settings
from tests.notifications.desk import Desk


def bodies(desk: Desk) -> list[Any]:
    return [request["body"] for request in desk.requests()]


def keys(desk: Desk) -> list[str]:
    return [request["headers"]["idempotency-key"] for request in desk.requests()]


async def test_each_recipient_gets_one_mail_in_their_words(desk: Desk) -> None:
    await desk.send()
    (to_student,) = desk.mailbox("student")
    (to_mentor,) = desk.mailbox("mentor")
    assert "is booked" in to_student["text"]
    assert "booked a session with you" in to_mentor["text"]
    assert to_student["from"] == "Huckleberry Mentorships <hello@example.test>"
    assert to_student["reply_to"] == ["help@example.test"]
    for row, mail in zip(await desk.rows(), (to_student, to_mentor), strict=True):
        assert (row.state, row.provider_id) == (DeliveryState.SENT, mail["id"])
        assert (row.attempts, str(row.id)) == (1, mail["idempotency_key"])
        assert row.sent_at is not None


async def test_attachments_arrive_as_they_were(desk: Desk) -> None:
    ics = Attachment("session.ics", b"BEGIN:VCALENDAR\r\n", "text/calendar; method=REQUEST")
    await desk.send(desk.message("student", attachments=[ics]))
    (mail,) = desk.mailbox()
    (file,) = mail["attachments"]
    assert (file["filename"], file["content_type"]) == ("session.ics", "text/calendar; method=REQUEST")
    assert file["content"] == "QkVHSU46VkNBTEVOREFSDQo="


async def test_sending_again_sends_nothing(desk: Desk) -> None:
    for _ in range(3):
        await desk.send()
    assert len(desk.requests()) == len(desk.mailbox()) == 2


async def test_nobody_to_tell_is_no_error(desk: Desk) -> None:
    await service.send(desk.database, desk.outlets, desk.event_id, "session_booked", [])
    assert await desk.rows() == []


async def test_two_workers_with_the_same_event_send_one_mail(desk: Desk, settings: Settings) -> None:
    """Both at once, each with connections of its own; who comes second waits for the first, or finds it done."""
    desk.sandbox.control.chaos("resend", latency_ms=100)
    other = Database(settings)
    both = [desk, dataclasses.replace(desk, database=other)]
    ends = await asyncio.gather(*(each.send() for each in both), return_exceptions=True)
    assert all(end is None or isinstance(end, Retry) for end in ends)
    assert len(desk.requests()) == len(desk.mailbox()) == 2
    assert {row.state for row in await desk.rows()} == {DeliveryState.SENT}
    await asyncio.gather(*(each.send() for each in both))
    assert len(desk.requests()) == 2
    await other.dispose()


async def test_twenty_workers_with_the_same_event_send_one_mail(desk: Desk) -> None:
    ends = await asyncio.gather(*(desk.send() for _ in range(20)), return_exceptions=True)
    assert all(end is None or isinstance(end, Retry) for end in ends)
    assert len(desk.requests()) == len(desk.mailbox()) == 2


async def test_a_lost_answer_is_asked_for_again_with_the_same_key_and_body(desk: Desk) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    row = await desk.row()
    assert (row.state, row.claimed_until) == (DeliveryState.SENDING, None)
    # The words would be others by now; what is sent again is what was sent.
    await desk.send(desk.message("student", other_name="Somebody Else", zone="Asia/Tokyo"))
    assert len(bodies(desk)) == 2
    assert bodies(desk)[0] == bodies(desk)[1]
    assert keys(desk) == [str(row.id)] * 2
    (mail,) = desk.mailbox()
    row = await desk.row()
    assert (row.state, row.provider_id, row.attempts) == (DeliveryState.SENT, mail["id"], 2)


async def test_changed_settings_do_not_change_a_retry(desk: Desk, mail_settings: Settings) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    changed = dataclasses.replace(mail_settings, email_from="New <new@example.test>", email_reply_to="")
    await desk.send(desk.message("student"), mailer=Mailer.of(changed))
    assert bodies(desk)[0] == bodies(desk)[1]
    assert (await desk.row()).state is DeliveryState.SENT


async def test_one_refusal_does_not_keep_others_waiting(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, status=422, count=1)
    await desk.send()
    first, second = await desk.rows()
    assert (first.state, second.state) == (DeliveryState.FAILED, DeliveryState.SENT)
    assert first.last_error is not None
    assert first.last_error.startswith("422")
    assert f"email {first.id}" in caplog.text
    assert "example.test" not in caplog.text
    await desk.send()
    assert len(desk.requests()) == 2


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_broken_answer_leaves_the_outcome_open(desk: Desk, status: int) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, status=status)
    with pytest.raises(Retry, match=str(status)):
        await desk.send(desk.message("student"))
    row = await desk.row()
    assert row.state is DeliveryState.SENDING
    assert row.first_attempt_at is not None


async def test_no_answer_in_time_leaves_the_outcome_open(desk: Desk, mail_settings: Settings) -> None:
    desk.sandbox.control.chaos("resend", latency_ms=5000)
    hasty = Mailer.of(dataclasses.replace(mail_settings, resend_timeout_seconds=0.2))
    with pytest.raises(Retry, match=r"no answer within 0\.2 s"):
        await desk.send(desk.message("student"), mailer=hasty)
    assert (await desk.row()).state is DeliveryState.SENDING


async def test_nobody_at_the_address_leaves_the_outcome_open(desk: Desk, settings: Settings) -> None:
    nowhere = Mailer.of(settings)
    with pytest.raises(Retry, match="HttpClientError"):
        await desk.send(desk.message("student"), mailer=nowhere)
    assert (await desk.row()).state is DeliveryState.SENDING


async def test_too_many_requests_wait_as_long_as_asked(desk: Desk) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, status=429, count=1)
    with pytest.raises(Retry) as waiting:
        await desk.send(desk.message("student"))
    assert waiting.value.after_seconds == 1
    row = await desk.row()
    assert (row.state, row.first_attempt_at, row.claimed_until) == (DeliveryState.PENDING, None, None)
    await desk.send(desk.message("student"))
    assert (await desk.row()).state is DeliveryState.SENT


async def test_a_refused_key_is_the_operators_trouble_and_passes(desk: Desk) -> None:
    desk.sandbox.control.chaos("resend", revoke=True)
    with pytest.raises(Retry, match="invalid_api_key"):
        await desk.send(desk.message("student"))
    assert (await desk.row()).state is DeliveryState.PENDING
    desk.sandbox.control.chaos()
    await desk.send(desk.message("student"))
    assert len(desk.mailbox()) == 1


async def test_what_is_unknown_stays_so_through_a_certain_refusal(desk: Desk) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    since = (await desk.row()).first_attempt_at
    desk.sandbox.control.chaos("resend", error_rate=1, status=429, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    row = await desk.row()
    assert (row.state, row.first_attempt_at) == (DeliveryState.SENDING, since)


async def test_a_no_after_a_lost_answer_does_not_say_that_nothing_came(desk: Desk) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    desk.sandbox.control.chaos("resend", error_rate=1, status=422, count=1)
    await desk.send(desk.message("student"))
    row = await desk.row()
    assert row.state is DeliveryState.UNCERTAIN
    assert row.last_error is not None
    assert row.last_error.startswith("422")
    assert len(desk.mailbox()) == 1


async def test_after_the_window_nothing_is_sent_again(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    await desk.change(first_attempt_at="now() - interval '24 hours'")
    desk.sandbox.control.call("POST", "/resend/keys/expire")
    with caplog.at_level(logging.ERROR):
        await desk.send(desk.message("student"))
    assert (await desk.row()).state is DeliveryState.UNCERTAIN
    assert "is uncertain" in caplog.text
    await desk.send(desk.message("student"))
    assert len(desk.requests()) == len(desk.mailbox()) == 1


async def test_a_certain_no_may_be_repeated_for_days(desk: Desk) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, status=429, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    await desk.change(created_at="now() - interval '5 days'")
    await desk.send(desk.message("student"))
    assert (await desk.row()).state is DeliveryState.SENT


@pytest.mark.parametrize("kind", ["verify_email", "reset_password"])
async def test_secrets_are_wiped_once_sent(desk: Desk, kind: str) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student", kind), kind=kind)
    assert (await desk.row()).rendered is not None
    await desk.send(desk.message("student", kind), kind=kind)
    assert (await desk.row()).rendered is None
    (mail,) = desk.mailbox("student")
    assert "/verify/abc" in mail["text"]


async def test_without_a_key_mails_are_skipped(desk: Desk, settings: Settings) -> None:
    keyless = Mailer.of(dataclasses.replace(settings, resend_api_key=""))
    await desk.send(mailer=keyless)
    assert [(row.state, row.rendered) for row in await desk.rows()] == [(DeliveryState.SKIPPED, None)] * 2
    await desk.send()
    assert desk.requests() == []


async def test_texts_are_forgotten_after_thirty_days(desk: Desk) -> None:
    await desk.send()
    async with desk.database.service(ServiceDoor.JOB) as uow:
        assert await service.forget_rendered(uow) == 0
    await desk.change(created_at="now() - interval '30 days 1 minute'")
    async with desk.database.service(ServiceDoor.JOB) as uow:
        assert await service.forget_rendered(uow) == 2
        assert await service.forget_rendered(uow) == 0
        await uow.commit()
    assert [row.rendered for row in await desk.rows()] == [None, None]


async def test_a_forgotten_text_can_not_be_sent(desk: Desk) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, status=429, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    await desk.change(rendered="null")
    await desk.send(desk.message("student"))
    assert (await desk.row()).state is DeliveryState.FAILED
    assert desk.mailbox() == []
