"""Mails by Resend's own client, and by hand what it can't send."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import resend
from resend.exceptions import ResendError

from tests.support.sandbox import RunningSandbox

MAIL: dict[str, Any] = {
    "from": "Huckleberry Mentorships <hello@example.test>",
    "to": ["student@example.test"],
    "subject": "Booked",
    "text": "See https://example.test/sessions/7.",
    "html": "<p>See <a href='https://example.test/sessions/7'>it</a>.</p>",
}


@pytest.fixture
def emails(sandbox: RunningSandbox) -> Iterator[type[resend.Emails]]:
    """The SDK's module globals, pointed at the sandbox."""
    kept = resend.api_url, resend.api_key
    resend.api_url, resend.api_key = f"{sandbox.url}/resend", "re_sandbox"
    yield resend.Emails
    resend.api_url, resend.api_key = kept


KEY_HEADER = {"Authorization": "Bearer re_sandbox"}


def by_hand(
    sandbox: RunningSandbox, body: Any, key: str | None = "re_sandbox", **headers: str
) -> httpx.Response:
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    kwargs = {"content": body} if isinstance(body, bytes) else {"json": body}
    return sandbox.http.post("/resend/emails", headers=headers, **kwargs)


def test_a_mail_arrives_whole(sandbox: RunningSandbox, emails: Any) -> None:
    ics = base64.b64encode(b"BEGIN:VCALENDAR").decode()
    sent = emails.send(
        {
            **MAIL,
            "cc": "mentor@example.test",
            "reply_to": "help@example.test",
            "headers": {"List-Unsubscribe": "<https://example.test/unsubscribe/x>"},
            "tags": [{"name": "kind", "value": "session_booked"}],
            "attachments": [{"filename": "session.ics", "content": ics, "content_type": "text/calendar"}],
        },
        {"idempotency_key": "delivery-1"},
    )
    (mail,) = sandbox.control.mailbox("student@example.test")
    assert mail["id"] == sent["id"]
    assert (mail["from"], mail["to"], mail["cc"]) == (MAIL["from"], MAIL["to"], ["mentor@example.test"])
    assert (mail["subject"], mail["text"], mail["html"]) == (MAIL["subject"], MAIL["text"], MAIL["html"])
    assert mail["idempotency_key"] == "delivery-1"
    assert mail["attachments"][0] | {"content": ics} == mail["attachments"][0]
    assert mail["tags"] == [{"name": "kind", "value": "session_booked"}]
    assert emails.get(sent["id"])["last_event"] == "delivered"
    assert sandbox.control.mailbox("nobody@example.test") == []


def test_the_same_key_and_body_give_the_same_mail(sandbox: RunningSandbox, emails: Any) -> None:
    first = emails.send(MAIL, {"idempotency_key": "delivery-1"})
    again = emails.send(dict(reversed(MAIL.items())), {"idempotency_key": "delivery-1"})
    assert first["id"] == again["id"]
    assert len(sandbox.control.mailbox()) == 1
    emails.send(MAIL, {"idempotency_key": "delivery-2"})
    emails.send(MAIL)
    assert len(sandbox.control.mailbox()) == 3


def test_the_same_key_with_another_body_is_refused(sandbox: RunningSandbox, emails: Any) -> None:
    emails.send(MAIL, {"idempotency_key": "delivery-1"})
    with pytest.raises(ResendError) as raised:
        emails.send({**MAIL, "subject": "Moved"}, {"idempotency_key": "delivery-1"})
    assert (raised.value.code, raised.value.error_type) == (409, "invalid_idempotent_request")
    resend.api_key = "re_other_account"
    emails.send({**MAIL, "subject": "Moved"}, {"idempotency_key": "delivery-1"})


def test_a_key_is_forgotten_after_a_day(sandbox: RunningSandbox, emails: Any) -> None:
    first = emails.send(MAIL, {"idempotency_key": "delivery-1"})
    sandbox.control.call("POST", "/resend/keys/expire")
    assert emails.send(MAIL, {"idempotency_key": "delivery-1"})["id"] != first["id"]


def test_one_of_two_requests_at_once_is_told_to_wait(sandbox: RunningSandbox) -> None:
    sandbox.control.chaos("resend", latency_ms=800)
    with ThreadPoolExecutor(2) as pool:
        sends = [pool.submit(by_hand, sandbox, MAIL, **{"Idempotency-Key": "delivery-1"}) for _ in range(2)]
        answers = sorted((send.result() for send in sends), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].json()["name"] == "concurrent_idempotent_requests"
    sandbox.control.chaos()
    later = by_hand(sandbox, MAIL, **{"Idempotency-Key": "delivery-1"})
    assert later.json() == answers[0].json()


def test_a_lost_answer_and_a_retry_make_one_mail(sandbox: RunningSandbox, emails: Any) -> None:
    sandbox.control.chaos("resend", error_rate=1, status=500, after=True, count=1)
    with pytest.raises(ResendError) as raised:
        emails.send(MAIL, {"idempotency_key": "delivery-1"})
    assert str(raised.value.code) == "500"
    (mail,) = sandbox.control.mailbox()
    assert emails.send(MAIL, {"idempotency_key": "delivery-1"})["id"] == mail["id"]
    assert len(sandbox.control.mailbox()) == 1


