"""The certificates that PayPal signs webhooks with: from pinned hosts only, issued by somebody who is trusted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.core import tls
from app.core.inbox import ForgedWebhook
from app.payments import paypal_chain as chain
from app.payments.gateway import ProviderUnavailable
from app.settings import Settings

MOST_BYTES = 64 * 1024
KEPT = 32

Fetch = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class _Certificate:
    key: RSAPublicKey
    begins: datetime
    ends: datetime


class Certificates:
    """Public keys by the address of their certificate, kept until they run out.

    `fetch` gets what an address that was allowed holds; by default over the network.
    """

    def __init__(self, settings: Settings, fetch: Fetch | None = None) -> None:
        self._hosts = frozenset(settings.paypal_certificate_hosts.split())
        below = re.escape(urlsplit(settings.paypal_url).path.rstrip("/"))
        self._path = re.compile(below + r"/v1/notifications/certs/[A-Za-z0-9_-]{1,100}")
        self._authorities = settings.paypal_authorities_file
        self._timeout = settings.paypal_timeout_seconds
        self._fetch = fetch or self._get
        self._kept: dict[str, _Certificate] = {}
        self._lock = asyncio.Lock()

    async def key(self, url: str, now: datetime) -> RSAPublicKey:
        """The key of the certificate at `url`, good at `now`.

        Raises ForgedWebhook for an address or a certificate that is not PayPal's, ProviderUnavailable if it can't
        be had.
        """
        self._check_address(url)
        kept = self._known(url, now)
        if kept is None:
            async with self._lock:  # one after the other: whoever waited may find what the first one fetched
                kept = self._known(url, now) or await self._certificate(url, now)
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[url] = kept
        return kept.key

    def _known(self, url: str, now: datetime) -> _Certificate | None:
        kept = self._kept.get(url)
        return kept if kept is not None and kept.begins <= now <= kept.ends else None

    def _check_address(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise ForgedWebhook("the certificate's address is none") from None
        if host not in self._hosts:
            raise ForgedWebhook(f"certificates of {host!r} are not accepted")
        place = f"http://{host}:{port}" if _is_loopback(host) else f"https://{host}"
        # Spelled in one way only: no name and password, no port, query or fragment, no capitals.
        if url != place + parts.path or not self._path.fullmatch(parts.path):
            raise ForgedWebhook("the certificate's address is not one of PayPal's")

    async def _get(self, url: str) -> bytes:
        try:
            async with asyncio.timeout(self._timeout), self._client() as client:
                return await _body(client, url)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ProviderUnavailable(f"no answer from {url}: {error!r}") from error

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self._timeout, verify=tls.outgoing())

    async def _certificate(self, url: str, now: datetime) -> _Certificate:
        """The first certificate of the file at `url`, if a chain leads from it to an authority that is trusted.

        Some are served without their issuer's: it is fetched from where they say, and trusted no more for that.
        """
        try:
            trusted = chain.anchors(self._authorities)
        except (OSError, ValueError) as error:
            raise ProviderUnavailable(f"the authorities can't be read: {error}") from error
        served = chain.read(await self._fetch(url))
        issuer = chain.missing_issuer(served, trusted)
        if issuer:
            served += chain.read(await self._fetch(issuer))
        key = chain.key_of(served, trusted, now)
        return _Certificate(key, served[0].not_valid_before_utc, served[0].not_valid_after_utc)


async def _body(client: httpx.AsyncClient, url: str) -> bytes:
    async with client.stream("GET", url) as answer:
        if answer.status_code == 429 or answer.status_code >= 500:
            raise ProviderUnavailable(f"{answer.status_code} from {url}")
        if answer.status_code != 200:
            raise ForgedWebhook(f"there is no certificate at {url}: {answer.status_code}")
        parts = b""
        async for part in answer.aiter_bytes():
            parts += part
            if len(parts) > MOST_BYTES:
                raise ForgedWebhook(f"what {url} holds is too large for a certificate")
        return parts


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
