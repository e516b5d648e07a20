"""One call to Stripe: through its SDK at our address, its failures named, its objects as dictionaries.

The SDK tries a call again twice, under the same idempotency key, if there was no answer or a 5xx.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any

import stripe

from app.payments.gateway import ProviderRefused, ProviderUnavailable
from app.settings import Settings

API_VERSION = "2026-10-28.endive"
RETRIES = 2
Params = dict[str, Any]

# Answers that say nothing about what was asked for: our key, too slow, busy with the same key, too many.
_PASSING = {401, 408, 409, 425, 429}
# Currencies without decimals that Stripe counts in hundredths nevertheless (docs.stripe.com/currencies).
_IN_HUNDREDTHS = {"ISK"}


def client_of(settings: Settings, http: stripe.HTTPXClient) -> stripe.StripeClient:
    """The SDK's client for our account, at the address that the settings name."""
    base = settings.stripe_url.rstrip("/")
    return stripe.StripeClient(
        settings.stripe_secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": base, "connect": base, "files": base, "meter_events": base},
        http_client=http,
        max_network_retries=RETRIES,
    )


async def answer(request: Awaitable[stripe.StripeObject]) -> Params:
    """The object that a request of the SDK gives. Raises ProviderUnavailable, ProviderRefused."""
    try:
        return (await request).to_dict()
    except stripe.StripeError as error:
        raise meaning_of(error) from error


async def each(request: Awaitable[stripe.ListObject[Any]]) -> AsyncIterator[Params]:
    """Every object of a list, page after page. Raises ProviderUnavailable, ProviderRefused."""
    try:
        async for one in (await request).auto_paging_iter():
            yield one.to_dict()
    except stripe.StripeError as error:
        raise meaning_of(error) from error


def meaning_of(error: stripe.StripeError) -> ProviderRefused | ProviderUnavailable:
    """What an error of the SDK says: a definite no of Stripe, or that nobody knows."""
    status = error.http_status
    if status is None or not 400 <= status < 500 or status in _PASSING:
        return ProviderUnavailable(f"Stripe: {status or 'no answer'}: {error}")
    code = error.code or (error.error.type if error.error else None) or str(status)
    return ProviderRefused(code, str(error))


def units(amount: int, currency: str) -> int:
    """Our minor units as Stripe counts them."""
    return amount * 100 if currency in _IN_HUNDREDTHS else amount


def amount_of(counted: int, currency: str) -> int:
    """Stripe's count as our minor units."""
    return counted // 100 if currency in _IN_HUNDREDTHS else counted
