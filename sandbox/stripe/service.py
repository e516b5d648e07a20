"""Stripe as a whole: its objects, keys and events, and the state it starts with."""

from __future__ import annotations

from sandbox.settings import Settings
from sandbox.state import Store
from sandbox.stripe import seeds
from sandbox.stripe.events import Events
from sandbox.stripe.keys import Keys
from sandbox.stripe.things import Shelf, Thing
from sandbox.webhooks import Courier


class Stripe:
    """The stand-in's state and parts."""

    def __init__(self, settings: Settings, store: Store, courier: Courier) -> None:
        def shelf(kind: str) -> Shelf:
            return Shelf(store.collection(f"stripe.{kind}", Thing), kind)

        self.settings = settings
        self.sessions = shelf("checkout.session")
        self.intents = shelf("payment_intent")
        self.charges = shelf("charge")
        self.refunds = shelf("refund")
        self.disputes = shelf("dispute")
        self.coupons = shelf("coupon")
        self.promotion_codes = shelf("promotion_code")
        self.products = shelf("product")
        self.prices = shelf("price")
        self.keys = Keys(store)
        self.swept = 0  # when sessions were last looked through for those whose time is over
        self.events = Events(shelf("event"), courier, settings)
        # Where the id in a member of that name is looked up when it is expanded.
        self.shelves = {
            "charge": self.charges,
            "coupon": self.coupons,
            "latest_charge": self.charges,
            "payment_intent": self.intents,
            "product": self.products,
            "promotion_code": self.promotion_codes,
        }
        if not self.coupons.newest_first():
            self.reset()

    def reset(self) -> None:
        """The state as after a first start: nothing but the codes that `seeds` names."""
        for shelf in (self.sessions, self.intents, self.charges, self.refunds, self.disputes, self.coupons):
            shelf.clear()
        for shelf in (self.promotion_codes, self.products, self.prices, self.events.shelf):
            shelf.clear()
        self.keys.expire()
        seeds.plant(self.coupons, self.promotion_codes)
