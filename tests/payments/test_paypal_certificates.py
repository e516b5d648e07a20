"""Which certificates may sign PayPal's webhooks: from where, issued by whom, when, and what fetching them may cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.core.inbox import ForgedWebhook
from app.payments.gateway import ProviderUnavailable
from app.payments.paypal_certificates import Certificates
from app.settings import Settings
from tests.payments.issuing import Issuer, pem
from tests.support.sandbox import serving

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
URL = "https://api.paypal.com/v1/notifications/certs/CERT-1"
LIVE = "messageverificationcerts.paypal.com"
SANDBOX = "messageverificationcerts.sandbox.paypal.com"


@pytest.fixture(scope="module")
def root() -> Issuer:
    """An authority of our own."""
    return Issuer.root("Test root", NOW)


@pytest.fixture(scope="module")
def between(root: Issuer) -> Issuer:
    """An authority that the root vouches for."""
    return root.authority("Test between", NOW)


class Shelf:
    """What lies at which address, and how often it was asked for."""

    def __init__(self, root: Issuer, folder: Path, **files: bytes) -> None:
        self.files = files
        self.asked: list[str] = []
        authorities = folder / "authorities.pem"
        authorities.write_bytes(pem(root.certificate))
        settings = Settings(paypal_authorities_file=str(authorities))
        self.certificates = Certificates(settings, self.fetch)

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        await asyncio.sleep(0)
        return self.files["issuer" if "digicert" in url else "leaf"]

    async def key(self, url: str = URL, now: datetime = NOW) -> rsa.RSAPublicKey:
        return await self.certificates.key(url, now)


async def test_a_chain_in_the_file_leads_to_an_authority(
    root: Issuer, between: Issuer, tmp_path: Path
) -> None:
    for name in (LIVE, SANDBOX):
        leaf = between.leaf(name, NOW)
        shelf = Shelf(root, tmp_path, leaf=pem(leaf, between.certificate))
        assert await shelf.key() == leaf.public_key()


async def test_a_chain_that_breaks_off_is_not_trusted(root: Issuer, between: Issuer, tmp_path: Path) -> None:
    shelf = Shelf(root, tmp_path, leaf=pem(between.leaf(LIVE, NOW)))
    with pytest.raises(ForgedWebhook, match="not trusted"):
        await shelf.key()
    assert shelf.asked == [URL]


async def test_an_issuer_that_is_not_served_is_fetched(root: Issuer, between: Issuer, tmp_path: Path) -> None:
    leaf = between.leaf(LIVE, NOW, issuer="http://cacerts.digicert.com/Between.crt")
    shelf = Shelf(root, tmp_path, leaf=pem(leaf), issuer=between.der())
    assert await shelf.key() == leaf.public_key()
    assert shelf.asked == [URL, "http://cacerts.digicert.com/Between.crt"]
    impostor = Issuer.root("Test between", NOW)
    wrong = Shelf(root, tmp_path, leaf=pem(leaf), issuer=impostor.der())
    with pytest.raises(ForgedWebhook, match="not trusted"):
        await wrong.key()


@pytest.mark.parametrize(
    "place",
    [
        "http://example.test/Between.crt",
        "http://cacerts.digicert.com:8080/x.crt",
        "http://a@cacerts.digicert.com/x.crt",
        "ldap://cacerts.digicert.com/x",
        "file:///etc/passwd",
    ],
)
async def test_an_issuer_is_fetched_from_no_other_place(
    root: Issuer, between: Issuer, tmp_path: Path, place: str
) -> None:
    shelf = Shelf(root, tmp_path, leaf=pem(between.leaf(LIVE, NOW, issuer=place)), issuer=between.der())
    with pytest.raises(ForgedWebhook, match="not trusted"):
        await shelf.key()
    assert shelf.asked == [URL]


def _self_signed(root: Issuer) -> x509.Certificate:
    return Issuer.root(LIVE, NOW).leaf(LIVE, NOW)


@pytest.mark.parametrize(
    "make",
    [
        _self_signed,
        lambda root: root.leaf("api.paypal.com", NOW),
        lambda root: root.leaf("messageverificationcerts.paypal.com.example.test", NOW),
        lambda root: root.leaf("*.paypal.com", NOW),
        lambda root: root.leaf(LIVE, NOW - timedelta(days=400)),
        lambda root: root.leaf(LIVE, NOW + timedelta(days=2)),
        lambda root: root.leaf(LIVE, NOW, key=ec.generate_private_key(ec.SECP256R1())),
        lambda root: root.certificate,
    ],
    ids=["self-signed", "host", "longer", "wildcard", "over", "not-yet", "curve", "authority"],
)
async def test_certificates_that_are_not_paypals(
    root: Issuer, tmp_path: Path, make: Callable[[Issuer], x509.Certificate]
) -> None:
    shelf = Shelf(root, tmp_path, leaf=pem(make(root)))
    with pytest.raises(ForgedWebhook, match=r"not trusted|no RSA key|PayPal's name"):
        await shelf.key()


@pytest.mark.parametrize(
    "content", [b"", b"<h1>Hello</h1>", b"-----BEGIN CERTIFICATE-----\nx\n", b"\x30\x00"]
)
async def test_what_is_no_certificate_is_forged(root: Issuer, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ForgedWebhook, match="can't be read"):
        await Shelf(root, tmp_path, leaf=content).key()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://evil.test/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.test/v1/notifications/certs/CERT-1",
        "https://evil.test@api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.test/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:443/v1/notifications/certs/CERT-1",
        "https://API.paypal.com/v1/notifications/certs/CERT-1",
        "HTTPS://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com./v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/v1/notifications/certs/../../x",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/paypal/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/CERT-1",
        "https://api.paypal.com\\@evil.test/v1/notifications/certs/CERT-1",
        " https://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
        "https://127.0.0.1/v1/notifications/certs/CERT-1",
        "http://127.0.0.1:8001/v1/notifications/certs/CERT-1",
        "https://[::1]/v1/notifications/certs/CERT-1",
        "https://[/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:x/v1/notifications/certs/CERT-1",
        "file:///v1/notifications/certs/CERT-1",
    ],
)
async def test_certificates_come_from_pinned_places_only(root: Issuer, tmp_path: Path, url: str) -> None:
    shelf = Shelf(root, tmp_path, leaf=pem(root.leaf(LIVE, NOW)))
    with pytest.raises(ForgedWebhook, match=r"address|not accepted"):
        await shelf.key(url)
    assert shelf.asked == []


@pytest.mark.parametrize("host", ["api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com"])
async def test_the_usual_places_are_pinned(root: Issuer, tmp_path: Path, host: str) -> None:
    shelf = Shelf(root, tmp_path, leaf=pem(root.leaf(LIVE, NOW)))
    assert await shelf.key(f"https://{host}/v1/notifications/certs/CERT-360caa42-fca2a594-1a5f47cb")


async def test_a_certificate_is_kept_until_it_runs_out(root: Issuer, tmp_path: Path) -> None:
    shelf = Shelf(root, tmp_path, leaf=pem(root.leaf(LIVE, NOW)))
    await asyncio.gather(*(shelf.key() for _ in range(50)))
    assert shelf.asked == [URL]
    with pytest.raises(ForgedWebhook, match="not trusted"):
        await shelf.key(now=NOW + timedelta(days=400))
    assert shelf.asked == [URL, URL]


async def test_what_was_not_trusted_is_not_kept(root: Issuer, tmp_path: Path) -> None:
    shelf = Shelf(root, tmp_path, leaf=b"later")
    with pytest.raises(ForgedWebhook):
        await shelf.key()
    shelf.files["leaf"] = pem(root.leaf(LIVE, NOW))
    assert await shelf.key()


async def test_authorities_that_cannot_be_read_leave_it_open(root: Issuer, tmp_path: Path) -> None:
    shelf = Shelf(root, tmp_path, leaf=pem(root.leaf(LIVE, NOW)))
    (tmp_path / "authorities.pem").unlink()
    with pytest.raises(ProviderUnavailable, match="authorities"):
        await shelf.key()
    (tmp_path / "authorities.pem").write_bytes(pem(root.certificate))
    assert await shelf.key(), "the file may be written after the platform has started"


async def answered(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    """Ask a real server on loopback that answers so."""

    async def server(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    with serving(server) as url:
        settings = Settings(paypal_certificate_hosts="127.0.0.1", paypal_url=url, paypal_timeout_seconds=2)
        await Certificates(settings).key(f"{url}/v1/notifications/certs/CERT-1", NOW)


async def test_what_the_place_answers(root: Issuer) -> None:
    for status in (429, 500, 503):
        with pytest.raises(ProviderUnavailable):
            await answered(status, b"")
    with pytest.raises(ForgedWebhook, match="no certificate at"):
        await answered(404, b"")
    with pytest.raises(ForgedWebhook, match="no certificate at"):
        await answered(302, b"", (b"location", b"https://evil.test/"))
    with pytest.raises(ForgedWebhook, match="too large"):
        await answered(200, b"x" * 70_000)
    with pytest.raises(ForgedWebhook, match="not trusted"):
        await answered(200, pem(root.leaf(LIVE, NOW)))


async def test_nobody_at_the_place_leaves_it_open() -> None:
    settings = Settings(paypal_certificate_hosts="127.0.0.1", paypal_url="http://127.0.0.1:9")
    with pytest.raises(ProviderUnavailable):
        await Certificates(settings).key("http://127.0.0.1:9/v1/notifications/certs/CERT-1", NOW)
