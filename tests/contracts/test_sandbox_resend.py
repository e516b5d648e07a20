"""What the sandbox answers in Resend's place, against Resend's own description and recordings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.specs import answers_valid, needs_specs, requests_valid, sample
from tests.sandbox.test_resend import MAIL
from tests.support.sandbox import RunningSandbox

pytestmark = needs_specs

KEY = {"Authorization": "Bearer re_sandbox"}
FULL: dict[str, Any] = {
    **MAIL,
    "cc": "mentor@example.test",
    "bcc": ["archive@example.test"],
    "reply_to": ["help@example.test"],
    "headers": {"List-Unsubscribe": "<https://example.test/unsubscribe/x>"},
    "tags": [{"name": "kind", "value": "session_booked"}],
    "attachments": [{"filename": "session.ics", "content": "QkVHSU4=", "content_type": "text/calendar"}],
}


def test_every_answer_and_request_meets_the_contract(sandbox: RunningSandbox) -> None:
    for mail in (MAIL, FULL, {**FULL, "scheduled_at": "2027-03-01T09:00:00Z"}, {**MAIL, "html": None}):
        body = {name: value for name, value in mail.items() if value is not None}
        sent = sandbox.http.post(
            "/resend/emails", json=body, headers=KEY | {"Idempotency-Key": str(len(body))}
        )
        sandbox.http.get(f"/resend/emails/{sent.json()['id']}", headers=KEY)
    recorded = sandbox.control.requests("resend")
    answers, requests = answers_valid(recorded), requests_valid(recorded)
    assert answers.problems == []
    assert requests.problems == []
    assert answers.checked == requests.checked == 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"replyTo": "a@example.test"},
        {"to": {"email": "a@example.test"}},
        {"to": []},
        {"subject": None},
        {"tags": "kind"},
        {"attachments": [{"name": "a.txt", "content": "aGk="}]},
    ],
)
def test_the_sandbox_refuses_what_the_contract_does_not_name(
    sandbox: RunningSandbox, wrong: dict[str, Any]
) -> None:
    assert sandbox.http.post("/resend/emails", json={**MAIL, **wrong}, headers=KEY).status_code == 422
    (item,) = sandbox.control.requests("resend")
    assert requests_valid([item]).problems


def test_errors_have_the_recorded_shape(sandbox: RunningSandbox) -> None:
    recorded = sample("resend-samples.json")["recorded_errors"]
    ours = [
        sandbox.http.post("/resend/emails", json={**MAIL, "to": None}, headers=KEY),
        sandbox.http.get("/resend/emails/00000000-0000-0000-0000-000000000000", headers=KEY),
    ]
    theirs = {error["status"]: error["body"] for error in recorded}
    for answer in ours:
        body = answer.json()
        assert body.keys() == theirs[answer.status_code].keys()
        assert body["name"] == theirs[answer.status_code]["name"]
        assert body["statusCode"] == answer.status_code
    assert ours[0].json()["message"] == theirs[422]["message"].replace("name", "to").replace("email", "to")
