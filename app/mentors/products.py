"""Packs on sale: a mentor's products, made, changed and taken from sale by the mentor, or by an admin.

Orders copy what they need and packs keep what was sold, so that nothing here changes what anybody has bought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.core import audit, clock
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.unit_of_work import UnitOfWork
from app.mentors import repository
from app.mentors.models import Product
from app.mentors.product_rules import Offer

PUBLISHED: Final = {"title", "price_minor", "currency"}
"""What the payment providers know of a product."""


async def of_mentor(uow: UnitOfWork, mentor_id: UUID) -> Sequence[Product]:
    """The mentor's products, those on sale first, the oldest first; others see only those on sale."""
    query = (
        sa.select(Product)
        .where(Product.mentor_id == mentor_id)
        .order_by(Product.active.desc(), Product.created_at, Product.id)
    )
    return (await uow.session.execute(query)).scalars().all()


async def create(uow: UnitOfWork, mentor_id: UUID, offer: Offer) -> UUID:
    """Put a product on sale; its id. Raises NotFound for an unknown mentor."""
    if await repository.by_id(uow, mentor_id) is None:
        raise NotFound("There is no such instructor. Nothing was changed.")
    id_ = new_id()
    values = {"id": id_, "mentor_id": mentor_id, "active": True, "created_at": clock.now(), **asdict(offer)}
    await uow.session.execute(sa.insert(Product).values(values))
    await audit.record(uow, "create_product", "mentorship_products", id_, after=asdict(offer))
    await _publish(uow, id_)
    return id_


async def edit(uow: UnitOfWork, product_id: UUID, offer: Offer) -> Product:
    """Change what is sold from now on; the product as it is then. Raises NotFound for others' products."""
    product = await lock(uow, product_id)
    changed = {name: value for name, value in asdict(offer).items() if value != getattr(product, name)}
    if not changed:
        return product
    await _change(uow, product, "edit_product", changed)
    if changed.keys() & PUBLISHED:
        await _publish(uow, product_id)
    return product


async def set_active(uow: UnitOfWork, product_id: UUID, active: bool) -> Product:
    """Put a product on sale again, or take it from sale; the product as it is then.

    Raises NotFound for others' products.
    """
    product = await lock(uow, product_id)
    if product.active != active:
        verb = "activate_product" if active else "deactivate_product"
        await _change(uow, product, verb, {"active": active})
    return product


async def lock(uow: UnitOfWork, product_id: UUID) -> Product:
    """A product that the asker may change, locked until the transaction ends. Raises NotFound."""
    query = sa.select(Product).where(Product.id == product_id).with_for_update()
    found = await uow.session.execute(query.execution_options(populate_existing=True))
    product = found.scalar_one_or_none()
    if product is None:  # nobody's, or not the asker's to change: row-level security decides
        raise NotFound
    return product


async def _change(uow: UnitOfWork, product: Product, verb: str, changed: Mapping[str, Any]) -> None:
    before = {name: getattr(product, name) for name in changed}
    for name, value in changed.items():
        setattr(product, name, value)
    if changed.keys() & {"price_minor", "currency"}:
        product.stripe_price_id = None  # a price at Stripe can't be changed: nobody is charged the old one
    await uow.session.flush()
    await audit.record(uow, verb, "mentorship_products", product.id, before=before, after=changed)


async def _publish(uow: UnitOfWork, product_id: UUID) -> None:
    """Have the payment providers hear of it."""
    await uow.emit("product/publish", {"product_id": product_id})
