"""An admin refunds on pages: the quote is seen, posted, and holds; anything else changes nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.accounts.browser import Browser, target
from tests.payments.conftest import Visit
from tests.payments.shop import Shop
from tests.payments.test_access import TRACES

MONEY = """
    select o.status, p.refunded_amount, k.status, k.remaining_sessions, (select count(*) from refunds)
      from orders o join payments p on p.order_id = o.id join session_packs k on k.id = o.pack_id
"""


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


@pytest.fixture
async def order(shop: Shop) -> UUID:
    """An order of somebody who has no other pack."""
    return await shop.buy("new_student", await shop.product())


async def state(shop: Shop) -> Any:
    """What a refund changes."""
    return await shop.sql(TRACES), await shop.sql(MONEY)


async def test_the_quote_is_shown_asked_and_paid(shop: Shop, admin: Browser, order: UUID) -> None:
    page = await admin.get(f"/admin/orders/{order}")
    assert "<b>€120.00</b> would go back now, for 4 of 4 sessions" in page.text
    for asked in (
        await admin.get(f"/admin/orders/{order}/refunds"),
        await admin.fragment(f"/admin/orders/{order}/refunds"),
    ):
        assert 'name="quoted" value="12000"' in asked.text
        assert "Refund €120.00?" in asked.text
    answer = await admin.post(f"/admin/orders/{order}/refunds", {"quoted": "12000", "reason": " too  busy "})
    assert target(answer) == f"/admin/orders/{order}"
    assert "Refund on its way since" in (await admin.get(f"/admin/orders/{order}")).text
    await shop.work()
    page = await admin.get(f"/admin/orders/{order}")
    assert "Refunded" in page.text
    assert "Too busy" in page.text
    assert "Nothing is left to give back" in page.text
    receipt = await admin.get(f"/receipts/{order}")
    assert "-€120.00" in receipt.text
    assert "€0.00" in receipt.text


@pytest.mark.parametrize("htmx", [False, True])
async def test_a_stale_quote_shows_the_new_one(shop: Shop, admin: Browser, order: UUID, htmx: bool) -> None:
    await shop.sql(
        "insert into pack_entries (id, pack_id, kind, delta, reason, at)"
        " select gen_random_uuid(), pack_id, 'adjust', -1, 'by hand', now() from orders where id = :id",
        id=order,
    )
    before = await state(shop)
    form = {"quoted": "12000", "reason": "too busy"}
    answer = await admin.post(f"/admin/orders/{order}/refunds", form, htmx=htmx)
    assert answer.status_code == 409
    assert 'data-code="quote_changed"' in answer.text
    assert 'name="quoted" value="9000"' in answer.text
    assert 'value="too busy"' in answer.text
    assert ("<html" in answer.text) is not htmx
    assert await state(shop) == before


@pytest.mark.parametrize(
    ("quoted", "status"),
    [
        ("", 400),
        ("abc", 400),
        ("-12000", 400),
        ("120.00", 400),
        ("1e4", 400),
        (" ", 400),
        ("١٢٠٠٠", 400),
        ("9" * 13, 400),
        ("9" * 5000, 400),
        ("12000\x00", 400),
        ("0", 409),
        ("11999", 409),
        ("12001", 409),
        ("999999999999", 409),
    ],
)
async def test_an_odd_quote_changes_nothing(
    shop: Shop, admin: Browser, order: UUID, quoted: str, status: int
) -> None:
    before = await state(shop)
    answer = await admin.post(f"/admin/orders/{order}/refunds", {"quoted": quoted, "reason": "asked for"})
    assert answer.status_code == status
    assert await state(shop) == before


@pytest.mark.parametrize(("reason", "status"), [("", 422), ("  ", 422), ("a" * 301, 422), ("a\x00b", 400)])
async def test_an_odd_reason_changes_nothing(
    shop: Shop, admin: Browser, order: UUID, reason: str, status: int
) -> None:
    before = await state(shop)
    answer = await admin.post(f"/admin/orders/{order}/refunds", {"quoted": "12000", "reason": reason})
    assert answer.status_code == status
    assert ('id="reason-error"' in answer.text) is (status == 422)
    assert await state(shop) == before


async def test_the_same_click_twice_refunds_once(shop: Shop, admin: Browser, order: UUID) -> None:
    form = {"quoted": "12000", "reason": "too busy"}
    assert (await admin.post(f"/admin/orders/{order}/refunds", form)).status_code == 303
    again = await admin.post(f"/admin/orders/{order}/refunds", form)
    assert again.status_code == 409
    assert "A refund of this order is under way" in again.text
    await shop.work()
    late = await admin.post(f"/admin/orders/{order}/refunds", form)
    assert late.status_code == 422
    assert "Nothing is left to give back" in late.text
    assert await shop.sql("select amount, status from refunds") == [(12_000, "completed")]


async def test_what_was_never_paid_has_nothing_to_refund(shop: Shop, admin: Browser) -> None:
    started = await shop.start("new_student", await shop.product())
    page = await admin.get(f"/admin/orders/{started.order_id}")
    assert "To pay" in page.text
    assert f"/admin/orders/{started.order_id}/refunds" not in page.text
    asked = await admin.get(f"/admin/orders/{started.order_id}/refunds")
    assert "Nothing was paid for this order" in asked.text
    assert 'name="quoted"' not in asked.text
    before = await shop.sql(TRACES)
    form = {"quoted": "0", "reason": "nothing"}
    assert (await admin.post(f"/admin/orders/{started.order_id}/refunds", form)).status_code == 422
    assert await shop.sql(TRACES) == before


async def test_a_comparison_is_asked_for_and_its_findings_are_listed(
    shop: Shop, admin: Browser, order: UUID
) -> None:
    assert "Nothing was compared yet" in (await admin.get("/admin/orders")).text
    assert target(await admin.post("/admin/reconciliations")) == "/admin/orders"
    assert "isn’t finished yet" in (await admin.get("/admin/orders")).text
    await shop.work()
    assert "1 order, all agree" in (await admin.get("/admin/orders")).text
    payment = await shop.payment(order)
    wish = {"payment_intent": payment.provider_payment_id, "amount": 2_500}
    shop.sandbox.control.call("POST", "/stripe/refund", wish)
    await admin.post("/admin/reconciliations")
    await shop.work()
    page = (await admin.get("/admin/orders")).text
    assert "money went back, and nobody had told us" in page
    assert "Partial refund" in page
    assert f"/admin/orders/{order}" in (await admin.get("/admin/orders?status=flagged")).text
    flagged = await admin.get(f"/admin/orders/{order}")
    assert "the sessions are still there" in flagged.text
    for _ in range(2):
        assert target(await admin.post(f"/admin/orders/{order}/decision")) == f"/admin/orders/{order}"
    assert "the sessions are still there" not in (await admin.get(f"/admin/orders/{order}")).text
    assert "No order is like that" in (await admin.get("/admin/orders?status=flagged")).text


async def test_refunding_the_rest_is_a_decision_too(shop: Shop, admin: Browser, order: UUID) -> None:
    wish = {"payment_intent": (await shop.payment(order)).provider_payment_id, "amount": 2_500}
    shop.sandbox.control.call("POST", "/stripe/refund", wish)
    await shop.look(order)
    assert "Partial refund" in (await admin.get(f"/admin/orders/{order}")).text
    await admin.post(f"/admin/orders/{order}/refunds", {"quoted": "9500", "reason": "the rest of it"})
    await shop.work()
    page = await admin.get(f"/admin/orders/{order}")
    assert "Nothing is left to give back" in page.text
    assert "Partial refund" not in page.text


async def test_a_dispute_is_not_the_admins_to_decide(shop: Shop, admin: Browser, order: UUID) -> None:
    wish = {"payment_intent": (await shop.payment(order)).provider_payment_id}
    shop.sandbox.control.call("POST", "/stripe/dispute", wish)
    await shop.look(order)
    page = await admin.get(f"/admin/orders/{order}")
    assert "The pack is frozen until the provider decides" in page.text
    assert f"/admin/orders/{order}/decision" not in page.text
    before = await state(shop)
    await admin.post(f"/admin/orders/{order}/decision")
    assert "The provider decides about the dispute" in admin.flashes()[0]
    assert await state(shop) == before
