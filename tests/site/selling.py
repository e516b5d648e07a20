"""What the tests of packs on sale post, and what they look at."""

from __future__ import annotations

import re
from uuid import UUID

from app.core.db import Database
from app.mentors import products
from app.mentors.product_rules import Offer
from tests.cast import Cast

FOUR = Offer(title="Four sessions", price_minor=48_000, currency="EUR")
FORM = {
    "title": "Six evenings",
    "description": "For beginners.",
    "price": "660.00",
    "currency": "EUR",
    "sessions_per_pack": "6",
    "validity_days": "40",
}


async def on_sale(database: Database, cast: Cast, offer: Offer = FOUR, mentor: str = "mentor") -> UUID:
    """A product of the mentor's; its id."""
    async with database.unit_of_work(cast.principal(mentor)) as uow, uow.transaction():
        return await products.create(uow, cast[mentor], offer)


def errors(html: str) -> dict[str, str]:
    """Sentences beside fields, by the field's id."""
    return dict(re.findall(r'<p class="error" id="([\w.-]+)-error">(.*?)</p>', html))
