"""What selling needs beside the database: the providers that have keys, where discounts are kept, the terms of sale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Protocol

from app.core.db import Database
from app.core.errors import Unavailable
from app.payments.gateway import Discount, Gateway, Provider
from app.settings import Settings, SettingsError


class Discounts(Protocol):
    """Where codes and coupons are kept (Stripe). Calls raise as a Gateway's do."""

    async def discount(self, code: str) -> Discount | None:
        """What a promotion code takes off; None for one that is unknown, used up or not for everybody."""
        ...

    async def coupon(self, coupon_id: str) -> Discount:
        """What a coupon takes off."""
        ...


@dataclass(frozen=True)
class Grandfathering:
    """Who paid before a day keeps an old price: a coupon is applied by itself."""

    before: datetime
    coupon_id: str

    @classmethod
    def of(cls, settings: Settings) -> Grandfathering | None:
        """The rule that the settings spell, None if one is empty; the day begins at midnight UTC. Raises SettingsError."""
        day, coupon_id = settings.grandfathered_before_date, settings.grandfathered_coupon_id
        if not (day and coupon_id):
            return None
        try:
            return cls(datetime.combine(date.fromisoformat(day), time(), UTC), coupon_id)
        except ValueError:
            raise SettingsError(f"GRANDFATHERED_BEFORE_DATE={day!r} is no date (YYYY-MM-DD)") from None


@dataclass(frozen=True)
class Cashier:
    """Everything between an order and its money. `discounts` is None without Stripe: then there are no codes."""

    database: Database
    gateways: Mapping[Provider, Gateway]
    discounts: Discounts | None
    public_url: str
    grandfathering: Grandfathering | None = None

    def gateway(self, provider: Provider) -> Gateway:
        """The provider's gateway. Raises Unavailable if its keys were taken away."""
        found = self.gateways.get(provider)
        if found is None:
            raise Unavailable("Payments with this provider are switched off. Nothing was changed.")
        return found
