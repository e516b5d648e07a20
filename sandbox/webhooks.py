"""Deliveries from a vendor to the platform, as unreliable as the chaos dial says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from sandbox.chaos import Chaos
from sandbox.state import Store

KEEP = 5_000
ATTEMPTS = 4
SHUFFLED_OVER_SECONDS = 2.0

Headers = dict[str, str] | Callable[[], dict[str, str]]


class Courier:
    """Posts webhooks in the background; a failed one is tried again a few times, a closing sandbox drops the rest."""

    def __init__(self, store: Store, chaos: Chaos) -> None:
        self._journal = store.journal("webhooks", KEEP)
        self._chaos = chaos
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None

    def send(self, vendor: str, url: str, headers: Headers, body: bytes = b"") -> None:
        """Have a webhook delivered soon: never, twice, or out of order if the vendor's dial says so.

        `headers` may be made anew for each attempt, as a fresh signature is.
        """
        if self._chaos.roll(vendor, self._chaos.dial(vendor).drop_webhooks):
            self._note(vendor, url, _made(headers), 0, "dropped")
            return
        copies = 2 if self._chaos.roll(vendor, self._chaos.dial(vendor).duplicate_webhooks) else 1
        for _ in range(copies):
            late = self._chaos.roll(vendor, self._chaos.dial(vendor).shuffle_webhooks)
            delay = self._chaos.delay(vendor, SHUFFLED_OVER_SECONDS) if late else 0.0
            task = asyncio.create_task(self._deliver(vendor, url, headers, body, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, vendor: str, url: str, headers: Headers, body: bytes, delay: float) -> None:
        for attempt in range(ATTEMPTS):
            await asyncio.sleep(delay)
            sent = _made(headers)
            status, problem = await self._post(url, sent, body)
            self._note(vendor, url, sent, status, problem)
            if 0 < status < 500:
                return
            delay = 0.5 * 4**attempt

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=10)
        try:
            answer = await self._client.post(url, headers=headers, content=body)
        except httpx.HTTPError as error:
            return 0, repr(error)
        return answer.status_code, ""

    def _note(self, vendor: str, url: str, headers: dict[str, str], status: int, problem: str) -> None:
        entry = {
            "at": datetime.now(UTC).isoformat(),
            "vendor": vendor,
            "url": url,
            "headers": headers,
            "status": status,
            "problem": problem,
        }
        self._journal.append(vendor, entry)

    def read(self, vendor: str = "", after: int = 0) -> list[dict[str, object]]:
        """Attempts with an `id` above `after`, oldest first; `status` 0 is one that got no answer."""
        return self._journal.read(vendor, after)

    def forget(self) -> None:
        """Give up what is under way and forget what was delivered."""
        for task in self._tasks:
            task.cancel()
        self._journal.clear()

    async def close(self) -> None:
        """Stop delivering."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()


def _made(headers: Headers) -> dict[str, str]:
    return headers() if callable(headers) else headers