def test_a_rate_limit_says_when_to_come_back(sandbox: RunningSandbox, emails: Any) -> None:
    sandbox.control.chaos("resend", error_rate=1, status=429)
    with pytest.raises(ResendError) as raised:
        emails.send(MAIL)
    assert raised.value.error_type == "rate_limit_exceeded"
    assert raised.value.headers["retry-after"] == "1"
    assert sandbox.control.mailbox() == []


def test_refused_mails_do_not_use_up_their_key(sandbox: RunningSandbox) -> None:
    refused = by_hand(sandbox, {**MAIL, "to": "nobody"}, **{"Idempotency-Key": "delivery-1"})
    assert refused.status_code == 422
    assert by_hand(sandbox, MAIL, **{"Idempotency-Key": "delivery-1"}).status_code == 200


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"from": None}, "missing_required_field"),
        ({"from": "hello"}, "invalid_from_address"),
        ({"to": []}, "missing_required_field"),
        ({"to": ["nobody"]}, "validation_error"),
        ({"to": ["a@example.test"] * 51}, "validation_error"),
        ({"to": {"email": "a@example.test"}}, "validation_error"),
        ({"subject": ""}, "missing_required_field"),
        ({"subject": 5}, "validation_error"),
        ({"subject": "Two\nlines"}, "validation_error"),
        ({"text": None, "html": None}, "missing_required_field"),
        ({"html": 5}, "validation_error"),
        ({"reply_to": "nobody"}, "validation_error"),
        ({"headers": ["X: y"]}, "validation_error"),
        ({"headers": {"X": "a\r\nBcc: b@example.test"}}, "validation_error"),
        ({"tags": {"name": "a", "value": "b"}}, "validation_error"),
        ({"tags": [{"name": "a b", "value": "c"}]}, "validation_error"),
        ({"tags": [{"name": "a"}]}, "validation_error"),
        ({"attachments": [{"filename": "a.txt"}]}, "invalid_attachment"),
        ({"attachments": [{"filename": "a.txt", "content": "not base64!"}]}, "invalid_attachment"),
        ({"attachments": [{"content": "aGk="}]}, "invalid_attachment"),
        ({"attachments": [{"filename": "a.txt", "content": "aGk=", "size": 2}]}, "invalid_attachment"),
        ({"attachments": "aGk="}, "validation_error"),
        ({"replyTo": "help@example.test"}, "validation_error"),
    ],
)
def test_bad_mails_are_refused(sandbox: RunningSandbox, change: dict[str, Any], name: str) -> None:
    answer = by_hand(sandbox, {**MAIL, **change})
    assert (answer.status_code, answer.json()["name"]) == (422, name)
    assert answer.json()["message"]
    assert sandbox.control.mailbox() == []


@pytest.mark.parametrize(
    ("key", "status", "name"),
    [(None, 401, "missing_api_key"), ("nonsense", 403, "invalid_api_key")],
)
def test_a_key_is_needed(sandbox: RunningSandbox, key: str | None, status: int, name: str) -> None:
    answer = by_hand(sandbox, MAIL, key)
    assert (answer.status_code, answer.json()["name"]) == (status, name)


def test_chaos_revokes_the_key(sandbox: RunningSandbox) -> None:
    sandbox.control.chaos("resend", revoke=True)
    assert by_hand(sandbox, MAIL).status_code == 403
    sandbox.control.chaos()
    assert by_hand(sandbox, MAIL).status_code == 200


def test_odd_requests_get_an_answer_in_resends_shape(sandbox: RunningSandbox) -> None:
    too_long = by_hand(sandbox, MAIL, **{"Idempotency-Key": "x" * 257})
    assert (too_long.status_code, too_long.json()["name"]) == (400, "invalid_idempotency_key")
    for body in (b"{", b"[]", b'"mail"', b"\xff"):
        assert by_hand(sandbox, body).status_code == 422
    headers = {"Authorization": "Bearer re_sandbox"}
    missing = sandbox.http.get("/resend/emails/unknown", headers=headers)
    assert (missing.status_code, missing.json()["name"]) == (404, "not_found")
    nowhere = sandbox.http.get("/resend/nowhere", headers=headers)
    assert (nowhere.status_code, nowhere.json()["name"]) == (404, "not_found")


def test_a_hundred_mails_at_once_make_one_a_key(sandbox: RunningSandbox) -> None:
    with (
        httpx.Client(headers={"Authorization": "Bearer re_sandbox"}) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(
            pool.map(
                lambda n: client.post(
                    f"{sandbox.url}/resend/emails", json=MAIL, headers={"Idempotency-Key": f"k{n % 50}"}
                ),
                range(100),
            )
        )
    assert len(sandbox.control.mailbox()) == 50
    assert {answer.status_code for answer in answers} <= {200, 409}
