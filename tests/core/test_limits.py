"""The limiter: exact under concurrency, by asker, scaled, and open when its store is down."""

from __future__ import annotations

import asyncio

import pytest

from app.core.errors import TooManyRequests
from app.core.limits import Limiter, Policy

POLICY = Policy("test", 5, 20, "user")


async def allowed(limiter: Limiter, asker: str, tries: int) -> int:
    answers = await asyncio.gather(
        *(limiter.hit(POLICY, asker) for _ in range(tries)), return_exceptions=True
    )
    refused = [answer for answer in answers if answer is not None]
    assert all(isinstance(answer, TooManyRequests) for answer in refused)
    return tries - len(refused)


@pytest.mark.usefixtures("within_a_minute")
async def test_a_hundred_at_once_get_exactly_the_limit() -> None:
    limiter = Limiter("", scale=1)
    assert await allowed(limiter, "one", 100) == 5
    assert await allowed(limiter, "another", 3) == 3


@pytest.mark.usefixtures("within_a_minute")
async def test_a_refusal_says_when_to_come_back() -> None:
    limiter = Limiter("", scale=0.2)
    await limiter.hit(POLICY, "one")
    with pytest.raises(TooManyRequests) as refused:
        await limiter.hit(POLICY, "one")
    assert 1 <= refused.value.retry_after_seconds <= 60


@pytest.mark.usefixtures("within_a_minute")
async def test_the_scale_multiplies() -> None:
    assert await allowed(Limiter("", scale=10), "one", 100) == 50


async def test_an_unreachable_store_lets_requests_pass(caplog: pytest.LogCaptureFixture) -> None:
    limiter = Limiter("redis://127.0.0.1:1/0", scale=1)
    assert await allowed(limiter, "one", 20) == 20
    assert "rate limits are off" in caplog.text
