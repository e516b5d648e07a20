"""Buying: an order with a held seat in one transaction, the provider's checkout after it.

Nothing is held longer than the terms say, whatever happens to us or to the provider in between: the event that ends
the hold is written with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.errors import Forbidden, Invalid, NotFound, Unavailable
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.packs import seats
from app.packs.terms import terms
from app.payments import fulfilment, repository, rules
from app.payments.cashier import Cashier
from app.payments.gateway import (
    CheckoutState,
    CheckoutStatus,
    Discount,
    OpenedCheckout,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    Purchase,
)
from app.payments.models import Order, OrderStatus
from app.payments.sync import HOLD_ENDED

CODE_LENGTH = 60
ENOUGH_TIME = timedelta(minutes=10)
NO_CODES = "Codes can't be used right now. Leave the field empty to pay the full price."
STRIPE_ONLY = "This code can be used with Stripe only. Pay there, or leave the field empty."
TOO_LITTLE = "This code leaves less than a card can be charged. Nothing was charged."
UNKNOWN_CODE = "This code isn't valid for this pack. Nothing was charged."


@dataclass(frozen=True)
class Wish:
    """What a student wants to buy, and how to pay; `code` is a promotion code or empty."""

    student_id: UUID
    product_id: UUID
    provider: Provider
    code: str = ""


@dataclass(frozen=True)
class Started:
    """An order and where its buyer goes next; `url` is ours where nothing is left to pay."""

    order_id: UUID
    url: str


async def start(cashier: Cashier, wish: Wish) -> Started:
    """Open a checkout. A second start of the same wish leads to the same checkout, any other ends the one before.

    Raises NotFound for a pack that isn't on sale, Refused("sold_out"), Invalid for a code, Unavailable when the
    provider can't be reached: then no seat is kept and nothing can be charged.
    """
    gateway = cashier.gateway(wish.provider)
    async with cashier.database.service(ServiceDoor.CHECKOUT) as uow:
        found = await repository.product_on_sale(uow.session, wish.product_id)
        loyal = await repository.is_loyal(uow.session, wish.student_id, cashier.grandfathering)
    discount = await discount_for(cashier, found.Product, wish.code, loyal)
    if discount is not None and discount.is_counted and wish.provider is not Provider.STRIPE:
        raise Invalid({"code": STRIPE_ONLY})
    async with cashier.database.service(ServiceDoor.CHECKOUT) as uow, uow.transaction():
        order, again = await _order(uow, wish, found, discount)
        buyer = await repository.buyer(uow.session, wish.student_id)
    if again:
        return Started(order.id, order.checkout_url or "")
    if order.total_amount == 0 and (wish.provider is Provider.PAYPAL or order.original_amount == 0):
        return await _give_away(cashier, order)
    purchase = _purchase(cashier, order, found, buyer.email, discount)
    try:
        opened = await gateway.open(purchase)
    except (ProviderUnavailable, ProviderRefused) as error:
        await _fail(cashier, order.id)
        raise Unavailable(
            f"{_name(wish.provider)} can't be reached right now. No seat was kept and nothing was charged;"
            " please try again in a few minutes, or pay another way."
        ) from error
    await _opened(cashier, order.id, opened)
    return Started(order.id, opened.url)


async def walk_away(cashier: Cashier, student_id: UUID, order_id: UUID) -> None:
    """The buyer came back without paying: have the checkout ended and the seat given back. Raises NotFound."""
    async with cashier.database.service(ServiceDoor.CHECKOUT) as uow, uow.transaction():
        order = await repository.order(uow.session, order_id)
        if order.student_id != student_id:
            raise NotFound
        if order.status is OrderStatus.PENDING:
            await _end_soon(uow, order, "canceled")


async def discount_for(cashier: Cashier, product: Any, code: str, loyal: bool) -> Discount | None:
    """What is taken off the price: for who has an old price that, else what the code is worth.

    Raises Invalid for a code that takes nothing off this pack, Unavailable where it can't be looked up.
    """
    discount = await _discount(cashier, code, loyal)
    off, total = rules.price(product.price_minor, product.currency, discount)
    if discount is None or (off and rules.can_be_paid(total, product.currency)):
        return discount
    if loyal:
        return None
    raise Invalid({"code": TOO_LITTLE if off else UNKNOWN_CODE})


async def _discount(cashier: Cashier, code: str, loyal: bool) -> Discount | None:
    words = code.strip()
    try:
        if loyal and cashier.grandfathering is not None:
            if cashier.discounts is None:
                raise Unavailable("Your price can't be worked out right now. Nothing was charged.")
            return await cashier.discounts.coupon(cashier.grandfathering.coupon_id)
        if not words:
            return None
        if cashier.discounts is None:
            raise Invalid({"code": NO_CODES})
        readable = len(words) <= CODE_LENGTH and words.isprintable()
        found = await cashier.discounts.discount(words) if readable else None
    except (ProviderUnavailable, ProviderRefused) as error:
        raise Unavailable(
            "Discounts can't be looked up right now. Nothing was charged; please try again."
        ) from error
    if found is None:
        raise Invalid({"code": UNKNOWN_CODE})
    return found


async def _order(uow: UnitOfWork, wish: Wish, found: Any, discount: Discount | None) -> tuple[Order, bool]:
    """The pair's one open order and its seat; True if it is the one that was open already."""
    product = found.Product
    if product.mentor_id == wish.student_id:
        raise Forbidden
    off, total = rules.price(product.price_minor, product.currency, discount)
    await seats.lock_mentor(uow, product.mentor_id)
    before = await repository.open_order(uow.session, product.mentor_id, wish.student_id)
    if before is not None:
        if _is_same(before, wish, product, discount, total):
            return before, True
        await repository.change(uow.session, before, status=OrderStatus.CANCELED, ended_at=clock.now())
        await _end_soon(uow, before, "replaced")
    until = clock.now() + terms().hold
    await seats.hold(uow, product.mentor_id, wish.student_id, until)
    order_id = await repository.add(
        uow.session,
        Order,
        mentor_id=product.mentor_id,
        student_id=wish.student_id,
        product_id=product.id,
        provider=wish.provider,
        status=OrderStatus.PENDING,
        title=product.title,
        sessions=product.sessions_per_pack,
        validity_days=product.validity_days,
        currency=product.currency,
        original_amount=product.price_minor,
        discount_amount=off,
        tax_amount=0,
        total_amount=total,
        discount_code=discount.code if discount else None,
        created_at=clock.now(),
        hold_until=until,
    )
    await uow.emit("payment/close", {"order_id": order_id, "why": HOLD_ENDED}, at=until)
    return await repository.order(uow.session, order_id), False


