"""The certificate that webhooks are signed with, and the authority that issued it, made once and kept."""

from __future__ import annotations

import base64
import binascii
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.paypal.models import now
from sandbox.state import Collection, Store

# The name in PayPal's own certificates, whatever host serves them.
NAME = "messageverificationcerts.paypal.com"
YEARS = timedelta(days=3650)
SHORT = timedelta(days=397)
RENEW = timedelta(days=30)
PATH = "/v1/notifications/certs/"


class Authority:
    """Signs as PayPal does: RSA PKCS#1 v1.5 with SHA-256, by a certificate that is served beside the interface."""

    def __init__(self, store: Store, file: Path) -> None:
        self._kept: Collection[str] = store.collection("paypal.keys", str)
        if "authority" not in self._kept:
            self._make_authority()
        if "certificate" not in self._kept or self._ends() - datetime.now(UTC) < RENEW:
            self._make_certificate()
        self.certificate = self._kept.get("certificate") or ""
        self._key = _key(self._kept.get("key") or "")
        digest = x509.load_pem_x509_certificate(self.certificate.encode()).fingerprint(hashes.SHA256()).hex()
        self.id = f"CERT-{digest[:8]}-{digest[8:16]}-{digest[16:24]}"
        file.write_text(self._kept.get("authority") or "")

    def headers(self, base: str, webhook_id: str, body: bytes) -> dict[str, str]:
        """The headers of one transmission of `body`, signed now; `base` is where this sandbox is reached."""
        transmission, instant = str(uuid.uuid1()), now()
        signature = self.sign(f"{transmission}|{instant}|{webhook_id}|{binascii.crc32(body)}".encode())
        return {
            "Content-Type": "application/json",
            "User-Agent": "PayPal/AUHD-214.0-58391792",
            "PAYPAL-TRANSMISSION-ID": transmission,
            "PAYPAL-TRANSMISSION-TIME": instant,
            "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
            "PAYPAL-AUTH-VERSION": "v2",
            "PAYPAL-CERT-URL": f"{base}/paypal{PATH}{self.id}",
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }

    def sign(self, message: bytes) -> bytes:
        """The signature of any message."""
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def _ends(self) -> datetime:
        kept = self._kept.get("certificate") or ""
        return x509.load_pem_x509_certificate(kept.encode()).not_valid_after_utc

    def _make_authority(self) -> None:
        key = _new_key()
        name = _name("Sandbox authority for PayPal's webhooks")
        builder = _started(name, key.public_key(), YEARS).issuer_name(name)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(sign=False), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        self._kept.put("authority_key", _pem(key))
        self._kept.put("authority", certificate.public_bytes(serialization.Encoding.PEM).decode())

    def _make_certificate(self) -> None:
        key = _new_key()
        issuer = _key(self._kept.get("authority_key") or "")
        authority = x509.load_pem_x509_certificate((self._kept.get("authority") or "").encode())
        builder = _started(_name(NAME), key.public_key(), SHORT).issuer_name(authority.subject)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        builder = builder.add_extension(_usage(sign=True), critical=True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
        )
        certificate = builder.sign(issuer, hashes.SHA256())
        self._kept.put("key", _pem(key))
        self._kept.put("certificate", certificate.public_bytes(serialization.Encoding.PEM).decode())


def _started(name: x509.Name, key: rsa.RSAPublicKey, lasts: timedelta) -> x509.CertificateBuilder:
    begin = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    """For signing messages, or for an authority that signs certificates."""
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=sign,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not sign,
        crl_sign=not sign,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _key(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the kept signing key is no RSA key")
    return key
