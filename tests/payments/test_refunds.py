"""Money that goes back: by an admin, from the provider's dashboard, by dispute; sessions and seat follow."""

from __future__ import annotations

from typing import Any

import pytest

from app.booking.models import SessionStatus
from app.core import clock
from app.core.errors import Invalid, Refused
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.packs.models import PackStatus, SeatStatus
from app.payments import refunds
from app.payments.gateway import DisputeStatus, Provider
from app.payments.models import OrderFlag, OrderStatus, PaymentStatus, RefundOrigin, RefundStatus
from tests.payments.shop import PROVIDERS, Shop

both = pytest.mark.parametrize("provider", PROVIDERS)


async def use(shop: Shop, order_id: Any, sessions: int) -> None:
    """Let so many sessions of the order's pack be used up."""
    pack = await shop.pack(order_id)
    for _ in range(sessions):
        await shop.sql(
            "insert into pack_entries (id, pack_id, kind, delta, reason, at)"
            " values (gen_random_uuid(), :pack, 'complete', -1, '', now())",
            pack=pack.id,
        )


async def rows_of(shop: Shop, order_id: Any) -> list[Any]:
    return list(
        await shop.sql(
            "select amount, sessions, status, origin from refunds where order_id = :id order by requested_at",
            id=order_id,
        )
    )


def at_provider(shop: Shop, provider: Provider) -> list[int]:
    """Amounts that the provider gave back, in minor units."""
    items = shop.sandbox.control.call("GET", f"/{provider}/refunds")["items"]
    if provider is Provider.STRIPE:
        return [item["amount"] for item in items]
    return [round(float(item["amount"]["value"]) * 100) for item in items]


@both
@pytest.mark.parametrize("used", [0, 1, 3])
async def test_the_refund_is_the_quote(shop: Shop, provider: Provider, used: int) -> None:
    order_id = await shop.buy("new_student", await shop.product(price=9_999), provider)
    await use(shop, order_id, used)
    await shop.refund(order_id)
    expected = 9_999 * (4 - used) // 4
    assert await rows_of(shop, order_id) == [(expected, 4 - used, "requested", "admin")]
    await shop.work()
    assert await rows_of(shop, order_id) == [(expected, 4 - used, "completed", "admin")]
    assert at_provider(shop, provider) == [expected]
    pack, payment = await shop.pack(order_id), await shop.payment(order_id)
    assert (pack.remaining_sessions, pack.status) == (0, PackStatus.REFUNDED)
    assert payment.refunded_amount == expected
    whole = OrderStatus.REFUNDED if used == 0 else OrderStatus.PARTIALLY_REFUNDED
    assert (await shop.order(order_id)).status is whole
    assert await shop.seat("new_student") is None
    for address in ("new-student@example.test", "mentor@example.test"):
        subjects = [mail["subject"] for mail in shop.sandbox.control.mailbox(address)]
        assert sum("refund" in subject for subject in subjects) == 1


@both
async def test_looking_and_working_again_refunds_once(shop: Shop, provider: Provider) -> None:
    order_id = await shop.buy("new_student", await shop.product(), provider)
    refund_id = await shop.refund(order_id)
    for _ in range(3):
        await shop.work()
        await shop.look(order_id)
        await refunds.pay(shop.cashier, refund_id)
        await shop.deliver(shop.letterbox.take())
    assert at_provider(shop, provider) == [12_000]
    assert len(await rows_of(shop, order_id)) == 1
    with pytest.raises(Refused) as refused:
        await shop.refund(order_id)
    assert refused.value.code == "nothing_left"


@both
async def test_an_answer_that_got_lost_is_looked_up(shop: Shop, provider: Provider) -> None:
    order_id = await shop.buy("new_student", await shop.product(), provider)
    match = "POST /v1/refunds" if provider is Provider.STRIPE else "/refund"
    shop.sandbox.control.chaos(provider, error_rate=1, status=500, after=True, match=match)
    await shop.refund(order_id)
    await shop.work()
    vendor = "stripe" if provider is Provider.STRIPE else "paypal"
    shop.sandbox.control.chaos()
    shop.sandbox.control.call("POST", f"/{vendor}/keys/expire")
    shop.advance("PT2M")
    await shop.work()
    assert at_provider(shop, provider) == [12_000]
    assert [row.status for row in await rows_of(shop, order_id)] == ["completed"]


