"""What the platform sends to Resend, and what comes back, against Resend's own description: each kind of mail."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.core.outbox import Retry
from app.notifications.mailer import Mailer
from app.notifications.messenger import Messenger
from app.notifications.outlets import Outlets
from app.notifications.service import Attachment
from app.settings import Settings
from tests import cast as casting
from tests.contracts.specs import answers_valid, needs_specs, requests_valid
from tests.notifications.desk import Desk
from tests.notifications.examples import examples
from tests.support.sandbox import RunningSandbox

pytestmark = needs_specs

INVITATION = Attachment(
    "session.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar; method=REQUEST"
)


@pytest.fixture
async def desk(database: Database, settings: Settings, sandbox: RunningSandbox) -> Desk:
    """A desk whose mails go to the sandbox."""
    addressed = dataclasses.replace(settings, resend_url=f"{sandbox.url}/resend")
    outlets = Outlets(Mailer.of(addressed), Messenger.of(addressed))
    return Desk(database, outlets, sandbox, await casting.make(database))


async def test_every_kind_of_mail_meets_the_contract(desk: Desk, settings: Settings) -> None:
    replying = dataclasses.replace(
        settings, resend_url=f"{desk.sandbox.url}/resend", email_reply_to="help@example.test"
    )
    for number, (kind, context) in enumerate(examples()):
        with_files = {"attachments": [INVITATION]} if number % 2 else {}
        message = dataclasses.replace(desk.message("student", kind, **context), **with_files)  # type: ignore[arg-type]
        desk.event_id = new_id()
        mailer = Mailer.of(replying) if number % 3 else desk.mailer
        await desk.send(message, kind=kind, mailer=mailer)
    recorded = desk.requests()
    requests, answers = requests_valid(recorded), answers_valid(recorded)
    assert requests.problems == []
    assert answers.problems == []
    assert requests.checked == answers.checked == len(examples())


async def test_retries_meet_the_contract(desk: Desk) -> None:
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    await desk.send(desk.message("student"))
    recorded = desk.requests()
    assert requests_valid(recorded).problems == []
    assert requests_valid(recorded).checked == 2
    assert {len(item["headers"]["idempotency-key"]) for item in recorded} == {36}, "at most 256 characters"
