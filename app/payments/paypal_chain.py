"""Who vouches for a certificate that PayPal signs webhooks with."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import certifi
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import AuthorityInformationAccessOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from app.core.inbox import ForgedWebhook

# PayPal's own names in these certificates (live and its sandbox), whatever host serves them.
NAMES = ("messageverificationcerts.paypal.com", "messageverificationcerts.sandbox.paypal.com")
# An authority between PayPal and the usual ones, which left the usual bundles with its root.
BETWEEN = Path(__file__).with_name("paypal_authorities.pem")
# Where the issuer of a certificate may be fetched from, when it isn't served with it.
ISSUERS = frozenset({"cacerts.digicert.com"})


def read(raw: bytes) -> list[x509.Certificate]:
    """The certificates of a file, PEM or DER. Raises ForgedWebhook if it holds none."""
    try:
        if raw.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificates(raw)
        return [x509.load_der_x509_certificate(raw)]
    except ValueError:
        raise ForgedWebhook("the certificate can't be read") from None


def anchors(own: str) -> list[x509.Certificate]:
    """The authorities to trust: the usual ones, PayPal's, and those of the file `own` (empty: none).

    Raises OSError or ValueError for a file that can't be read.
    """
    files = [Path(certifi.where()), BETWEEN, *([Path(own)] if own else [])]
    with warnings.catch_warnings():
        # Some old authorities have odd serial numbers; nothing of ours depends on them.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return [one for file in files for one in x509.load_pem_x509_certificates(file.read_bytes())]


def key_of(chain: list[x509.Certificate], trusted: list[x509.Certificate], now: datetime) -> RSAPublicKey:
    """The key of the first certificate, if it is PayPal's and the rest leads to an authority, all good at `now`.

    Raises ForgedWebhook saying what is missing.
    """
    leaf, *between = chain
    try:
        key = leaf.public_key()
    except (UnsupportedAlgorithm, ValueError):
        raise ForgedWebhook("the certificate's key can't be read") from None
    if not isinstance(key, RSAPublicKey):
        raise ForgedWebhook("the certificate holds no RSA key")
    name = next((name for name in _names(leaf) if name in NAMES), None)
    if name is None:
        raise ForgedWebhook("the certificate is not in PayPal's name")
    verifier = PolicyBuilder().store(Store(trusted)).time(now).build_server_verifier(x509.DNSName(name))
    try:
        verifier.verify(leaf, between)
    except VerificationError as error:
        raise ForgedWebhook(f"the certificate is not trusted: {error}") from error
    return key


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.get_values_for_type(x509.DNSName)


def missing_issuer(chain: list[x509.Certificate], trusted: list[x509.Certificate]) -> str | None:
    """Where the issuer of a chain's end lies, if it is not at hand and that is a place we ask."""
    last = chain[-1]
    if any(last.issuer == one.subject for one in (*chain, *trusted)):
        return None
    try:
        access = last.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    for entry in access:
        place = entry.access_location
        if entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS and isinstance(
            place, x509.UniformResourceIdentifier
        ):
            parts = urlsplit(place.value)
            if parts.netloc in ISSUERS and parts.scheme in ("http", "https"):
                return place.value
    return None
