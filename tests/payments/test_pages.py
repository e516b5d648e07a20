"""The pages of buying and of orders: what they say in each state, and what odd input does to them (nothing)."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlencode

import pytest
from litestar import Litestar

from app.asgi import create_app
from app.core.middleware import CONTENT_SECURITY_POLICY
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.payments.conftest import Visit
from tests.payments.shop import Shop
from tests.payments.test_access import TRACES, call
from tests.support.queries import counted
from tests.support.sandbox import RunningSandbox
from tests.support.visits import visiting

NOBODY = "01999999-0000-7000-8000-000000000000"
ODD_IDS = ("", "abc", "1", "../../etc", "0" * 150, "\x00", "01999999-0000-7000-8000-00000000000g", "١" * 36)


@pytest.fixture
async def student(visit: Visit) -> Browser:
    return await visit("student")


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


@pytest.mark.parametrize("odd", ODD_IDS)
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/checkout", "product_id"),
        ("/checkout/success", "order_id"),
        ("/checkout/cancel", "order_id"),
        ("/api/checkout/verify", "order_id"),
    ],
)
async def test_an_odd_id_in_a_query_is_400(student: Browser, path: str, name: str, odd: str) -> None:
    answer = await student.get(f"{path}?{urlencode({name: odd})}")
    assert answer.status_code == 400
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("odd", [odd for odd in ODD_IDS if odd not in ("", "../../etc")] + [NOBODY])
@pytest.mark.parametrize("path", ["/receipts/{}", "/admin/orders/{}", "/admin/orders/{}/refunds"])
async def test_an_odd_or_unknown_id_in_a_path_is_404(admin: Browser, path: str, odd: str) -> None:
    assert (await admin.get(path.format(odd.replace("\x00", "%00")))).status_code == 404


@pytest.mark.parametrize(
    "path", ["/checkout?product_id=", "/checkout/success?order_id=", "/checkout/cancel?order_id="]
)
async def test_an_unknown_id_in_a_query_is_404(student: Browser, path: str) -> None:
    assert (await student.get(path + NOBODY)).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"provider": ""}, 400),
        ({"provider": "cash"}, 400),
        ({"provider": "STRIPE"}, 400),
        ({"provider": "stripe\x00"}, 400),
        ({"product_id": ""}, 400),
        ({"product_id": "abc"}, 400),
        ({"product_id": NOBODY}, 404),
        ({"code": "NOPE"}, 422),
        ({"code": "A" * 61}, 422),
        ({"code": "A" * 100_000}, 422),
        ({"code": "WELCOME\x0010"}, 422),
        ({"code": "'; drop table orders; --"}, 422),
        ({"code": "<script>alert(1)</script>"}, 422),
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
async def test_odd_wishes_change_nothing(
    shop: Shop, student: Browser, change: dict[str, str], status: int, htmx: bool
) -> None:
    wish = {"product_id": str(await shop.product()), "provider": "stripe", "code": ""}
    before = await shop.sql(TRACES)
    answer = await student.post("/checkout", wish | change, htmx=htmx)
    assert answer.status_code == status
    assert await shop.sql(TRACES) == before
    assert "<script>alert" not in answer.text
    if status == 422:
        assert 'id="code-error"' in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert ("<html" in answer.text) is not htmx


async def test_a_body_that_is_no_form_is_400(shop: Shop, student: Browser) -> None:
    await student.get("/privacy")
    token = {"x-csrftoken": student.cookie("csrftoken") or ""}
    before = await shop.sql(TRACES)
    product_id = str(await shop.product())
    files = {"product_id": ("a.txt", b"x"), "provider": (None, b"stripe")}
    for body in (
        {"json": {"product_id": product_id, "provider": "stripe"}},
        {"content": b"\xff\xfe"},
        {"files": files},
    ):
        answer = await student.http.post("/checkout", headers=token, **body)
        assert answer.status_code == 400
    assert await shop.sql(TRACES) == before


async def test_a_code_is_shown_with_its_price_and_leaves_no_token_in_the_address(
    shop: Shop, student: Browser
) -> None:
    product_id = str(await shop.product(48_000))
    where = target(await student.post("/checkout/code", {"product_id": product_id, "code": " welcome10 "}))
    assert where == f"/checkout?product_id={product_id}&code=welcome10"
    page = (await student.get(where)).text
    assert "Code WELCOME10" in page
    assert "Pay €432.00 by card" in page
    part = await student.post("/checkout/code", {"product_id": product_id, "code": "WELCOME10"}, htmx=True)
    assert part.headers["hx-replace-url"] == f"/checkout?product_id={product_id}&code=WELCOME10"
    assert "Pay €432.00 by card" in part.text
    assert "<html" not in part.text
    wrong = await student.post("/checkout/code", {"product_id": product_id, "code": "NOPE"}, htmx=True)
    assert wrong.status_code == 422
    assert "Pay €480.00 by card" in wrong.text


async def test_a_sold_out_mentor_offers_the_waitlist(shop: Shop, visit: Visit) -> None:
    product_id = str(await shop.product())
    await shop.seats(1)
    newcomer = await visit("new_student")
    page = await newcomer.get(f"/checkout?product_id={product_id}")
    assert 'data-code="sold_out"' in page.text
    assert 'action="/waitlist"' in page.text
    assert 'name="provider"' not in page.text
    answer = await newcomer.post("/checkout", {"product_id": product_id, "provider": "stripe"})
    assert answer.status_code == 409
    assert 'data-code="sold_out"' in answer.text
    keeper = await (await visit("student")).get(f"/checkout?product_id={product_id}")
    assert "You keep the seat you have" in keeper.text
    assert "You still have 4 sessions to book" in keeper.text


async def test_a_provider_that_is_down_is_said_and_keeps_no_seat(
    shop: Shop, sandbox: RunningSandbox, visit: Visit
) -> None:
    product_id = str(await shop.product())
    newcomer = await visit("new_student")
    sandbox.control.chaos("paypal", error_rate=1.0, status=503)
    answer = await newcomer.post("/checkout", {"product_id": product_id, "provider": "paypal"})
    assert answer.status_code == 503
    assert "PayPal can&#39;t be reached right now" in answer.text
    assert "Pay €120.00 by card" in answer.text
    assert await shop.seat("new_student") is None


async def test_coming_back_says_what_happened(shop: Shop, sandbox: RunningSandbox, visit: Visit) -> None:
    product_id = await shop.product()
    browser = await visit("new_student")
    started = await shop.start("new_student", product_id)
    where = f"/checkout/success?order_id={started.order_id}"
    waiting = await browser.get(where)
    assert "Waiting for Stripe" in waiting.text
    assert 'hx-trigger="every 2s"' in waiting.text
    assert (await browser.fragment(where)).status_code == 204
    sandbox.control.chaos("stripe", error_rate=1.0, status=503)
    assert "can’t be reached right now" in (await browser.get(where)).text
    sandbox.control.chaos()
    await shop.settle(started.order_id)
    part = await browser.fragment(where)
    assert part.status_code == 200
    assert "Your pack is ready" in part.text
    assert "hx-trigger" not in part.text
    again = await browser.get(f"/checkout/cancel?order_id={started.order_id}")
    assert "A payment has arrived" in again.text


async def test_a_page_that_waits_stops_asking_by_itself(shop: Shop, visit: Visit) -> None:
    started = await shop.start("new_student", await shop.product())
    await shop.sql("update orders set created_at = created_at - interval '11 minutes'")
    browser = await visit("new_student")
    answer = await browser.fragment(f"/checkout/success?order_id={started.order_id}")
    assert answer.status_code == 200
    assert "Waiting for Stripe" in answer.text
    assert "hx-trigger" not in answer.text


async def test_only_the_checkout_may_send_forms_to_providers(
    shop: Shop, student: Browser, sandbox: RunningSandbox
) -> None:
    product_id = await shop.product()
    order_id = await shop.buy("student", product_id)
    page = await student.get(f"/checkout?product_id={product_id}")
    refused = await student.post(
        "/checkout", {"product_id": str(product_id), "provider": "stripe", "code": "NO"}
    )
    for answer in (page, refused):
        directives = dict(
            part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
        )
        assert directives["form-action"].split() == ["'self'", sandbox.url]
        assert directives["script-src"] == "'self'"
    answer = await student.post("/checkout", {"product_id": str(product_id), "provider": "stripe"})
    assert answer.headers["location"].startswith(f"{sandbox.url}/")
    for path in (f"/checkout/success?order_id={order_id}", f"/receipts/{order_id}", "/sessions", "/waitlist"):
        assert (await student.get(path)).headers["content-security-policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.usefixtures("within_a_minute")
async def test_three_checkouts_a_minute(shop: Shop, web_settings: Settings, visit: Visit) -> None:
    product_id = str(await shop.product())
    settings = dataclasses.replace(web_settings, limits_scale=1.0)
    app: Litestar = create_app(settings)
    async with visiting(app, shop.database, settings, shop.cast, "new_student") as browser:
        form = {"product_id": product_id, "provider": "stripe"}
        assert (await call(browser, "/api/checkout/paypal", {"product_id": product_id})).status_code == 201
        for _ in range(2):
            assert (await browser.post("/checkout", form)).status_code == 303
        for answer in (
            await browser.post("/checkout", form),
            await call(browser, "/api/checkout/stripe", {"product_id": product_id}),
        ):
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert (await browser.get(f"/checkout?product_id={product_id}")).status_code == 200
    await app.state.platform.close()


async def test_orders_ask_the_database_the_same_however_many_there_are(shop: Shop, admin: Browser) -> None:
    product_id = await shop.product()
    order_id = await shop.buy("student", product_id)
    pages = ("/admin/orders", "/admin/orders?q=student", f"/admin/orders/{order_id}", f"/receipts/{order_id}")
    await admin.get("/admin/products")  # a new connection has questions of its own
    before = [await _questions(admin, path) for path in pages]
    await shop.sql(
        "insert into orders (id, mentor_id, student_id, product_id, provider, status, title, sessions, validity_days,"
        " currency, original_amount, discount_amount, tax_amount, total_amount, created_at, hold_until)"
        " select gen_random_uuid(), mentor_id, student_id, product_id, provider, 'canceled', title, sessions,"
        " validity_days, currency, original_amount, 0, 0, total_amount, created_at - n * interval '1 hour', hold_until"
        " from orders, generate_series(1, 120) n"
    )
    assert [await _questions(admin, path) for path in pages] == before
    assert max(before) <= 8
    page = await admin.get("/admin/orders?page=2")
    assert "51–100 of 121" in page.text
    assert page.text.count("<tr>") == 51


@pytest.mark.parametrize(
    "query",
    [f"q={'a' * 101}", f"status={'a' * 41}", f"page={'9' * 101}"],
)
async def test_an_odd_list_is_400(admin: Browser, query: str) -> None:
    assert (await admin.get(f"/admin/orders?{query}")).status_code == 400


@pytest.mark.parametrize("number", ["0", "-1", "abc", "40", "99999999999999999999", "%F0%9F%98%80"])
async def test_a_page_that_is_not_there_is_the_first(shop: Shop, admin: Browser, number: str) -> None:
    order_id = await shop.buy("student", await shop.product())
    for where in ("/admin/orders", "/instructors"):
        page = await admin.get(f"{where}?page={number}")
        assert page.status_code == 200
        assert "There is no such page, so this is the first page." in page.text
    assert f"/admin/orders/{order_id}" in (await admin.get(f"/admin/orders?page={number}")).text


@pytest.mark.parametrize(
    ("query", "shown"),
    [("q=%25", False), ("q=stu_ent", False), ("status=odd", True), ("q=STUDENT", True)],
)
async def test_a_list_is_searched_literally(shop: Shop, admin: Browser, query: str, shown: bool) -> None:
    order_id = await shop.buy("student", await shop.product())
    page = await admin.get(f"/admin/orders?{query}")
    assert page.status_code == 200
    assert (f"/admin/orders/{order_id}" in page.text) is shown
    assert ("No order is like that" in page.text) is not shown


async def test_a_search_for_a_nul_is_400(admin: Browser) -> None:
    assert (await admin.get("/admin/orders?q=%00")).status_code == 400


async def _questions(browser: Browser, path: str) -> int:
    with counted() as statements:
        assert (await browser.get(path)).status_code == 200
    return len(statements)
