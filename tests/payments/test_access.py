"""Every page and route of payments, for everybody: who gets in, and that others' orders look like nothing at all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from tests.accounts.browser import Browser
from tests.payments.conftest import Visit
from tests.payments.shop import Shop

PEOPLE = ("anonymous", "student", "other_student", "mentor", "other_mentor", "admin")
# What each of PEOPLE gets for an order of the student's with the mentor; 303 of a page leads to /sign-in.
PAGES = {
    "/checkout?product_id={product}": (303, 200, 200, 403, 403, 403),
    "/checkout/success?order_id={order}": (303, 200, 404, 403, 403, 403),
    "/checkout/cancel?order_id={order}": (303, 200, 404, 403, 403, 403),
    "/receipts/{order}": (303, 200, 404, 404, 404, 200),
    "/admin/orders": (303, 403, 403, 403, 403, 200),
    "/admin/orders/{order}": (303, 403, 403, 403, 403, 200),
    "/admin/orders/{order}/refunds": (303, 403, 403, 403, 403, 200),
}
PROGRAMS = {
    "/api/checkout/verify?order_id={order}": (401, 200, 404, 403, 403, 403),
    "/api/checkout/success?order_id={order}": (303,) * 6,
    "/api/checkout/cancel?order_id={order}": (303,) * 6,
    "/api/health/stripe": (200,) * 6,
    "/api/health/paypal": (200,) * 6,
}
FORMS = {
    "/checkout": (401, 303, 303, 403, 403, 403),
    "/checkout/code": (401, 303, 303, 403, 403, 403),
    "/admin/orders/{order}/refunds": (401, 403, 403, 403, 403, 303),
    "/admin/orders/{order}/decision": (401, 403, 403, 403, 403, 303),
    "/admin/reconciliations": (401, 403, 403, 403, 403, 303),
}
CALLS = {
    "/api/checkout/stripe": (401, 201, 201, 403, 403, 403),
    "/api/checkout/paypal": (401, 201, 201, 403, 403, 403),
}
WEBHOOKS = {"/api/webhooks/stripe", "/api/webhooks/paypal"}  # signed, for nobody: test_webhook_routes
TRACES = """
    select (select count(*) from orders), (select count(*) from refunds), (select count(*) from reconciliation_runs),
           (select count(*) from seat_reservations), (select string_agg(concat(status, flag), ',' order by id) from orders)
"""


@pytest.fixture
async def browsers(visit: Visit) -> dict[str, Browser]:
    return {who: await visit(who) for who in PEOPLE}


@pytest.fixture
async def product(shop: Shop) -> UUID:
    return await shop.product()


@pytest.fixture
async def order(shop: Shop, product: UUID) -> UUID:
    return await shop.buy("student", product)


@pytest.mark.parametrize("path", PAGES)
async def test_seeing_a_page(
    shop: Shop, browsers: dict[str, Browser], product: UUID, order: UUID, path: str
) -> None:
    where = path.format(product=product, order=order)
    number = (await shop.payment(order)).provider_payment_id
    for who, status in zip(PEOPLE, PAGES[path], strict=True):
        page, part = await browsers[who].get(where), await browsers[who].fragment(where)
        assert (who, page.status_code) == (who, status)
        assert (who, part.status_code) == (who, 401 if status == 303 else status)
        if status > 400:
            assert number not in page.text + part.text
            assert "Four sessions" not in page.text + part.text


@pytest.mark.parametrize("path", PROGRAMS)
async def test_asking_as_a_program(
    browsers: dict[str, Browser], product: UUID, order: UUID, path: str
) -> None:
    where = path.format(product=product, order=order)
    for who, status in zip(PEOPLE, PROGRAMS[path], strict=True):
        answer = await browsers[who].get(where)
        assert (who, answer.status_code) == (who, status)
        if status == 303:
            assert answer.headers["location"].startswith("/checkout/")


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("path", FORMS)
async def test_posting_a_form(
    shop: Shop, browsers: dict[str, Browser], product: UUID, order: UUID, path: str, htmx: bool
) -> None:
    form = {"product_id": str(product), "provider": "stripe", "quoted": "12000", "reason": "asked for it"}
    where = path.format(order=order)
    for who, status in zip(PEOPLE, FORMS[path], strict=True):
        before = await shop.sql(TRACES)
        answer = await browsers[who].post(where, form, htmx=htmx)
        if status == 303 and htmx:
            assert (who, answer.status_code) == (who, 200)
        else:
            assert (who, answer.status_code) == (who, status)
        if status > 400:
            assert await shop.sql(TRACES) == before


@pytest.mark.parametrize("path", CALLS)
async def test_calling_as_a_program(
    shop: Shop, browsers: dict[str, Browser], product: UUID, path: str
) -> None:
    for who, status in zip(PEOPLE, CALLS[path], strict=True):
        before = await shop.sql(TRACES)
        answer = await call(browsers[who], path, {"product_id": str(product)})
        assert (who, answer.status_code) == (who, status)
        if status > 400:
            assert await shop.sql(TRACES) == before


@pytest.mark.parametrize("path", [*FORMS, *CALLS])
async def test_a_post_without_its_token_changes_nothing(
    shop: Shop, visit: Visit, product: UUID, order: UUID, path: str
) -> None:
    browser = await visit("admin" if path.startswith("/admin") else "student")
    before = await shop.sql(TRACES)
    values = {"product_id": str(product), "provider": "stripe", "quoted": "12000", "reason": "asked for it"}
    if path in CALLS:
        answer = await browser.http.post(path, json={"product_id": str(product)})
    else:
        answer = await browser.post(path.format(order=order), values, csrf=False)
    assert answer.status_code == 403
    assert await shop.sql(TRACES) == before


async def test_the_tables_name_every_route_of_the_slice(app: Litestar) -> None:
    own = ("/checkout", "/receipts", "/admin/orders", "/admin/reconciliations")
    ours = (*own, "/api/checkout", "/api/webhooks", "/api/health/")
    elsewhere = {"/api/health/ready", "/api/health/db", "/api/webhooks/google", "/api/webhooks/resend"}
    served = {
        (method, route.path)
        for route in app.routes
        for method in getattr(route, "methods", ())
        if route.path.startswith(ours) and route.path not in elsewhere and method in ("GET", "POST")
    }
    named = {("GET", path) for path in (*PAGES, *PROGRAMS)} | {("POST", path) for path in (*FORMS, *CALLS)}
    plain = {(m, p.partition("?")[0].replace("{order}", "{order_id:str}")) for m, p in named}
    assert served == plain | {("POST", path) for path in WEBHOOKS}


async def call(browser: Browser, path: str, body: Any) -> httpx.Response:
    """Post JSON as a script on a page does."""
    await browser.get("/privacy")
    return await browser.http.post(
        path, json=body, headers={"x-csrftoken": browser.cookie("csrftoken") or ""}
    )
