"""From settings to the things that reach outside: used by web, jobs and bot alike."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

from app.accounts import contacts, passwords
from app.accounts.discord_oauth import DiscordOAuth
from app.accounts.oauth import GoogleOAuth
from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.notifications.discord import Discord
from app.notifications.mailer import Mailer
from app.notifications.messenger import Messenger
from app.notifications.outlets import Outlets
from app.packs import terms
from app.payments.cashier import Cashier, Grandfathering
from app.payments.gateway import Gateway, Provider
from app.payments.paypal import PayPalGateway
from app.payments.stripe import StripeGateway
from app.settings import Settings
from app.video.tokens import Video


@dataclass(frozen=True)
class Platform:
    """Settings, database and vendors' adapters of one process."""

    settings: Settings
    database: Database
    mailer: Mailer
    messenger: Messenger
    google: Google
    google_oauth: GoogleOAuth
    discord_oauth: DiscordOAuth
    cashier: Cashier
    video: Video

    @property
    def discord(self) -> Discord | None:
        """Discord, where a bot's token is set."""
        return self.messenger.discord

    @property
    def outlets(self) -> Outlets:
        """What tells people things."""
        return Outlets(self.mailer, self.messenger)

    async def close(self) -> None:
        """Give back every connection."""
        self.google.close()
        if self.discord is not None:
            await self.discord.close()
        for gateway in self.cashier.gateways.values():
            await gateway.close()
        await self.database.dispose()


def build(settings: Settings) -> Platform:
    """Everything a process needs. Raises SettingsError where the settings don't allow a safe start."""
    settings.require_for_start()
    prepare(settings)
    database = Database(settings)
    return Platform(
        settings=settings,
        database=database,
        mailer=Mailer.of(settings),
        messenger=Messenger.of(settings, contacts.note_direct_messages),
        google=Google(settings),
        google_oauth=GoogleOAuth(settings),
        discord_oauth=DiscordOAuth(settings),
        cashier=cashier(settings, database),
        video=Video.of(settings),
    )


def prepare(settings: Settings) -> None:
    """What holds for a whole process: its clock, what a password costs, how long seats are held."""
    clock.follow(settings.clock_file)
    passwords.configure(settings.argon2_memory_kib)
    terms.configure(
        terms.Terms(
            hold=timedelta(minutes=settings.hold_minutes),
            grace=timedelta(hours=settings.grace_hours),
            offer=timedelta(hours=settings.offer_hours),
        )
    )
    _prepare_oauthlib(settings)


def cashier(settings: Settings, database: Database) -> Cashier:
    """The payment providers that have keys, and the terms of sale. Raises SettingsError for a date that is none."""
    stripe = StripeGateway(settings) if settings.stripe_enabled else None
    gateways: dict[Provider, Gateway] = {}
    if stripe is not None:
        gateways[Provider.STRIPE] = stripe
    if settings.paypal_enabled:
        gateways[Provider.PAYPAL] = PayPalGateway(settings)
    return Cashier(database, gateways, stripe, settings.public_url, Grandfathering.of(settings))


def _prepare_oauthlib(settings: Settings) -> None:
    """oauthlib takes these from the environment only. Plain http is for the sandbox; it is never let near Google."""
    if settings.google_token_url.startswith("http://"):
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    # Without it a scope more, or one less, is an exception in the middle of the exchange: `accounts.oauth` looks itself.
    os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"  # noqa: S105
