"""Mails that came back: Resend's webhooks are believed if they are signed, pause an address once, and it is tried again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts import mail_pauses
from app.accounts.models import MailPause, User
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.models import AuditEntry, OutboxEvent, WebhookEvent
from app.core.rls import ServiceDoor
from app.notifications.models import Channel, Delivery, DeliveryState
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import Open
from tests.cast import Cast

PATH = "/api/webhooks/resend"
BOUNCE = {"type": "Permanent", "subType": "General", "message": "No such user", "diagnosticCode": ["550"]}
SUPPRESSED = {"type": "Suppressed", "reason": "previous_bounce", "message": "Known", "diagnosticCode": []}


def told(type_: str, address: str, *, email_id: str = "", **details: Any) -> bytes:
    """An event about a mail, as Resend writes it."""
    at = "2026-11-24T14:30:00.000Z"
    data = {"email_id": email_id or str(new_id()), "from": "us@example.test", "to": [address], "subject": "x"}
    return json.dumps(
        {"type": type_, "created_at": at, "data": {"created_at": at, **data, **details}}
    ).encode()


def signed(settings: Settings, body: bytes, id_: str = "", age: float = 0.0) -> dict[str, str]:
    """The headers that say it is Resend's: Svix's scheme, written down once more."""
    id_, stamp = id_ or f"msg_{new_id().hex}", str(int(time.time() - age))
    key = base64.b64decode(settings.resend_webhook_secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"svix-id": id_, "svix-timestamp": stamp, "svix-signature": signature}


@pytest.fixture
async def outside(browsers: Open) -> Browser:
    """Nobody, anywhere in the world."""
    return await browsers()


class Post:
    """Delivers Resend's events, and lets the jobs run that come of them."""

    def __init__(self, database: Database, settings: Settings, outside: Browser) -> None:
        self.database, self.settings, self.http = database, settings, outside.http

    async def deliver(self, body: bytes, id_: str = "") -> bool:
        """True if it was new."""
        answer = await self.http.post(PATH, content=body, headers=signed(self.settings, body, id_))
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["new"])

    async def work(self, times: int = 1) -> None:
        """Perform what was written for the jobs, so many times each."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(WebhookEvent.id).order_by(WebhookEvent.id)
            ids = list((await uow.session.execute(query)).scalars())
        for id_ in ids * times:
            await mail_pauses.process(self.database, id_)

    async def kept(self) -> list[tuple[str, str | None]]:
        """What was kept: type and outcome."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(WebhookEvent.type, WebhookEvent.outcome).order_by(WebhookEvent.id)
            rows = (await uow.session.execute(query)).all()
            jobs = sa.select(sa.func.count()).where(OutboxEvent.type == "mail/webhook")
            assert (await uow.session.execute(jobs)).scalar_one() == len(rows)
        return [(type_, outcome) for type_, outcome in rows]

    async def reason(self, user_id: Any) -> MailPause | None:
        """Why the user gets no mail."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            return (await uow.session.get_one(User, user_id)).mail_paused_reason

    async def acts(self) -> list[str]:
        """What the audit log says."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(AuditEntry.action).order_by(AuditEntry.id)
            return list((await uow.session.execute(query)).scalars())


@pytest.fixture
def post(database: Database, fast: Settings, outside: Browser) -> Post:
    return Post(database, fast, outside)


