"""The way through Google's consent: what a client may ask for, and what it gets."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode, urlsplit

from sandbox.google.accounts import Account, Asked
from sandbox.google.contract import known_scopes
from sandbox.google.service import Google

EMAIL = "https://www.googleapis.com/auth/userinfo.email"
PROFILE = "https://www.googleapis.com/auth/userinfo.profile"
IDENTITY = frozenset({"openid", EMAIL, PROFILE})
_SHORT = {"email": EMAIL, "profile": PROFILE}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_PARAMETERS = frozenset(
    [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "access_type",
        "prompt",
        "login_hint",
        "include_granted_scopes",
        "nonce",
        "enable_granular_consent",
        "hd",
        "hl",
    ]
)
_PROMPTS = {"none", "consent", "select_account"}


class ConsentError(Exception):
    """An authorization request Google shows an error page for; `error` is its short name."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message


def ask(google: Google, query: Mapping[str, str]) -> Asked:
    """Keep an authorization request for the consent page. Raises ConsentError if Google would refuse it."""
    unknown = sorted(query.keys() - _PARAMETERS)
    if unknown:
        raise ConsentError("invalid_request", f"Parameter not allowed for this message type: {unknown[0]}")
    if query.get("client_id") != google.settings.google_client_id:
        raise ConsentError("invalid_client", "The OAuth client was not found.")
    _check_redirect(query.get("redirect_uri", ""))
    if query.get("response_type") != "code":
        raise ConsentError("unsupported_response_type", "Only response_type=code is served here.")
    if query.get("access_type", "online") not in ("online", "offline"):
        raise ConsentError(
            "invalid_request", f"Invalid parameter value for access_type: {query['access_type']}"
        )
    if not set(query.get("prompt", "").split()) <= _PROMPTS:
        raise ConsentError("invalid_request", f"Invalid parameter value for prompt: {query['prompt']}")
    asked = Asked(
        id=secrets.token_urlsafe(12),
        client_id=query["client_id"],
        redirect_uri=query["redirect_uri"],
        scopes=_scopes(query.get("scope", "")),
        state=query.get("state", ""),
        challenge=_challenge(query),
        nonce=query.get("nonce", ""),
        offline=query.get("access_type") == "offline",
        prompt=query.get("prompt", ""),
        login_hint=query.get("login_hint", ""),
        include_granted=query.get("include_granted_scopes") == "true",
        machine_time=time.time(),
    )
    return google.accounts.asked.put(asked.id, asked)


def _check_redirect(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise ConsentError("invalid_request", "Missing or malformed redirect_uri.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConsentError(
            "redirect_uri_mismatch", "Plain http is only allowed for addresses of this machine."
        )


def _scopes(text: str) -> list[str]:
    scopes = list(dict.fromkeys(_SHORT.get(scope, scope) for scope in text.split()))
    if not scopes:
        raise ConsentError("invalid_request", "Missing required parameter: scope")
    unknown = [scope for scope in scopes if scope not in IDENTITY | known_scopes()]
    if unknown:
        raise ConsentError("invalid_scope", f"Some requested scopes were invalid: {unknown}")
    return scopes


def _challenge(query: Mapping[str, str]) -> str:
    challenge, method = query.get("code_challenge", ""), query.get("code_challenge_method")
    if not challenge:
        if method is not None:
            raise ConsentError("invalid_request", "code_challenge_method without code_challenge.")
        return ""
    if method != "S256":
        raise ConsentError("invalid_request", "code_challenge_method has to be S256; plain is not accepted.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge):
        raise ConsentError("invalid_request", "code_challenge is no S256 challenge.")
    return challenge


def without_asking(google: Google, asked: Asked) -> str | None:
    """Where prompt=none leads at once: back with a code if all was granted before, else with an error."""
    if "none" not in asked.prompt:
        return None
    if asked.login_hint in google.accounts.people and set(asked.scopes) <= google.accounts.granted(
        asked.login_hint, asked.client_id
    ):
        return allow(google, asked, asked.login_hint, asked.scopes)
    return _back(asked, {"error": "interaction_required"})


def allow(google: Google, asked: Asked, address: str, scopes: Iterable[str]) -> str:
    """The address to send the browser to after consent to some of the asked scopes; identity is always included.

    Raises ConsentError for an account that does not exist or a scope that was not asked for.
    """
    account: Account | None = google.accounts.people.get(address)
    if account is None:
        raise ConsentError("invalid_request", f"There is no account {address!r} here.")
    chosen = set(scopes)
    if not chosen <= set(asked.scopes):
        raise ConsentError("invalid_scope", f"Not asked for: {sorted(chosen - set(asked.scopes))}")
    chosen |= IDENTITY.intersection(asked.scopes)
    if not chosen:
        return deny(google, asked)
    code = google.accounts.give_code(asked, address, chosen)
    shown = {
        "code": code,
        "scope": " ".join(sorted(chosen)),
        "authuser": "0",
        "prompt": asked.prompt or "none",
    }
    return _back(asked, shown)


def deny(google: Google, asked: Asked) -> str:
    """The address to send the browser to after a refusal."""
    google.accounts.asked.drop(asked.id)
    return _back(asked, {"error": "access_denied"})


def _back(asked: Asked, values: dict[str, str]) -> str:
    state = {"state": asked.state} if asked.state else {}
    separator = "&" if urlsplit(asked.redirect_uri).query else "?"
    return asked.redirect_uri + separator + urlencode({**state, **values})
