"""What a checkout would come to, before anything is kept or asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import Invalid, Unavailable
from app.core.rls import ServiceDoor
from app.packs import repository as seats
from app.packs.models import SeatStatus
from app.payments import repository, rules, sales
from app.payments.cashier import Cashier
from app.payments.checkout import discount_for
from app.payments.gateway import Discount


@dataclass(frozen=True)
class Preview:
    """A pack on sale as its buyer would get it.

    `off` and `total` in minor units; `problem` says what is wrong with the code. `seat` is the one they have, None
    where a new one is needed; `open`: one may be had; `offered_until`: it is kept for them alone. `left`: sessions with
    this mentor that they could still book.
    """

    product: Any
    mentor_name: str
    slug: str
    session_minutes: int
    discount: Discount | None
    loyal: bool
    off: int
    total: int
    problem: str | None
    seat: SeatStatus | None
    open: bool
    offered_until: datetime | None
    left: int


async def preview(cashier: Cashier, student_id: UUID, product_id: UUID, code: str) -> Preview:
    """Price and seat for a student as they are now. Raises NotFound for a pack that isn't on sale."""
    async with cashier.database.service(ServiceDoor.CHECKOUT) as uow:
        found = await repository.product_on_sale(uow.session, product_id)
        product = found.Product
        loyal = await repository.is_loyal(uow.session, student_id, cashier.grandfathering)
        seat = await seats.seat_of(uow.session, product.mentor_id, student_id)
        free = await seats.seats_open_to(uow.session, product.mentor_id, student_id) or 0
        left = await sales.sessions_left(uow.session, product.mentor_id, student_id)
    discount, problem = None, None
    try:
        discount = await discount_for(cashier, product, code, loyal)
    except Invalid as error:
        problem = error.fields["code"]
    except Unavailable as error:
        problem = error.detail
    off, total = rules.price(product.price_minor, product.currency, discount)
    return Preview(
        product=product,
        mentor_name=found.mentor_name,
        slug=found.slug,
        session_minutes=found.session_minutes,
        discount=discount,
        loyal=loyal,
        off=off,
        total=total,
        problem=problem,
        seat=seat.status if seat else None,
        open=seat is not None or free > 0,
        offered_until=seat.seat_expires_at if seat and seat.status is SeatStatus.OFFERED else None,
        left=left,
    )