@pytest.mark.parametrize(
    ("type_", "details", "reason", "outcome"),
    [
        ("email.bounced", {"bounce": BOUNCE}, MailPause.BOUNCED, "done"),
        ("email.bounced", {"bounce": BOUNCE | {"type": "Transient"}}, None, "ignored"),
        ("email.bounced", {"bounce": BOUNCE | {"type": "Undetermined"}}, None, "ignored"),
        ("email.bounced", {}, None, "ignored"),
        ("email.bounced", {"bounce": "Permanent"}, None, "ignored"),
        ("email.complained", {}, MailPause.COMPLAINED, "done"),
        ("email.suppressed", {"suppressed": SUPPRESSED}, MailPause.BOUNCED, "done"),
        (
            "email.suppressed",
            {"suppressed": SUPPRESSED | {"reason": "previous_complaint"}},
            MailPause.COMPLAINED,
            "done",
        ),
        ("email.delivered", {}, None, "ignored"),
        ("email.opened", {}, None, "ignored"),
        ("email.delivery_delayed", {}, None, "ignored"),
        ("email.invented_tomorrow", {}, None, "ignored"),
        ("domain.created", {"to": None}, None, "ignored"),
    ],
)
async def test_what_resend_tells_pauses_an_address_or_does_not(
    post: Post, ada: Any, type_: str, details: dict[str, Any], reason: MailPause | None, outcome: str
) -> None:
    assert await post.deliver(told(type_, "Ada@Example.test", **details))
    await post.work(times=2)
    assert await post.kept() == [(type_, outcome)]
    assert await post.reason(ada) is reason
    assert await post.acts() == (["pause_mail"] if reason else [])


async def test_a_delivery_is_kept_once(post: Post, ada: Any) -> None:
    body = told("email.complained", "ada@example.test")
    assert [await post.deliver(body, "msg_1") for _ in range(3)] == [True, False, False]
    assert await post.deliver(body, "msg_2")
    await post.work()
    assert await post.kept() == [("email.complained", "done")] * 2
    assert await post.acts() == ["pause_mail"], "once, however often we hear of it"


async def test_nobody_we_know_is_nobody_to_pause(post: Post, ada: Any) -> None:
    await post.deliver(told("email.complained", "somebody@example.test"))
    await post.deliver(told("email.complained", "x", to="ada@example.test"))
    await post.work()
    assert await post.kept() == [("email.complained", "not ours")] * 2
    assert await post.reason(ada) is None


async def test_odd_letters_are_kept_as_far_as_they_can_be(post: Post, ada: Any) -> None:
    await post.deliver(told("email.complained", "ada@example.test", subject="\x00 \ud800 é"))
    await post.work()
    assert await post.reason(ada) is MailPause.COMPLAINED


async def test_odd_letters_in_what_it_is_about_are_kept_too(post: Post) -> None:
    await post.deliver(told("email.\x00\ud800", "ada@example.test", email_id="\x00\ud800"))
    await post.work()
    assert [type_ for type_, _ in await post.kept()] == ["email.\ufffd?"]


async def test_the_mail_that_bounced_is_shown_as_such(post: Post, database: Database, ada: Any) -> None:
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        for provider_id in ("mail-1", "mail-2"):
            row = {"id": new_id(), "event_id": new_id(), "kind": "session_booked", "channel": Channel.EMAIL}
            row |= {"recipient_id": ada, "state": DeliveryState.SENT, "created_at": clock.now()}
            await uow.session.execute(sa.insert(Delivery).values(**row, provider_id=provider_id))
    await post.deliver(told("email.bounced", "ada@example.test", email_id="mail-1", bounce=BOUNCE))
    await post.work()
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(Delivery.state, Delivery.last_error).order_by(Delivery.provider_id)
        rows = [tuple(row) for row in (await uow.session.execute(query)).all()]
    assert rows == [(DeliveryState.FAILED, "bounced: No such user"), (DeliveryState.SENT, None)]


@pytest.mark.parametrize("odd", ["", "x", "a" * 20_000, "v1,", "é"])
@pytest.mark.parametrize("header", ["svix-id", "svix-timestamp", "svix-signature"])
async def test_a_delivery_without_its_signature_is_refused(
    post: Post, fast: Settings, header: str, odd: str
) -> None:
    body = told("email.complained", "ada@example.test")
    headers = signed(fast, body) | {header: odd}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = await post.http.post(PATH, content=body, headers=encoded)
    assert (answer.status_code, answer.json()["code"]) == (400, "forged")
    assert await post.kept() == []


