"""Certificates for tests: authorities, and what they issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def pem(*certificates: x509.Certificate) -> bytes:
    """A file that holds these."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


@dataclass(frozen=True)
class Issuer:
    """An authority; everything it issues begins a day before `at` and is good for 90 days."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def root(cls, name: str, at: datetime) -> Issuer:
        """One that vouches for itself."""
        key = _new_key()
        builder = _authority(_started(name, key, at).issuer_name(_name(name)))
        return cls(key, builder.sign(key, hashes.SHA256()))

    def authority(self, name: str, at: datetime) -> Issuer:
        """One that this one vouches for."""
        key = _new_key()
        builder = _authority(self._from_me(_started(name, key, at)))
        return Issuer(key, builder.sign(self.key, hashes.SHA256()))

    def leaf(self, name: str, at: datetime, *, key: Key | None = None, issuer: str = "") -> x509.Certificate:
        """A certificate for a host; `issuer` is where it says that this authority's certificate lies."""
        builder = self._from_me(_started(name, key or _new_key(), at))
        alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(alternative, critical=False).add_extension(usage, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if issuer:
            place = x509.UniformResourceIdentifier(issuer)
            access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def der(self) -> bytes:
        """This authority's certificate as authorities serve it."""
        return self.certificate.public_bytes(Encoding.DER)

    def _from_me(self, builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        mine = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return builder.issuer_name(self.certificate.subject).add_extension(mine, critical=False)


def _authority(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    usage = dict.fromkeys(
        [
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ],
        False,
    )
    signs = x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.add_extension(signs, critical=True)


def _started(name: str, key: Key, at: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(_name(name)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=89))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
