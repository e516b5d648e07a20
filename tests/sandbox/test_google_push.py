"""Push channels: watched by Google's own client, received by a small server."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.google import calendar
from tests.sandbox.test_google_events import SECOND, refusal, timed
from tests.support.sandbox import MENTOR, RunningSandbox, running_sandbox, serving


class Receiver:
    """What arrives at a push address: the headers of each message, names in lower case."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.messages: queue.Queue[dict[str, str]] = queue.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = (await receive()).get("body", b"")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        self.messages.put({**headers, "body": body.decode()})

    def next(self) -> dict[str, str]:
        return self.messages.get(timeout=10)


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    receiver = Receiver()
    with serving(receiver) as url:
        receiver.url = url
        yield receiver


@pytest.fixture
def receiver(listening: Receiver) -> Receiver:
    listening.status = 200
    while not listening.messages.empty():
        listening.messages.get()
    return listening


@pytest.fixture
def service(sandbox: RunningSandbox) -> Any:
    return calendar(sandbox)


def watch(service: Any, receiver: Receiver, channel: str = "channel-1", **more: Any) -> dict[str, Any]:
    body = {"id": channel, "type": "web_hook", "address": f"{receiver.url}/push", "token": "secret", **more}
    answer: dict[str, Any] = service.events().watch(calendarId="primary", body=body).execute()
    return answer


def test_a_channel_greets_and_tells_of_changes_until_it_is_stopped(
    sandbox: RunningSandbox, service: Any, receiver: Receiver
) -> None:
    opened = watch(service, receiver)
    assert (opened["kind"], opened["id"]) == ("api#channel", "channel-1")
    week = 7 * 86400
    assert abs(int(opened["expiration"]) / 1000 - time.time() - week) < 60
    hello = receiver.next()
    assert (hello["x-goog-resource-state"], hello["x-goog-message-number"]) == ("sync", "1")
    made = service.events().insert(calendarId="primary", body=timed()).execute()
    told = receiver.next()
    assert told["x-goog-resource-state"] == "exists"
    assert told["x-goog-channel-id"] == "channel-1"
    assert told["x-goog-channel-token"] == "secret"
    assert told["x-goog-resource-id"] == opened["resourceId"]
    assert told["x-goog-resource-uri"] == opened["resourceUri"]
    assert told["x-goog-message-number"] == "2"
    assert told["body"] == ""
    sandbox.control.change_event(made["id"], {"summary": "By hand"})
    assert receiver.next()["x-goog-message-number"] == "3"
    service.events().insert(calendarId=SECOND, body=timed()).execute()
    sandbox.control.delete_event(made["id"])
    assert receiver.next()["x-goog-message-number"] == "4", "the other calendar is not watched"
    service.channels().stop(body={"id": "channel-1", "resourceId": opened["resourceId"]}).execute()
    assert sandbox.control.call("GET", "/google/channels")["items"] == []
    again = service.channels().stop(body={"id": "channel-1", "resourceId": opened["resourceId"]})
    assert refusal(again) == (404, "channelIdNotFound")


def test_an_expiration_can_be_asked_for_and_passes(
    sandbox: RunningSandbox, service: Any, receiver: Receiver
) -> None:
    soon = int((time.time() + 1) * 1000)
    assert watch(service, receiver, expiration=soon)["expiration"] == str(soon)
    year = int((time.time() + 366 * 86400) * 1000)
    capped = watch(service, receiver, "channel-2", expiration=str(year))
    assert int(capped["expiration"]) < year
    assert {receiver.next()["x-goog-channel-id"] for _ in range(2)} == {"channel-1", "channel-2"}
    with pytest.raises(queue.Empty):
        receiver.messages.get(timeout=soon / 1000 - time.time() + 0.01)
    service.events().insert(calendarId="primary", body=timed()).execute()
    assert receiver.next()["x-goog-channel-id"] == "channel-2"
    assert [c["id"] for c in sandbox.control.call("GET", "/google/channels")["items"]] == ["channel-2"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "required"),
        ({"id": "a b"}, "channelIdInvalid"),
        ({"id": "x" * 65}, "channelIdInvalid"),
        ({"id": "taken"}, "channelIdNotUnique"),
        ({"type": "pigeon"}, "invalid"),
        ({"address": "ftp://example.test/push"}, "push.webhookUrlNotHttps"),
        ({"token": "x" * 257}, "invalid"),
        ({"expiration": "soon"}, "invalid"),
        ({"expiration": "1000"}, "channelExpirationInvalid"),
    ],
)
def test_bad_channels_are_refused(
    service: Any, receiver: Receiver, change: dict[str, Any], reason: str
) -> None:
    watch(service, receiver, "taken")
    body = {"id": "channel-1", "type": "web_hook", "address": receiver.url, **change}
    assert refusal(service.events().watch(calendarId="primary", body=body)) == (400, reason)


def test_plain_http_is_refused_unless_the_sandbox_is_told(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, push_http=False) as strict:
        body = {"id": "channel-1", "type": "web_hook", "address": "http://127.0.0.1:9/push"}
        request = calendar(strict).events().watch(calendarId="primary", body=body)
        assert refusal(request) == (400, "push.webhookUrlNotHttps")


def test_a_failing_receiver_is_tried_again(service: Any, receiver: Receiver) -> None:
    receiver.status = 503
    watch(service, receiver)
    assert receiver.next()["x-goog-message-number"] == "1"
    receiver.status = 200
    assert receiver.next()["x-goog-message-number"] == "1"


def test_webhooks_are_dropped_and_doubled_by_chaos(
    sandbox: RunningSandbox, service: Any, receiver: Receiver
) -> None:
    watch(service, receiver)
    receiver.next()
    sandbox.control.chaos("google", drop_webhooks=True)
    made = service.events().insert(calendarId="primary", body=timed()).execute()
    sandbox.control.chaos("google", duplicate_webhooks=1)
    sandbox.control.delete_event(made["id"])
    assert [receiver.next()["x-goog-message-number"] for _ in range(2)] == ["3", "3"]
    tried = [
        (w["headers"]["X-Goog-Message-Number"], w["problem"]) for w in sandbox.control.webhooks("google")
    ]
    assert ("2", "dropped") in tried


def test_webhooks_are_shuffled_by_chaos(sandbox: RunningSandbox, service: Any, receiver: Receiver) -> None:
    watch(service, receiver)
    receiver.next()
    sandbox.control.chaos("google", shuffle_webhooks=1, seed=1)
    for _ in range(12):
        service.events().insert(calendarId="primary", body=timed()).execute()
    numbers = [int(receiver.next()["x-goog-message-number"]) for _ in range(12)]
    assert sorted(numbers) == list(range(2, 14))
    assert numbers != sorted(numbers)


def test_a_revoked_grant_closes_its_channels(
    sandbox: RunningSandbox, service: Any, receiver: Receiver
) -> None:
    watch(service, receiver)
    sandbox.control.chaos("google", revoke=MENTOR)
    assert sandbox.control.call("GET", "/google/channels")["items"] == []
