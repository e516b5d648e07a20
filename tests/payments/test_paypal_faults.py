"""PayPal's adapter when PayPal fails: what is unknown, what is refused, and that nothing is done twice."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from app.payments.gateway import CheckoutStatus, ProviderRefused, ProviderUnavailable
from app.payments.paypal import PayPalGateway
from tests.payments.paypal_desk import Desk, paypal_settings, purchase
from tests.support.sandbox import RunningSandbox, serving

CREATE = "POST /v2/checkout/orders"
CAPTURE = "/capture"
REFUND = "/refund"


TOKEN = b'{"access_token": "A21", "token_type": "Bearer", "expires_in": 3600}'


@dataclasses.dataclass
class Between:
    """A proxy that answers in PayPal's place; it lets a token through, if it has one."""

    status: int
    content: bytes
    token: bytes | None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        through = self.token is not None and scope["path"].endswith("/token")
        status, content = (200, self.token) if through else (self.status, self.content)
        length = (b"content-length", str(len(content or b"")).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": content})


@pytest.fixture
async def desk(sandbox: RunningSandbox) -> AsyncIterator[Desk]:
    """The adapter in front of a fresh sandbox, which gives up after 2 s."""
    gateway = PayPalGateway(paypal_settings(sandbox, paypal_timeout_seconds=2.0))
    yield Desk(gateway, sandbox)
    await gateway.close()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_a_paypal_that_fails_before_the_work_is_unavailable(desk: Desk, status: int) -> None:
    desk.chaos(error_rate=1, status=status)
    for call in (desk.opened(), desk.paypal.find("NOTHING"), desk.paypal.check()):
        with pytest.raises(ProviderUnavailable):
            await call
    assert desk.held("orders") == []


async def test_a_lost_answer_to_opening_is_unknown(desk: Desk) -> None:
    order = purchase()
    desk.chaos(error_rate=1, after=True, match=CREATE, count=1)
    with pytest.raises(ProviderUnavailable):
        await desk.paypal.open(order)
    (made,) = desk.held("orders")
    assert (await desk.paypal.open(order)).session_id == made["id"]


async def test_no_answer_in_time_is_unavailable(desk: Desk) -> None:
    gateway = PayPalGateway(paypal_settings(desk.sandbox, paypal_timeout_seconds=0.3))
    desk.chaos(latency_ms=60_000)
    with pytest.raises(ProviderUnavailable, match="Timeout"):
        await gateway.open(purchase())
    desk.chaos()
    await gateway.close()


async def test_nobody_there_is_unavailable(desk: Desk) -> None:
    nowhere = PayPalGateway(paypal_settings(desk.sandbox, paypal_url="http://127.0.0.1:9/paypal"))
    for call in (nowhere.open(purchase()), nowhere.find("NOTHING"), nowhere.check()):
        with pytest.raises(ProviderUnavailable, match="ConnectionError"):
            await call
    await nowhere.close()


@pytest.mark.parametrize("good_token", [False, True])
@pytest.mark.parametrize("status", [200, 403, 502])
@pytest.mark.parametrize("content", [b"", b"<h1>Bad gateway</h1>", b"[]", b"{}"])
async def test_what_something_in_between_answers_is_unavailable(
    desk: Desk, status: int, content: bytes, good_token: bool
) -> None:
    between = Between(status, content, TOKEN if good_token else None)
    with serving(between) as url:
        gateway = PayPalGateway(paypal_settings(desk.sandbox, paypal_url=url))
        calls = [gateway.open(purchase()), gateway.find("NOTHING"), gateway.capture("NOTHING", uuid4())]
        for call in calls if good_token else [gateway.check(), *calls]:
            with pytest.raises(ProviderUnavailable):
                await call
        await gateway.close()


async def test_a_capture_whose_answer_is_lost_is_looked_up(desk: Desk) -> None:
    wanted, session_id = await desk.approved()
    desk.chaos(error_rate=1, after=True, match=CAPTURE, count=1)
    state = await desk.paypal.capture(session_id, wanted.order_id)
    assert state.status is CheckoutStatus.PAID
    assert len(desk.held("captures")) == 1


async def test_a_capture_that_did_not_happen_stays_unknown_and_may_be_tried_again(desk: Desk) -> None:
    wanted, session_id = await desk.approved()
    desk.chaos(error_rate=1, match=CAPTURE, count=1)
    with pytest.raises(ProviderUnavailable):
        await desk.paypal.capture(session_id, wanted.order_id)
    assert (await desk.paypal.capture(session_id, wanted.order_id)).status is CheckoutStatus.PAID
    assert {one["headers"]["paypal-request-id"] for one in desk.requests(CAPTURE)} == {
        f"{wanted.order_id}-capture"
    }
    assert len(desk.held("captures")) == 1


async def test_a_capture_that_cannot_be_looked_up_is_unknown(desk: Desk) -> None:
    wanted, session_id = await desk.approved()
    desk.chaos(error_rate=1, after=True, match="/v2/", count=2)
    with pytest.raises(ProviderUnavailable):
        await desk.paypal.capture(session_id, wanted.order_id)
    assert (await desk.paypal.capture(session_id, wanted.order_id)).status is CheckoutStatus.PAID
    assert len(desk.held("captures")) == 1


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_refund_whose_answer_is_lost_is_found(desk: Desk, forgotten: bool) -> None:
    state, refund_id = await desk.paid(), uuid4()
    desk.chaos(error_rate=1, after=True, match=REFUND, count=1)
    made = await desk.refund(state, 3_000, refund_id)
    if forgotten:
        desk.act("keys/expire")
    assert await desk.refund(state, 3_000, refund_id) == made
    assert [refund["custom_id"] for refund in desk.held("refunds")] == [str(refund_id)]


async def test_a_refund_nobody_knows_of_is_unknown_until_it_is_asked_for_again(desk: Desk) -> None:
    state, refund_id = await desk.paid(), uuid4()
    desk.chaos(error_rate=1, after=True, match="payments", count=1)
    lost = dataclasses.replace(state, session_id=(await desk.paid()).session_id)
    with pytest.raises(ProviderUnavailable, match="lost"):
        await desk.refund(lost, 3_000, refund_id)
    desk.act("keys/expire")
    with pytest.raises(ProviderRefused, match="DUPLICATE_INVOICE_ID"):
        await desk.refund(lost, 3_000, refund_id)
    assert (await desk.refund(state, 3_000, refund_id)).refund_id == refund_id
    assert len(desk.held("refunds")) == 1


async def test_a_refund_is_not_made_when_it_cannot_be_looked_up_first(desk: Desk) -> None:
    state = await desk.paid()
    desk.chaos(error_rate=1, match="GET /v2/checkout/orders")
    with pytest.raises(ProviderUnavailable):
        await desk.refund(state, 3_000)
    assert desk.held("refunds") == []


async def test_a_token_that_was_withdrawn_is_replaced(desk: Desk) -> None:
    _, opened = await desk.opened()
    desk.act("tokens/expire")
    assert (await desk.paypal.find(opened.session_id)).status is CheckoutStatus.OPEN
    assert len(desk.requests("/v1/oauth2/token")) == 2


async def test_one_token_serves_many_calls_at_once(desk: Desk) -> None:
    states = await asyncio.gather(*(desk.opened() for _ in range(20)))
    assert len({opened.session_id for _, opened in states}) == 20
    assert len(desk.requests("/v1/oauth2/token")) == 1


async def test_keys_that_are_not_good_say_nothing_about_what_was_asked_for(desk: Desk) -> None:
    wrong = PayPalGateway(paypal_settings(desk.sandbox, paypal_client_secret="wrong"))
    for call in (wrong.check(), wrong.open(purchase()), wrong.find("NOTHING")):
        with pytest.raises(ProviderUnavailable, match="invalid_client"):
            await call
    await wrong.close()


async def test_a_withdrawn_client_is_unavailable(desk: Desk) -> None:
    _, opened = await desk.opened()
    desk.chaos(revoke=True)
    with pytest.raises(ProviderUnavailable, match="invalid_client"):
        await desk.paypal.find(opened.session_id)
