"""Webhooks through HTTP: what the vendors sent is kept once; whatever else comes is refused and leaves no trace."""

from __future__ import annotations

import logging
import time
from typing import Any

import httpx
import pytest
import stripe

from app.payments.gateway import Provider
from tests.accounts.browser import Browser
from tests.payments.conftest import Visit
from tests.payments.shop import PROVIDERS, Letter, Shop

SIGNED = ("stripe-signature", "content-type")  # and all of PayPal's
UNSIGNED = ("content-type", "paypal-auth-version")
TOLD = {Provider.STRIPE: "checkout.session.completed", Provider.PAYPAL: "PAYMENT.CAPTURE.COMPLETED"}


@pytest.fixture
async def outside(visit: Visit) -> Browser:
    """Nobody, anywhere in the world."""
    return await visit("anonymous")


async def letter(shop: Shop, provider: Provider) -> Letter:
    """A webhook as the vendor sent it about a purchase."""
    await shop.buy("new_student", await shop.product(), provider)
    await shop.until_told(TOLD[provider])
    letters = [one for one in shop.letterbox.take() if f'"{TOLD[provider]}"'.encode() in one.body]
    return letters[0]


def headers(told: Letter) -> dict[str, str]:
    """What of its headers speaks for a letter."""
    return {
        name: value for name, value in told.headers.items() if name in SIGNED or name.startswith("paypal-")
    }


async def deliver(browser: Browser, told: Letter, body: bytes | None = None, **more: str) -> httpx.Response:
    """Send a letter, perhaps changed."""
    changed = headers(told) | {name.replace("_", "-"): value for name, value in more.items()}
    content = told.body if body is None else body
    return await browser.http.post(f"/api/webhooks/{told.provider}", content=content, headers=changed)


async def inbox(shop: Shop) -> list[Any]:
    """What was kept, and the work that came of it."""
    kept = await shop.sql("select provider, type from webhook_events order by id")
    work = await shop.sql("select type from outbox where type = 'payment/webhook'")
    assert len(kept) == len(work)
    return [tuple(row) for row in kept]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_delivery_is_kept_once(shop: Shop, outside: Browser, provider: Provider) -> None:
    told = await letter(shop, provider)
    first = await deliver(outside, told)
    assert (first.status_code, first.json()) == (200, {"received": True, "new": True})
    for _ in range(3):
        again = await deliver(outside, told)
        assert (again.status_code, again.json()) == (200, {"received": True, "new": False})
    assert await inbox(shop) == [(provider, TOLD[provider])]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_signature_counts_and_nothing_else(
    shop: Shop, outside: Browser, provider: Provider
) -> None:
    told = await letter(shop, provider)
    assert (await deliver(outside, told, content_type="text/plain", accept="text/html")).status_code == 200
    assert await inbox(shop) == [(provider, TOLD[provider])]


def bodies(told: Letter) -> dict[str, bytes]:
    """What may become of a body on its way."""
    return {
        "empty": b"",
        "cut": told.body[:-1],
        "half": told.body[: len(told.body) // 2],
        "longer": told.body + b" ",
        "a byte changed": told.body.replace(b'"', b"'", 1),
        "not JSON": b"order paid",
        "not text": b"\xff\xfe\x00\x01",
        "a list": b"[]",
        "null": b"null",
        "a form": b"id=1&type=checkout.session.completed",
        "deep": b"[" * 50_000 + b"]" * 50_000,
    }


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_another_body_is_refused(
    shop: Shop, outside: Browser, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    told = await letter(shop, provider)
    for name, body in bodies(told).items():
        caplog.clear()
        with caplog.at_level(logging.WARNING, "app.payments"):
            answer = await deliver(outside, told, body)
        assert (name, answer.status_code, answer.json()["code"]) == (name, 400, "forged")
        assert f"not {provider}'s" in caplog.text
    assert await inbox(shop) == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_without_a_signature_or_with_anothers_it_is_refused(
    shop: Shop, outside: Browser, provider: Provider
) -> None:
    told = await letter(shop, provider)
    other = Provider.PAYPAL if provider is Provider.STRIPE else Provider.STRIPE
    place = f"/api/webhooks/{provider}"
    json = {"content-type": "application/json"}
    assert (await outside.http.post(place, content=told.body, headers=json)).status_code == 400
    crossed = await outside.http.post(f"/api/webhooks/{other}", content=told.body, headers=headers(told))
    assert crossed.status_code == 400
    for name, value in headers(told).items():
        if name not in UNSIGNED:
            for odd in ("", "x", value[:-3], value + "a", "a" * 20_000):
                answer = await deliver(outside, told, None, **{name: odd})
                assert (name, odd[:9], answer.status_code) == (name, odd[:9], 400)
    assert await inbox(shop) == []


async def test_a_stale_signature_is_refused(shop: Shop, outside: Browser) -> None:
    told = await letter(shop, Provider.STRIPE)
    secret = shop.sandbox.settings.stripe_webhook_secret
    for age, status in ((3_600, 400), (360, 400), (0, 200)):
        stamp = int(time.time()) - age
        signature = stripe.WebhookSignature.generate_signature_header(told.body.decode(), secret, stamp)
        answer = await deliver(outside, told, stripe_signature=signature)
        assert (age, answer.status_code) == (age, status)
    assert len(await inbox(shop)) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_huge_body_is_refused(shop: Shop, outside: Browser, provider: Provider) -> None:
    told = await letter(shop, provider)
    answer = await deliver(outside, told, b'{"a": "' + b"a" * 1_000_001 + b'"}')
    assert answer.status_code == 413
    assert await inbox(shop) == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_looking_is_not_telling(outside: Browser, provider: Provider) -> None:
    assert (await outside.get(f"/api/webhooks/{provider}")).status_code == 405


async def test_a_signed_in_browser_needs_no_token_to_be_refused(shop: Shop, visit: Visit) -> None:
    student = await visit("student")
    answer = await student.http.post("/api/webhooks/stripe", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (400, "forged")
    assert await inbox(shop) == []
