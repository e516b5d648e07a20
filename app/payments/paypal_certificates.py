"""The certificates that PayPal signs webhooks with: from pinned hosts only, issued by somebody who is trusted."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from app.payments.gateway import ForgedWebhook, ProviderUnavailable
from app.settings import Settings

# PayPal's own names in these certificates (live and its sandbox), whatever host serves them.
NAMES = ("messageverificationcerts.paypal.com", "messageverificationcerts.sandbox.paypal.com")
# Authorities between PayPal and the usual ones, which PayPal leaves out of what it serves.
BETWEEN = Path(__file__).with_name("paypal_authorities.pem")
PATH = re.compile(r"(/paypal)?/v1/notifications/certs/[A-Za-z0-9_-]{1,100}")
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
        async with self._lock:
            kept = self._kept.get(url)
            if kept is None or not kept.begins <= now <= kept.ends:
                kept = self._trusted(await self._fetch(url), now)
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[url] = kept
        return kept.key

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
        if url != place + parts.path or not PATH.fullmatch(parts.path):
            raise ForgedWebhook("the certificate's address is not one of PayPal's")

    async def _get(self, url: str) -> bytes:
        try:
            async with asyncio.timeout(self._timeout), httpx.AsyncClient(timeout=self._timeout) as client:
                return await _body(client, url)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ProviderUnavailable(f"no answer from {url}: {error!r}") from error

    def _trusted(self, pem: bytes, now: datetime) -> _Certificate:
        """The first certificate of the file, if a chain leads from it to an authority that is trusted."""
        try:
            leaf, *between = x509.load_pem_x509_certificates(pem)
        except ValueError:
            raise ForgedWebhook("the certificate can't be read") from None
        store = Store(self._anchors())
        for name in NAMES:
            verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(name))
            try:
                verifier.verify(leaf, between)
            except VerificationError as error:
                reason = str(error)
                continue
            key = leaf.public_key()
            if isinstance(key, RSAPublicKey):
                return _Certificate(key, leaf.not_valid_before_utc, leaf.not_valid_after_utc)
            reason = "it holds no RSA key"
        raise ForgedWebhook(f"the certificate is not trusted: {reason}")

    def _anchors(self) -> list[x509.Certificate]:
        files = [Path(certifi.where()), BETWEEN]
        if self._authorities:
            files.append(Path(self._authorities))
        with warnings.catch_warnings():
            # Some old authorities have odd serial numbers; nothing of ours depends on them.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            try:
                return [one for file in files for one in x509.load_pem_x509_certificates(file.read_bytes())]
            except (OSError, ValueError) as error:
                raise ProviderUnavailable(f"the authorities can't be read: {error}") from error


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
