"""Identifiers and secrets."""

from __future__ import annotations

import hashlib
import re
import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

from app.core.errors import BadRequest, NotFound

__all__ = ["hash_secret", "identifier", "new_id", "new_secret", "parse_id", "quoted"]

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def new_id() -> UUID:
    """A time-ordered UUID (version 7)."""
    return uuid7()


def new_secret() -> str:
    """256 random bits, URL-safe: for cookies, links and access tokens."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """SHA-256 of a high-entropy secret: what the database keeps of it."""
    return hashlib.sha256(secret.encode()).digest()


def parse_id(text: str) -> UUID:
    """The UUID that `text` spells. Raises NotFound: a malformed id names nothing and hints at nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def identifier(text: str, name: str = "id") -> UUID:
    """The UUID that the field `name` spells. Raises BadRequest."""
    if not _ID.fullmatch(text):
        raise BadRequest(f"{name}: {quoted(text)} is not an id. Nothing was changed.")
    return UUID(text)


def quoted(text: str) -> str:
    """`text` as a sentence can carry it."""
    return f"“{text[:60]}”" if text.isprintable() else "that"
