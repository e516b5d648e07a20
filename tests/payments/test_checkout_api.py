"""Buying as a program does: the shapes of answers and refusals, and whether the providers are well."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from app.asgi import create_app
from app.settings import Settings
from tests.accounts.browser import Browser
from tests.payments.conftest import Visit
from tests.payments.shop import Shop
from tests.payments.test_access import TRACES, call
from tests.support.sandbox import RunningSandbox
from tests.support.visits import visiting

NOBODY = "01999999-0000-7000-8000-000000000000"


@pytest.fixture
async def buyer(visit: Visit) -> Browser:
    return await visit("new_student")


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
async def test_a_checkout_and_what_becomes_of_it(
    shop: Shop, sandbox: RunningSandbox, buyer: Browser, provider: str
) -> None:
    wish = {"product_id": str(await shop.product()), "code": "WELCOME10"}
    answer = await call(buyer, f"/api/checkout/{provider}", wish)
    assert answer.status_code == 201
    started = answer.json()
    assert set(started) == {"order_id", "url"}
    assert started["url"].startswith(f"{sandbox.url}/{provider}/")
    order_id = UUID(started["order_id"])
    amounts = {
        "currency": "EUR",
        "original_amount": 12_000,
        "discount_amount": 1_200,
        "tax_amount": 0,
        "total_amount": 10_800,
    }
    asked = (await buyer.get(f"/api/checkout/verify?order_id={order_id}")).json()
    assert asked == {
        "order_id": str(order_id),
        "status": "pending",
        "pack_id": None,
        "paid_at": None,
        **amounts,
    }
    await shop.settle(order_id)
    paid = (await buyer.get(f"/api/checkout/verify?order_id={order_id}")).json()
    pack = await shop.pack(order_id)
    assert {**paid, "paid_at": None} == {**asked, "status": "paid", "pack_id": str(pack.id)}
    assert paid["paid_at"].endswith("Z")
    assert (await buyer.get(f"/api/checkout/verify?order_id={order_id}")).json() == paid


async def test_asking_again_leads_to_the_same_checkout(shop: Shop, buyer: Browser) -> None:
    wish = {"product_id": str(await shop.product())}
    first = (await call(buyer, "/api/checkout/stripe", wish)).json()
    assert (await call(buyer, "/api/checkout/stripe", wish)).json() == first


async def test_sold_out_is_409(shop: Shop, buyer: Browser) -> None:
    wish = {"product_id": str(await shop.product())}
    await shop.seats(1)
    before = await shop.sql(TRACES)
    await refused(await call(buyer, "/api/checkout/stripe", wish), 409, "sold_out")
    assert await shop.sql(TRACES) == before


@pytest.mark.parametrize("code", ["NOPE", "A" * 61, "A\x00", "\N{PILE OF POO}"])
async def test_an_unknown_code_is_422(shop: Shop, buyer: Browser, code: str) -> None:
    wish = {"product_id": str(await shop.product()), "code": code}
    before = await shop.sql(TRACES)
    problem = await refused(await call(buyer, "/api/checkout/stripe", wish), 422, "invalid")
    assert set(problem["errors"]) == {"code"}
    assert await shop.sql(TRACES) == before


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
async def test_a_provider_that_is_down_is_503(
    shop: Shop, sandbox: RunningSandbox, buyer: Browser, provider: str
) -> None:
    wish = {"product_id": str(await shop.product())}
    sandbox.control.chaos(provider, error_rate=1.0, status=503)
    problem = await refused(await call(buyer, f"/api/checkout/{provider}", wish), 503, "unavailable")
    assert "no seat was kept" in problem["detail"].lower()
    assert await shop.seat("new_student") is None
    assert await shop.sql("select status from orders") == [("failed",)]


async def test_what_became_of_an_order_is_unknown_while_its_provider_is_down(
    shop: Shop, sandbox: RunningSandbox, buyer: Browser
) -> None:
    started = await shop.start("new_student", await shop.product())
    sandbox.control.chaos("stripe", error_rate=1.0, status=503)
    await refused(await buyer.get(f"/api/checkout/verify?order_id={started.order_id}"), 503, "unavailable")


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({}, 400),
        ([], 400),
        ("text", 400),
        (None, 400),
        ({"product_id": 1}, 400),
        ({"product_id": None}, 400),
        ({"product_id": "abc"}, 400),
        ({"product_id": "a\x00"}, 400),
        ({"product_id": NOBODY, "code": 5}, 400),
        ({"product_id": NOBODY, "price": 1}, 400),
        ({"product_id": NOBODY}, 404),
    ],
)
async def test_an_odd_wish_is_refused(shop: Shop, buyer: Browser, wish: Any, status: int) -> None:
    before = await shop.sql(TRACES)
    await refused(await call(buyer, "/api/checkout/stripe", wish), status)
    assert await shop.sql(TRACES) == before


@pytest.mark.parametrize(
    "query", ["", "?order_id=", "?order_id=abc", "?order_id=%00", f"?order_id={'a' * 5000}"]
)
async def test_an_odd_question_is_400(buyer: Browser, query: str) -> None:
    await refused(await buyer.get(f"/api/checkout/verify{query}"), 400)


async def test_the_way_back_stays_on_the_site(visit: Visit) -> None:
    anybody = await visit("anonymous")
    for word in ("success", "cancel"):
        for odd in ("//evil.example/", "a\r\nset-cookie: a=b", "x&code=1"):
            answer = await anybody.http.get(f"/api/checkout/{word}", params={"order_id": odd})
            assert answer.status_code == 303
            where = answer.headers["location"]
            assert where.startswith(f"/checkout/{word}?order_id=")
            assert where.count("&") == 0
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
async def test_the_health_of_a_provider(visit: Visit, sandbox: RunningSandbox, provider: str) -> None:
    anybody = await visit("anonymous")
    well = await anybody.get(f"/api/health/{provider}")
    assert (well.status_code, well.json()) == (200, {"status": "ok"})
    sandbox.control.chaos(provider, error_rate=1.0, status=500)
    down = await anybody.get(f"/api/health/{provider}")
    assert (down.status_code, down.json()) == (503, {"status": "unavailable"})


@pytest.fixture
async def without_keys(shop: Shop, web_settings: Settings) -> AsyncIterator[Browser]:
    """The new student on a platform that sells nothing online."""
    none = {
        "stripe_secret_key": "",
        "stripe_webhook_secret": "",
        "paypal_client_id": "",
        "paypal_client_secret": "",
    }
    settings = dataclasses.replace(web_settings, **none)  # type: ignore[arg-type]
    app = create_app(settings)
    async with visiting(app, shop.database, settings, shop.cast, "new_student") as browser:
        yield browser
    await app.state.platform.close()


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
async def test_without_keys_nothing_is_sold(shop: Shop, without_keys: Browser, provider: str) -> None:
    product_id = str(await shop.product())
    assert (await without_keys.get(f"/api/health/{provider}")).status_code == 404
    page = await without_keys.get(f"/checkout?product_id={product_id}")
    assert page.status_code == 200
    assert "can’t be paid online here" in page.text
    assert 'name="provider"' not in page.text
    before = await shop.sql(TRACES)
    await refused(await call(without_keys, f"/api/checkout/{provider}", {"product_id": product_id}), 503)
    posted = await without_keys.post("/checkout", {"product_id": product_id, "provider": provider})
    assert posted.status_code == 503
    await refused(await without_keys.http.post(f"/api/webhooks/{provider}", content=b"{}"), 503)
    assert await shop.sql(TRACES) == before


async def refused(answer: Any, status: int, code: str = "") -> dict[str, Any]:
    """The problem details of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert code in ("", problem["code"])
    return problem
