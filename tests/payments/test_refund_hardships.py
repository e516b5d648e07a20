"""Refunds that fail, that were paid out after all, and that meet a dispute on their way."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.core.errors import Refused
from app.core.rls import ServiceDoor
from app.packs.models import PackStatus
from app.payments import fulfilment, settlement
from app.payments.gateway import Provider
from app.payments.models import OrderFlag, OrderStatus, PaymentStatus, RefundStatus
from tests.payments.shop import PROVIDERS, Shop

both = pytest.mark.parametrize("provider", PROVIDERS)


@both
async def test_a_refund_is_no_failure_because_our_key_is_refused(shop: Shop, provider: Provider) -> None:
    """An attempt before may have paid it out, its answer lost: with the key in order again it is looked up."""
    order_id = await shop.buy("new_student", await shop.product(), provider)
    await shop.work()
    shop.sandbox.control.chaos(provider, error_rate=1, status=401)
    refund_id = await shop.refund(order_id)
    await shop.work()
    assert (await shop.refund_row(refund_id)).status is RefundStatus.REQUESTED
    shop.sandbox.control.chaos()
    shop.advance("PT10M")
    await shop.work()
    assert (await shop.refund_row(refund_id)).status is RefundStatus.COMPLETED


@pytest.mark.parametrize(("dispute", "flag"), [(None, None), ("open", OrderFlag.DISPUTED)])
@both
async def test_a_refund_that_was_paid_out_after_all_takes_the_pack_again(
    shop: Shop, provider: Provider, dispute: str | None, flag: OrderFlag | None
) -> None:
    """We took it for failed, the provider knows better: asking is enough, and nobody refunds it twice."""
    order_id = await shop.buy("new_student", await shop.product(), provider)
    refund_id = await shop.refund(order_id)
    await shop.work()
    await shop.sql("update refunds set status = 'failed'")
    await shop.sql(
        "update payments set refunded_amount = 0, status = 'completed', dispute = :dispute", dispute=dispute
    )
    await shop.sql("update orders set status = 'paid', flag = 'refund_failed'")
    await shop.sql(
        "insert into pack_entries (id, pack_id, kind, delta, reason, at)"
        " select gen_random_uuid(), pack_id, 'reversal', 4, '', now() from orders"
    )
    await shop.sql("update session_packs set status = 'active' where product_id is not null")
    for _ in range(2):
        await shop.look(order_id)
    refund, payment, pack = (
        await shop.refund_row(refund_id),
        await shop.payment(order_id),
        await shop.pack(order_id),
    )
    assert (refund.status, refund.amount, refund.sessions) == (RefundStatus.COMPLETED, 12_000, 4)
    assert (payment.status, payment.refunded_amount) == (PaymentStatus.REFUNDED, 12_000)
    assert (pack.status, pack.remaining_sessions) == (PackStatus.REFUNDED, 0)
    order = await shop.order(order_id)
    assert (order.status, order.flag) == (OrderStatus.REFUNDED, flag)


async def disputed(shop: Shop, order_id: UUID) -> str:
    payment = await shop.payment(order_id)
    wish = {"payment_intent": payment.provider_payment_id}
    dispute_id: str = shop.sandbox.control.call("POST", "/stripe/dispute", wish)["id"]
    return dispute_id


@pytest.mark.parametrize("won", [True, False])
async def test_sessions_that_come_back_during_a_dispute_are_frozen(shop: Shop, won: bool) -> None:
    """The dispute came between the admin's click and the refund's payout, which Stripe refuses then."""
    order_id = await shop.buy("new_student", await shop.product())
    await shop.refund(order_id)
    dispute_id = await disputed(shop, order_id)
    await shop.look(order_id)
    await shop.work()
    pack = await shop.pack(order_id)
    assert (pack.status, pack.remaining_sessions, pack.frozen) == (PackStatus.ACTIVE, 4, True)
    shop.sandbox.control.call("POST", "/stripe/dispute/close", {"dispute": dispute_id, "won": won})
    await shop.look(order_id)
    pack = await shop.pack(order_id)
    assert (pack.status, pack.frozen) == (PackStatus.ACTIVE if won else PackStatus.REFUNDED, False)


async def test_a_refund_that_fails_after_the_dispute_was_lost_gives_nothing_back(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    await shop.sql(
        "insert into pack_entries (id, pack_id, kind, delta, reason, at)"
        " select gen_random_uuid(), pack_id, 'complete', -1, '', now() from orders"
    )
    refund_id = await shop.refund(order_id)
    dispute_id = await disputed(shop, order_id)
    shop.sandbox.control.call("POST", "/stripe/dispute/close", {"dispute": dispute_id, "won": False})
    await shop.look(order_id)
    await shop.work()
    assert (await shop.refund_row(refund_id)).status is RefundStatus.FAILED
    pack, payment = await shop.pack(order_id), await shop.payment(order_id)
    assert (pack.status, pack.remaining_sessions) == (PackStatus.REFUNDED, 0)
    assert payment.refunded_amount == 12_000


async def test_a_part_that_fails_gives_no_seat_back(shop: Shop) -> None:
    """The pack went with another refund, which stays."""
    order_id = await shop.buy("new_student", await shop.product())
    payment = await shop.payment(order_id)
    wish = {"payment_intent": payment.provider_payment_id, "amount": 5_000}
    part = shop.sandbox.control.call("POST", "/stripe/refund", wish)["id"]
    await shop.look(order_id)
    await shop.refund(order_id, quoted=7_000)
    await shop.work()
    assert await shop.seat("new_student") is None
    shop.sandbox.control.call("POST", "/stripe/refund/fail", {"refund": part})
    await shop.look(order_id)
    pack, order = await shop.pack(order_id), await shop.order(order_id)
    assert (pack.status, pack.remaining_sessions) == (PackStatus.REFUNDED, 0)
    assert (order.status, order.flag) == (OrderStatus.PARTIALLY_REFUNDED, OrderFlag.REFUND_FAILED)
    assert await shop.seat("new_student") is None


async def test_each_refund_that_fails_is_told(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    for _ in range(2):
        refund_id = await shop.refund(order_id)
        await shop.work()
        refund = await shop.refund_row(refund_id)
        shop.sandbox.control.call("POST", "/stripe/refund/fail", {"refund": refund.provider_refund_id})
        for _ in range(2):
            await shop.look(order_id)
        await shop.work()
    mails = [mail["subject"] for mail in shop.sandbox.control.mailbox("admin@example.test")]
    assert mails == ["An order of New Student needs a decision"] * 2


async def test_a_refund_counts_from_the_click(shop: Shop) -> None:
    """Nothing else can claim the same money while it is on its way."""
    order_id = await shop.buy("new_student", await shop.product())
    await shop.refund(order_id)
    payment, order = await shop.payment(order_id), await shop.order(order_id)
    assert (payment.refunded_amount, order.status) == (12_000, OrderStatus.REFUNDED)


@pytest.mark.parametrize("first", ["provider", "admin"])
async def test_a_dispute_takes_no_decision_from_the_admins(shop: Shop, first: str) -> None:
    """Part of it went back in the dashboard: what becomes of the sessions is theirs to say, whoever decides first."""
    order_id = await shop.buy("new_student", await shop.product())
    payment = await shop.payment(order_id)
    wish = {"payment_intent": payment.provider_payment_id, "amount": 5_000}
    shop.sandbox.control.call("POST", "/stripe/refund", wish)
    await shop.look(order_id)
    dispute_id = await disputed(shop, order_id)
    await shop.look(order_id)
    told = await shop.sql(
        "select payload ->> 'flag' from outbox where payload ->> 'kind' = 'order_flagged' order by created_at, id"
    )
    assert [flag for (flag,) in told] == ["partial_refund", "disputed"]
    assert (await shop.order(order_id)).flag is OrderFlag.PARTIAL_REFUND
    if first == "provider":
        await decided(shop, order_id, dispute_id)
        assert (await shop.order(order_id)).flag is OrderFlag.PARTIAL_REFUND
        await admin_decides(shop, order_id)
    else:
        await admin_decides(shop, order_id)
        assert (await shop.order(order_id)).flag is OrderFlag.DISPUTED
        with pytest.raises(Refused, match="The provider decides"):
            await admin_decides(shop, order_id)
        await decided(shop, order_id, dispute_id)
    assert (await shop.order(order_id)).flag is None


async def decided(shop: Shop, order_id: UUID, dispute_id: str) -> None:
    """The provider decides for us."""
    shop.sandbox.control.call("POST", "/stripe/dispute/close", {"dispute": dispute_id, "won": True})
    await shop.look(order_id)


async def admin_decides(shop: Shop, order_id: UUID) -> None:
    async with shop.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await settlement.decide(uow, await fulfilment.locked(uow, order_id))
