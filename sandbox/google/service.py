"""Google as a whole: accounts, calendars, events and channels, and the state it starts with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from sandbox.clock import BusinessClock
from sandbox.google import seeds
from sandbox.google.accounts import Account, Accounts, Calendar, subject_of
from sandbox.google.eventbook import EventBook
from sandbox.google.keys import Keys
from sandbox.google.push import Push
from sandbox.settings import Settings
from sandbox.state import Store
from sandbox.webhooks import Courier

FOLLOWED = timedelta(days=2 * 366)


class Google:
    """The stand-in's state and parts."""

    def __init__(self, settings: Settings, store: Store, clock: BusinessClock, courier: Courier) -> None:
        self.settings = settings
        self.clock = clock
        self.accounts = Accounts(store)
        self.book = EventBook(store)
        self.keys = Keys(store)
        self.push = Push(store, courier, settings.push_http)
        self.born = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if not self.accounts.people:
            self.reset()

    def reset(self) -> None:
        """The state as after a first start: the cast's accounts, the mentor's calendars with events around now."""
        self.push.drop_account("")
        self.accounts.clear()
        self.book.clear()
        seeds.plant(self)

    def horizon(self) -> int:
        """Epoch seconds up to which series without an end are followed: two years of business time."""
        return int((self.clock.now() + FOLLOWED).timestamp())

    def add_account(self, address: str, name: str, time_zone: str) -> Account:
        """A new account with its primary calendar."""
        calendar = Calendar(address, address, address, time_zone, primary=True)
        self.accounts.calendars.put(address, calendar)
        return self.accounts.people.put(address, Account(address, subject_of(address), name, time_zone))

    def change_account(self, account: Account, **changes: str | bool) -> Account:
        """The account with other values."""
        return self.accounts.people.put(account.address, msgspec.structs.replace(account, **changes))

    def revoke(self, account: str = "", client_id: str = "") -> int:
        """Withdraw what an account (empty: every one) allowed a client (empty: any); gives how many grants were lost."""
        self.push.drop_account(account)
        return self.accounts.revoke(account, client_id)