async def test_only_the_body_that_was_signed_counts(post: Post, fast: Settings) -> None:
    body = told("email.complained", "ada@example.test")
    for changed in (b"", body + b" ", body[:-1], b"null", b"\xff\xfe", b"[" * 50_000):
        answer = await post.http.post(PATH, content=changed, headers=signed(fast, body))
        assert (changed[:9], answer.status_code) == (changed[:9], 400)
    assert await post.kept() == []


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b"1", b'"email.bounced"', b"{}", b'{"type": 5}', b"no", b"\xff"]
)
async def test_a_signed_body_that_is_no_event_is_refused(post: Post, fast: Settings, body: bytes) -> None:
    answer = await post.http.post(PATH, content=body, headers=signed(fast, body))
    assert (answer.status_code, answer.json()["code"]) == (400, "forged")
    assert await post.kept() == []


@pytest.mark.parametrize(("age", "status"), [(3_600, 400), (-3_600, 400), (200, 200)])
async def test_a_stale_signature_is_refused(post: Post, fast: Settings, age: float, status: int) -> None:
    body = told("email.complained", "ada@example.test")
    answer = await post.http.post(PATH, content=body, headers=signed(fast, body, age=age))
    assert answer.status_code == status
    assert len(await post.kept()) == (status == 200)


async def test_looking_is_not_telling(post: Post) -> None:
    assert (await post.http.get(PATH)).status_code == 405


async def paused(database: Database, user_id: Any, reason: MailPause = MailPause.BOUNCED) -> None:
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        assert await mail_pauses.pause(uow, user_id, reason)


@pytest.mark.parametrize(
    ("reason", "words"), [(MailPause.BOUNCED, "turned a mail"), (MailPause.COMPLAINED, "reported as spam")]
)
@pytest.mark.parametrize("htmx", [False, True])
async def test_settings_say_why_mail_stopped_and_start_it_again(
    browsers: Open, database: Database, post: Post, ada: Any, reason: MailPause, words: str, htmx: bool
) -> None:
    browser = await browsers(ada)
    assert "No mail is sent" not in (await browser.get("/settings")).text
    await paused(database, ada, reason)
    text = (await browser.get("/settings")).text
    assert "No mail is sent to ada@example.test" in text
    assert words in text
    answer = await browser.post("/settings/mail/resumption", htmx=htmx)
    if htmx:
        assert "No mail is sent" not in answer.text
        assert 'id="notifications"' in answer.text
    else:
        assert target(answer) == "/settings"
    assert await post.reason(ada) is None
    assert await post.acts() == ["pause_mail", "resume_mail"]


async def test_an_admin_sees_paused_addresses_and_tries_again(
    browsers: Open, database: Database, post: Post, cast: Cast
) -> None:
    admin, student = await browsers(cast["admin"]), cast["student"]
    assert "wait here to be tried again" in (await admin.get("/admin/jobs")).text
    await paused(database, student)
    for path in ("/admin/jobs", f"/admin/users/{student}"):
        text = (await admin.get(path)).text
        assert f'action="/admin/users/{student}/mail-resumption"' in text, path
    assert cast.email("student") in (await admin.get("/admin/jobs")).text
    person = f"/admin/users/{student}"
    for said in ("The next mail goes to them again.", "Mail goes to them already."):
        assert target(await admin.post(f"{person}/mail-resumption")) == person
        assert said in (await admin.get(person)).text
    assert "had mails sent to an address again" in (await admin.get(person)).text
    assert await post.acts() == ["pause_mail", "resume_mail"]


@pytest.mark.parametrize("who", ["other_student", "mentor", "anonymous"])
async def test_nobody_else_starts_mail_again(
    browsers: Open, database: Database, post: Post, cast: Cast, who: str
) -> None:
    await paused(database, cast["student"])
    browser = await browsers(cast[who] if who != "anonymous" else None)
    answer = await browser.post(f"/admin/users/{cast['student']}/mail-resumption")
    assert answer.status_code == (401 if who == "anonymous" else 403)
    await browser.post("/settings/mail/resumption")
    async with database.unit_of_work(cast.principal(who)) as uow:
        assert not await mail_pauses.resume(uow, cast["student"])
    assert await post.reason(cast["student"]) is MailPause.BOUNCED