async def test_a_stale_quote_changes_nothing(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    await use(shop, order_id, 1)
    with pytest.raises(Refused) as refused:
        await shop.refund(order_id, quoted=12_000)
    assert refused.value.code == "quote_changed"
    assert await rows_of(shop, order_id) == []
    assert (await shop.pack(order_id)).remaining_sessions == 3


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
async def test_a_reason_is_needed(shop: Shop, reason: str) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    admin = Principal(shop.cast["admin"], Role.ADMIN)
    async with shop.database.unit_of_work(admin) as uow:
        with pytest.raises(Invalid) as invalid:
            await refunds.request(uow, order_id, quoted=12_000, reason=reason)
    assert list(invalid.value.fields) == ["reason"]


async def test_booked_sessions_are_canceled(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    pack = await shop.pack(order_id)
    await shop.sql(
        "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at,"
        " version, notes, recording_consent, event_sync, event_generation)"
        " values (gen_random_uuid(), :m, :s, :p, 'scheduled', :at, :at + interval '1 hour',"
        " tstzrange(:at, :at + interval '1 hour'), :at, 0, '', false, 'none', 0)",
        m=pack.mentor_id,
        s=pack.student_id,
        p=pack.id,
        at=clock.now(),
    )
    await shop.refund(order_id)
    await shop.work()
    assert await shop.sql("select status from sessions") == [(SessionStatus.CANCELED,)]
    assert (await shop.pack(order_id)).scheduled_sessions == 0


@both
async def test_a_full_refund_in_the_dashboard_voids_the_pack(shop: Shop, provider: Provider) -> None:
    order_id = await shop.buy("new_student", await shop.product(), provider)
    payment = await shop.payment(order_id)
    wish = (
        {"payment_intent": payment.provider_payment_id}
        if provider is Provider.STRIPE
        else {"capture_id": payment.provider_payment_id}
    )
    shop.sandbox.control.call("POST", f"/{provider}/refund", wish)
    await shop.until_told("charge.refunded" if provider is Provider.STRIPE else "PAYMENT.CAPTURE.REFUNDED")
    await shop.deliver(shop.letterbox.take())
    await shop.work()
    assert await rows_of(shop, order_id) == [(12_000, 4, "completed", "provider")]
    assert (await shop.pack(order_id)).status is PackStatus.REFUNDED
    assert (await shop.order(order_id)).status is OrderStatus.REFUNDED
    assert await shop.seat("new_student") is None
    await shop.look(order_id)
    assert len(await rows_of(shop, order_id)) == 1


@both
async def test_a_part_refunded_in_the_dashboard_is_for_an_admin(shop: Shop, provider: Provider) -> None:
    order_id = await shop.buy("new_student", await shop.product(), provider)
    payment = await shop.payment(order_id)
    wish: dict[str, Any] = {"payment_intent": payment.provider_payment_id, "amount": 5_000}
    if provider is Provider.PAYPAL:
        wish = {"capture_id": payment.provider_payment_id, "amount": "50.00"}
    shop.sandbox.control.call("POST", f"/{provider}/refund", wish)
    await shop.look(order_id)
    order = await shop.order(order_id)
    assert (order.status, order.flag) == (OrderStatus.PARTIALLY_REFUNDED, OrderFlag.PARTIAL_REFUND)
    assert (await shop.pack(order_id)).remaining_sessions == 4
    await shop.refund(order_id, quoted=7_000)
    await shop.work()
    assert sorted(at_provider(shop, provider)) == [5_000, 7_000]
    assert (await shop.order(order_id)).status is OrderStatus.REFUNDED


async def test_a_refund_that_fails_gives_the_sessions_back(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    refund_id = await shop.refund(order_id)
    await shop.work()
    refund = await shop.refund_row(refund_id)
    shop.sandbox.control.call("POST", "/stripe/refund/fail", {"refund": refund.provider_refund_id})
    await shop.look(order_id)
    order, pack = await shop.order(order_id), await shop.pack(order_id)
    assert (await shop.refund_row(refund_id)).status is RefundStatus.FAILED
    assert (order.status, order.flag) == (OrderStatus.PAID, OrderFlag.REFUND_FAILED)
    assert (pack.status, pack.remaining_sessions) == (PackStatus.ACTIVE, 4)
    assert await shop.seat("new_student") is SeatStatus.ACTIVE
    assert (await shop.payment(order_id)).refunded_amount == 0


@both
@pytest.mark.parametrize("won", [True, False])
async def test_a_dispute_freezes_until_it_is_decided(shop: Shop, provider: Provider, won: bool) -> None:
    order_id = await shop.buy("new_student", await shop.product(), provider)
    payment = await shop.payment(order_id)
    name = "payment_intent" if provider is Provider.STRIPE else "capture_id"
    told = shop.sandbox.control.call("POST", f"/{provider}/dispute", {name: payment.provider_payment_id})
    dispute_id = told.get("id") or told.get("dispute_id")
    opened, closed = (
        ("charge.dispute.created", "charge.dispute.closed")
        if provider is Provider.STRIPE
        else ("CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED")
    )
    await shop.until_told(opened)
    letters = shop.letterbox.take()
    await shop.deliver(letters)
    await shop.work()
    assert (await shop.pack(order_id)).frozen
    assert (await shop.order(order_id)).flag is OrderFlag.DISPUTED
    with pytest.raises(Refused) as refused:
        await shop.refund(order_id)
    assert refused.value.code == "disputed"
    close = {"dispute" if provider is Provider.STRIPE else "dispute_id": dispute_id, "won": won}
    shop.sandbox.control.call("POST", f"/{provider}/dispute/close", close)
    await shop.until_told(closed)
    await shop.deliver(shop.letterbox.take())
    await shop.work()
    pack, payment = await shop.pack(order_id), await shop.payment(order_id)
    assert payment.dispute is (DisputeStatus.WON if won else DisputeStatus.LOST)
    assert (pack.frozen, pack.status) == (False, PackStatus.ACTIVE if won else PackStatus.REFUNDED)
    assert (payment.status, payment.refunded_amount) == (
        (PaymentStatus.COMPLETED, 0) if won else (PaymentStatus.REFUNDED, 12_000)
    )
    assert (await shop.order(order_id)).flag is None
    if not won:
        assert [row.origin for row in await rows_of(shop, order_id)] == [RefundOrigin.DISPUTE]


async def test_nothing_paid_nothing_to_refund(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product())
    with pytest.raises(Refused) as refused:
        await shop.refund(started.order_id)
    assert (refused.value.code, refused.value.status) == ("not_paid", 422)


async def test_only_an_admin_can_write_a_refund(shop: Shop) -> None:
    order_id = await shop.buy("student", await shop.product())
    for who in ("student", "mentor"):
        async with shop.database.unit_of_work(shop.cast.principal(who)) as uow:
            with pytest.raises(Exception, match=r"permission denied|row-level security|not_found"):
                await refunds.request(uow, order_id, quoted=12_000, reason="mine")
    async with shop.database.service(ServiceDoor.JOB):
        assert await rows_of(shop, order_id) == []
