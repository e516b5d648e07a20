"""What members allowed the application: authorization codes, access and refresh tokens. Times are machine time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from sandbox.discord.errors import OAuthError
from sandbox.settings import Settings
from sandbox.state import Collection, Store

ACCESS_SECONDS = 604_800
CODE_SECONDS = 60.0
SCOPES = {
    "identify": "Access your username and avatar",
    "email": "Access your e-mail address",
    "guilds": "Know what servers you're in",
    "guilds.members.read": "Read your member info on servers",
    "guilds.join": "Join servers for you",
}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
PARAMETERS = frozenset(
    [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "prompt",
        "code_challenge",
        "code_challenge_method",
    ]
)


class ConsentError(Exception):
    """An authorization request that Discord shows an error for; `error` is its short name."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message


class Asked(msgspec.Struct, frozen=True):
    """What the application asks a member for, and where it wants the answer."""

    redirect_uri: str
    scopes: list[str]
    state: str
    challenge: str
    method: str


class Code(msgspec.Struct, frozen=True):
    """An authorization code that was handed out, good for one exchange."""

    asked: Asked
    member: str
    expires: float


class Token(msgspec.Struct, frozen=True):
    """An access token, or with `refresh` the token that gives a new one; both have the same `grant`."""

    member: str
    scopes: list[str]
    grant: str
    expires: float
    refresh: bool = False


class Grants:
    """Discord's own records."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._codes: Collection[Code] = store.collection("discord.codes", Code)
        self._tokens: Collection[Token] = store.collection("discord.tokens", Token)

    def clear(self) -> None:
        """Forget everything."""
        self._codes.clear()
        self._tokens.clear()

    def ask(self, query: Mapping[str, str]) -> Asked:
        """What an authorization request asks for. Raises ConsentError if Discord would refuse it."""
        unknown = sorted(query.keys() - PARAMETERS)
        if unknown:
            raise ConsentError("invalid_request", f"Nobody asks Discord with {unknown[0]!r}.")
        if query.get("client_id") != self._settings.discord_client_id:
            raise ConsentError("invalid_client", "Unknown application.")
        _check_redirect(query.get("redirect_uri", ""))
        if query.get("response_type") != "code":
            raise ConsentError("unsupported_response_type", "Only response_type=code is served here.")
        scopes = query.get("scope", "").split()
        if not scopes or not SCOPES.keys() >= set(scopes):
            raise ConsentError("invalid_scope", "The requested scope is invalid, unknown, or malformed.")
        challenge = query.get("code_challenge", "")
        method = query.get("code_challenge_method") or ("plain" if challenge else "")
        if method not in ("", "plain", "S256") or (
            method and not re.fullmatch(r"[-\w.~]{43,128}", challenge)
        ):
            raise ConsentError("invalid_request", "Invalid code challenge.")
        return Asked(query["redirect_uri"], scopes, query.get("state", ""), challenge, method)

    def allow(self, asked: Asked, member: str) -> str:
        """The address to send the browser to after a member's consent."""
        code = secrets.token_urlsafe(22)
        self._codes.put(_print(code), Code(asked, member, time.time() + CODE_SECONDS))
        return _back(asked, {"code": code})

    def deny(self, asked: Asked) -> str:
        """The address to send the browser to after a refusal."""
        told = "The resource owner or authorization server denied the request"
        return _back(asked, {"error": "access_denied", "error_description": told})

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """The tokens for a code, once. Raises OAuthError 400."""
        known = self._codes.get(_print(code))
        if known is None or known.expires <= time.time():
            raise OAuthError(400, "invalid_grant", 'Invalid "code" in request.')
        if redirect_uri != known.asked.redirect_uri:
            raise OAuthError(400, "invalid_grant", 'Invalid "redirect_uri" in request.')
        if known.asked.challenge and not _matches(known.asked, verifier):
            raise OAuthError(400, "invalid_grant", 'Invalid "code_verifier" in request.')
        self._codes.drop(_print(code))
        return self._granted(known.member, known.asked.scopes)

    def refresh(self, secret: str) -> dict[str, Any]:
        """New tokens for a refresh token; the old ones stop working. Raises OAuthError 400."""
        known = self._tokens.get(_print(secret))
        if known is None or not known.refresh:
            raise OAuthError(400, "invalid_grant", 'Invalid "refresh_token" in request.')
        self._end(known.grant)
        return self._granted(known.member, known.scopes)

    def of(self, secret: str) -> Token | None:
        """The access token that this is, if it is good."""
        known = self._tokens.get(_print(secret))
        return known if known and not known.refresh and known.expires > time.time() else None

    def revoke(self, secret: str) -> None:
        """Withdraw the grant that a token belongs to; an unknown one changes nothing."""
        known = self._tokens.get(_print(secret))
        if known:
            self._end(known.grant)

    def _granted(self, member: str, scopes: list[str]) -> dict[str, Any]:
        access, again, grant = (secrets.token_urlsafe(22) for _ in range(3))
        until = time.time() + ACCESS_SECONDS
        self._tokens.put(_print(access), Token(member, scopes, grant, until))
        self._tokens.put(_print(again), Token(member, scopes, grant, until, refresh=True))
        return {
            "token_type": "Bearer",
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": again,
            "scope": " ".join(scopes),
        }

    def _end(self, grant: str) -> None:
        for key, token in self._tokens.items():
            if token.grant == grant:
                self._tokens.drop(key)


def _print(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_redirect(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise ConsentError("invalid_request", "Invalid OAuth2 redirect_uri.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConsentError("invalid_request", "Plain http is only allowed for addresses of this machine.")


def _matches(asked: Asked, verifier: str) -> bool:
    found = verifier
    if asked.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        found = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(found.encode(), asked.challenge.encode())


def _back(asked: Asked, values: dict[str, str]) -> str:
    state = {"state": asked.state} if asked.state else {}
    separator = "&" if urlsplit(asked.redirect_uri).query else "?"
    return asked.redirect_uri + separator + urlencode({**values, **state})
