"""Encryption at rest with key rotation, and signatures for links.

`ENCRYPTION_KEYS` holds Fernet keys: the first encrypts, all of them decrypt. Signatures come from `SECRET_KEY`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.settings import Settings, SettingsError


class Undecryptable(Exception):
    """None of the keys opens what is stored: the key it was written with was dropped too early, or it was changed."""


class Cipher:
    """Turns a secret into bytes for the database and back (AES-128-CBC with HMAC, a fresh IV each time)."""

    def __init__(self, keys: str) -> None:
        """`keys`: comma-separated Fernet keys, newest first. Raises SettingsError if there is none or one is malformed."""
        parts = [part.strip() for part in keys.split(",") if part.strip()]
        if not parts:
            raise SettingsError("ENCRYPTION_KEYS is not set")
        try:
            self._newest = Fernet(parts[0])
            self._all = MultiFernet([Fernet(part) for part in parts])
        except ValueError as error:
            # The key itself is never part of the message.
            raise SettingsError("ENCRYPTION_KEYS holds something that is not a Fernet key") from error

    def encrypt(self, secret: str) -> bytes:
        """`secret`, readable only with the newest key."""
        return self._newest.encrypt(secret.encode())

    def decrypt(self, stored: bytes) -> str:
        """The secret that any of the keys encrypted. Raises Undecryptable."""
        try:
            return self._all.decrypt(stored).decode()
        except InvalidToken:
            raise Undecryptable from None

    def outdated(self, stored: bytes) -> bool:
        """True if `stored` was written with a key older than the newest one."""
        try:
            self._newest.decrypt(stored)
        except InvalidToken:
            return True
        return False

    def rotate(self, stored: bytes) -> bytes:
        """The same secret under the newest key. Raises Undecryptable."""
        return self.encrypt(self.decrypt(stored))


def cipher(settings: Settings) -> Cipher:
    """The cipher for `ENCRYPTION_KEYS`. Raises SettingsError."""
    return Cipher(settings.encryption_keys)


def signature(settings: Settings, use: str, text: str) -> str:
    """HMAC-SHA256 of `text`, URL-safe, under a key derived from SECRET_KEY for this `use` and no other.

    Compare with `hmac.compare_digest`.
    """
    key = hmac.digest(settings.secret_key.encode(), use.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode().rstrip("=")


def new_key() -> str:
    """A fresh key for `ENCRYPTION_KEYS`."""
    return Fernet.generate_key().decode()
