"""What becomes of mails is told as Resend tells it: signed, again if it failed, and about whom it was decided."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import resend

from sandbox.resend.events import FATES
from tests.contracts.specs import needs_specs, validator
from tests.sandbox.receiver import Receiver, receiving
from tests.sandbox.test_resend import MAIL, by_hand
from tests.support.sandbox import RunningSandbox, running_sandbox

SECRET = "whsec_c2FuZGJveC1yZXNlbmQtd2ViaG9vaw=="
TO = "student@example.test"


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    """The platform's place."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(listening: Receiver) -> Receiver:
    """The platform's place, empty and well."""
    listening.status = 200
    while not listening.messages.empty():
        listening.messages.get()
    return listening


@pytest.fixture(scope="module")
def posting(listening: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox that delivers to the receiver."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), public_url=listening.url) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(posting: RunningSandbox) -> RunningSandbox:
    """The delivering sandbox as after start."""
    posting.control.reset()
    return posting


def mailed(sandbox: RunningSandbox, to: str = TO) -> str:
    """A mail's id."""
    id_: str = by_hand(sandbox, MAIL | {"to": [to]}).json()["id"]
    return id_


def befall(sandbox: RunningSandbox, id_: str, fate: str) -> Any:
    return sandbox.control.call("POST", "/resend/events", {"email_id": id_, "fate": fate})


def read(message: dict[str, str]) -> Any:
    """The event, its signature checked by Resend's own SDK."""
    signed = {name: message[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
    options: Any = {"payload": message["body"], "headers": signed, "webhook_secret": SECRET}
    return resend.Webhooks.verify(options)


def test_a_delivery_is_signed_as_resend_signs(sandbox: RunningSandbox, receiver: Receiver) -> None:
    id_ = mailed(sandbox)
    told = befall(sandbox, id_, "bounced")
    message = receiver.next()
    assert message["path"] == "/api/webhooks/resend"
    event = read(message)
    assert event == told["body"]
    assert (event["type"], event["data"]["email_id"], event["data"]["to"]) == ("email.bounced", id_, [TO])
    assert event["data"]["bounce"]["type"] == "Permanent"
    assert sandbox.control.mailbox()[0]["last_event"] == "bounced"
    with pytest.raises(ValueError, match="signature"):
        read(message | {"body": message["body"] + " "})


def test_a_failed_delivery_is_tried_again_with_a_fresh_stamp(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    receiver.status = 503
    befall(sandbox, mailed(sandbox), "complained")
    first, second, third = (receiver.next() for _ in range(3))
    assert first["body"] == second["body"] == third["body"]
    assert first["svix-id"] == second["svix-id"] == third["svix-id"]
    assert int(third["svix-timestamp"]) > int(first["svix-timestamp"])
    assert abs(int(third["svix-timestamp"]) - time.time()) < 30
    read(third)


def test_an_address_keeps_its_fate(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.control.call("POST", "/resend/addresses", {"address": "Student@Example.test", "fate": "bounced"})
    assert sandbox.control.call("GET", "/resend/addresses") == {"items": [{"address": TO, "fate": "bounced"}]}
    ids = [mailed(sandbox, to) for to in (TO, "Somebody <student@example.test>", "other@example.test")]
    assert sorted(read(receiver.next())["data"]["email_id"] for _ in ids[:2]) == sorted(ids[:2])
    sandbox.control.call("POST", "/resend/addresses", {"address": TO, "fate": ""})
    mailed(sandbox)
    befall(sandbox, ids[2], "delivered")
    assert read(receiver.next())["type"] == "email.delivered", "a mail that arrives tells nothing by itself"


@pytest.mark.parametrize("name", ["bounced", "complained+later", "suppressed", "delivered"])
def test_resends_own_test_addresses_do_what_they_do_there(
    sandbox: RunningSandbox, receiver: Receiver, name: str
) -> None:
    mailed(sandbox, f"{name}@resend.dev")
    assert read(receiver.next())["type"] == f"email.{name.partition('+')[0]}"


def test_chaos_drops_and_doubles_and_all_is_told_again_on_demand(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    sandbox.control.chaos("resend", drop_webhooks=1)
    befall(sandbox, mailed(sandbox), "bounced")
    sandbox.control.chaos("resend", duplicate_webhooks=1)
    befall(sandbox, mailed(sandbox), "complained")
    lost, told = sandbox.control.call("GET", "/resend/events")["items"]
    assert [receiver.next()["svix-id"] for _ in range(2)] == [told["id"]] * 2
    sandbox.control.chaos()
    assert sandbox.control.call("POST", "/resend/redeliver", {"times": 2}) == {"deliveries": 4}
    again = sorted(receiver.next()["svix-id"] for _ in range(4))
    assert again == sorted([lost["id"], told["id"]] * 2)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/resend/events", {"email_id": "nobody", "fate": "bounced"}, 404),
        ("/resend/addresses", {"address": TO, "fate": "lost"}, 400),
        ("/resend/redeliver", {"times": 0}, 400),
    ],
)
def test_what_can_not_be_is_refused(
    sandbox: RunningSandbox, path: str, body: dict[str, Any], status: int
) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        sandbox.control.call("POST", path, body)
    assert refused.value.response.status_code == status


def test_the_mailbox_lets_a_mail_come_back_now_or_always(sandbox: RunningSandbox, receiver: Receiver) -> None:
    id_ = mailed(sandbox)
    page = sandbox.http.get(f"/mailbox/{id_}").text
    assert "Let it come back for good" in page
    answer = sandbox.http.post(f"/mailbox/{id_}/fate", data={"fate": "complained", "always": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/mailbox/{id_}")
    assert read(receiver.next())["type"] == "email.complained"
    assert "Its reader called it spam." in sandbox.http.get(f"/mailbox/{id_}").text
    mailed(sandbox)
    assert read(receiver.next())["type"] == "email.complained"
    assert sandbox.http.post(f"/mailbox/{id_}/fate", data={"fate": "lost"}).status_code == 404


def test_the_mailbox_shows_the_way_out(sandbox: RunningSandbox) -> None:
    link = "http://127.0.0.1:8000/unsubscribe/a.b.c.d"
    id_ = by_hand(sandbox, MAIL | {"headers": {"List-Unsubscribe": f"<{link}>"}}).json()["id"]
    page = sandbox.http.get(f"/mailbox/{id_}").text
    assert "List-Unsubscribe" in page
    assert f'href="{link}"' in page


@needs_specs
@pytest.mark.parametrize("fate", FATES)
def test_every_event_meets_the_contract(sandbox: RunningSandbox, receiver: Receiver, fate: str) -> None:
    more = {"tags": [{"name": "kind", "value": "x"}], "headers": {"X-Kind": "x"}}
    befall(sandbox, by_hand(sandbox, MAIL | more).json()["id"], fate)
    event = json.loads(receiver.next()["body"])
    assert validator().event("resend", event, strict=True) == []
