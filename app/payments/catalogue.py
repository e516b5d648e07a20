"""Products as the providers keep them: an id of their own for each, so that their dashboards speak of the same packs."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.core.rls import ServiceDoor
from app.mentors.models import Product
from app.payments.cashier import Cashier
from app.payments.gateway import Provider

_COLUMNS = {Provider.STRIPE: Product.stripe_price_id, Provider.PAYPAL: Product.paypal_product_id}


async def publish(cashier: Cashier, product_id: UUID) -> None:
    """Keep a product at every provider that has keys, under its newest title and price.

    May run twice: the providers make one of what is asked for twice. Raises ProviderUnavailable, ProviderRefused.
    """
    for provider, gateway in cashier.gateways.items():
        column = _COLUMNS[provider]
        async with cashier.database.service(ServiceDoor.JOB) as uow:
            found = await uow.session.get(Product, product_id)
        if found is None:
            return
        id_ = await gateway.publish(
            product_id,
            title=found.title,
            amount=found.price_minor,
            currency=found.currency,
            replaces=getattr(found, column.key),
        )
        async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await uow.session.execute(
                sa.update(Product)
                .where(
                    Product.id == product_id,
                    Product.title == found.title,
                    Product.price_minor == found.price_minor,
                    Product.currency == found.currency,
                )
                .values({column: id_})
            )