def _is_same(order: Order, wish: Wish, product: Any, discount: Discount | None, total: int) -> bool:
    """True if the open order is what is wished for, and there is time enough to pay it."""
    return (
        order.checkout_url is not None
        and (order.product_id, order.provider) == (wish.product_id, wish.provider)
        and (order.original_amount, order.currency) == (product.price_minor, product.currency)
        and order.discount_code == (discount.code if discount else None)
        and order.total_amount == total
        and order.capturing_at is None
        and order.hold_until - clock.now() > ENOUGH_TIME
    )


async def _end_soon(uow: UnitOfWork, order: Order, why: str) -> None:
    await uow.emit("payment/close", {"order_id": order.id, "why": why}, key=f"payment/close:{order.id}:{why}")


def _purchase(cashier: Cashier, order: Order, found: Any, email: str, discount: Discount | None) -> Purchase:
    own_page = f"{cashier.public_url}/api/checkout"
    stripe = order.provider is Provider.STRIPE
    return Purchase(
        order_id=order.id,
        user_id=order.student_id,
        product_id=order.product_id,
        mentor_id=order.mentor_id,
        email=email,
        title=order.title,
        mentor_name=found.mentor_name,
        amount=order.original_amount,
        currency=order.currency,
        price_id=found.Product.stripe_price_id if stripe else None,
        discount=discount,
        allow_codes=stripe and discount is None,
        success_url=f"{own_page}/success?order_id={order.id}",
        cancel_url=f"{own_page}/cancel?order_id={order.id}",
    )


async def _give_away(cashier: Cashier, order: Order) -> Started:
    """Nothing is left to pay, and the provider takes no payment of nothing: the order is paid as it is."""
    state = CheckoutState(
        session_id=f"free-{order.id}",
        order_id=order.id,
        status=CheckoutStatus.PAID,
        currency=order.currency,
        subtotal=order.original_amount,
        discount=order.discount_amount,
        total=0,
        discount_code=order.discount_code,
    )
    async with cashier.database.service(ServiceDoor.CHECKOUT) as uow, uow.transaction():
        await fulfilment.apply(uow, order.id, state)
    return Started(order.id, f"{cashier.public_url}/checkout/success?order_id={order.id}")


async def _fail(cashier: Cashier, order_id: UUID) -> None:
    async with cashier.database.service(ServiceDoor.CHECKOUT) as uow, uow.transaction():
        await fulfilment.end(uow, await fulfilment.locked(uow, order_id), OrderStatus.FAILED)


async def _opened(cashier: Cashier, order_id: UUID, opened: OpenedCheckout) -> None:
    async with cashier.database.service(ServiceDoor.CHECKOUT) as uow, uow.transaction():
        order = await fulfilment.locked(uow, order_id)
        await repository.change(
            uow.session, order, provider_session_id=opened.session_id, checkout_url=opened.url
        )
        if order.status is not OrderStatus.PENDING:  # another wish of theirs was quicker
            await _end_soon(uow, order, "opened late")


def _name(provider: Provider) -> str:
    return {Provider.STRIPE: "Stripe", Provider.PAYPAL: "PayPal"}[provider]
