"""Who was a student here before: packs bought over the past year, every session held or missed, the seat given up.

It is what lists and charts of months are drawn from. Their money is known to us alone: no checkout at a provider stands
behind it, so nothing of it is compared or can be paid back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.booking import mark
from app.booking.models import SessionStatus
from app.core import clock
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.mentors import products
from app.mentors.models import Product
from app.packs import seats
from app.packs.terms import terms
from app.payments import fulfilment, repository
from app.payments.gateway import CheckoutState, CheckoutStatus, Provider
from app.payments.models import Order, OrderStatus
from app.seeds.cast import LISBON, NAIROBI, TOKYO, DemoStudent
from app.seeds.demo_booking import book_around
from app.wiring import Platform

FIRST_SESSION = timedelta(days=3)
BETWEEN = timedelta(days=7)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class DemoPack:
    """A pack that was bought `days_ago` and used up; `missed`: which of its sessions, from 1, nobody came to."""

    student: str
    mentor: str
    days_ago: int
    missed: tuple[int, ...] = ()


STUDENTS = (
    DemoStudent("aiko@example.test", "Aiko Tanaka", "Asia/Tokyo"),
    DemoStudent("daniel@example.test", "Daniel O’Connor", "Europe/Dublin"),
    DemoStudent("leila@example.test", "Leila Haddad", "Africa/Casablanca"),
    DemoStudent("marek@example.test", "Marek Nowak", "Europe/Warsaw"),
    DemoStudent("zoe@example.test", "Zoë Janssens", "Europe/Brussels"),
)
PACKS = (
    DemoPack("aiko@example.test", LISBON, 345),
    DemoPack("daniel@example.test", LISBON, 310, missed=(2,)),
    DemoPack("aiko@example.test", LISBON, 268),
    DemoPack("leila@example.test", LISBON, 236),
    DemoPack("marek@example.test", LISBON, 222, missed=(3,)),
    DemoPack("leila@example.test", LISBON, 170),
    DemoPack("zoe@example.test", LISBON, 128),
    DemoPack("marek@example.test", LISBON, 104, missed=(1,)),
    DemoPack("zoe@example.test", LISBON, 72),
    DemoPack("daniel@example.test", NAIROBI, 120),
    DemoPack("zoe@example.test", TOKYO, 150, missed=(4,)),
)


async def tell_of_former(platform: Platform, ids: Mapping[str, UUID]) -> None:
    """Make the year of PACKS, one after another, for the accounts in `ids` (by e-mail)."""
    today = clock.now()
    for pack in PACKS:
        bought = today - timedelta(days=pack.days_ago)
        mentor_id, student_id = ids[pack.mentor], ids[pack.student]
        with clock.standing_at(bought):
            async with platform.database.service(ServiceDoor.SEED) as uow, uow.transaction():
                product = (await products.of_mentor(uow, mentor_id))[0]
                await _buy(uow, product, student_id)
        ended = bought
        for number in range(1, product.sessions_per_pack + 1):
            status = SessionStatus.NO_SHOW if number in pack.missed else SessionStatus.COMPLETED
            around = bought + FIRST_SESSION + (number - 1) * BETWEEN
            ended = await _hold(platform, mentor_id, student_id, around, status) or ended
        await _leave(platform, mentor_id, student_id, ended)


async def _buy(uow: UnitOfWork, product: Product, student_id: UUID) -> None:
    """An order of the product, paid at once."""
    now = clock.now()
    hold_until = now + terms().hold
    await seats.hold(uow, product.mentor_id, student_id, hold_until)
    order_id = await repository.add(
        uow.session,
        Order,
        mentor_id=product.mentor_id,
        student_id=student_id,
        product_id=product.id,
        provider=Provider.STRIPE,
        status=OrderStatus.PENDING,
        title=product.title,
        sessions=product.sessions_per_pack,
        validity_days=product.validity_days,
        currency=product.currency,
        original_amount=product.price_minor,
        total_amount=product.price_minor,
        created_at=now,
        hold_until=hold_until,
    )
    paid = CheckoutState(
        session_id=f"demo-{order_id}",
        order_id=order_id,
        status=CheckoutStatus.PAID,
        currency=product.currency,
        subtotal=product.price_minor,
        total=product.price_minor,
    )
    await fulfilment.apply(uow, order_id, paid)


async def _hold(
    platform: Platform, mentor_id: UUID, student_id: UUID, around: datetime, status: SessionStatus
) -> datetime | None:
    """A session held, or missed, at the first time that was free then; its end."""
    with clock.standing_at(around - timedelta(days=2)):
        session = await book_around(platform, mentor_id, student_id, around)
    if session is None:
        return None
    with clock.standing_at(session[1]):
        async with platform.database.unit_of_work(Principal(mentor_id, Role.MENTOR)) as uow:
            await mark.mark(uow, session[0], status)
    return session[1]


async def _leave(platform: Platform, mentor_id: UUID, student_id: UUID, ended: datetime) -> None:
    """The time to renew went by."""
    with clock.standing_at(ended + terms().grace + MINUTE):
        async with platform.database.service(ServiceDoor.SEED) as uow, uow.transaction():
            seat = (await seats.lock_pair(uow, mentor_id, student_id)).seat
            if seat is not None:
                await seats.expire(uow, seat.id)
