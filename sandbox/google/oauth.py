"""OAuth and OpenID Connect over HTTP: authorize, token, revoke, userinfo, certificates."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Any

import msgspec
from litestar import get, post, route
from litestar.di import NamedDependency

from sandbox.google import consent
from sandbox.google.accounts import ACCESS_SECONDS, Account, Code, fingerprint
from sandbox.google.calendar import bearer
from sandbox.google.errors import GoogleError, OAuthError
from sandbox.google.service import Google
from sandbox.http import HttpRequest, HttpResponse, form, json_answer, query_pairs, see_other
from sandbox.pages import Pages

ISSUER = "https://accounts.google.com"


@get("/o/oauth2/v2/auth")
async def authorize(
    request: HttpRequest, google: NamedDependency[Google], pages: NamedDependency[Pages]
) -> HttpResponse:
    """Start of a consent: to the page that asks, back at once for prompt=none, or Google's error page."""
    try:
        asked = consent.ask(google, dict(query_pairs(request)))
    except consent.ConsentError as error:
        return pages.show("google/blocked.html", 400, error=error.error, message=error.message)
    return see_other(consent.without_asking(google, asked) or f"/google/consent?request={asked.id}")


@post("/token", status_code=200)
async def token(request: HttpRequest, google: NamedDependency[Google]) -> HttpResponse:
    """Exchange of a code, or of a refresh token, for an access token."""
    values = await form(request)
    _check_client(google, values, request.headers.get("authorization", ""))
    grant = values.get("grant_type", "")
    if grant == "authorization_code":
        return json_answer(_from_code(google, values))
    if grant == "refresh_token":
        return json_answer(_from_refresh(google, values))
    raise OAuthError(400, "unsupported_grant_type", f"Invalid grant_type: {grant}")


def _check_client(google: Google, values: dict[str, str], header: str) -> None:
    client, secret = values.get("client_id", ""), values.get("client_secret", "")
    if header.startswith("Basic "):
        client, secret = _basic(header[6:])
    if client != google.settings.google_client_id:
        raise OAuthError(401, "invalid_client", "The OAuth client was not found.")
    if not secret:
        raise OAuthError(400, "invalid_request", "client_secret is missing.")
    if not hmac.compare_digest(secret.encode(), google.settings.google_client_secret.encode()):
        raise OAuthError(401, "invalid_client", "Unauthorized")


def _basic(credentials: str) -> tuple[str, str]:
    try:
        client, _, secret = base64.b64decode(credentials, validate=True).decode("latin-1").partition(":")
    except binascii.Error:
        raise OAuthError(400, "invalid_request", "Malformed Authorization header.") from None
    return client, secret


def _from_code(google: Google, values: dict[str, str]) -> dict[str, Any]:
    if not values.get("code"):
        raise OAuthError(400, "invalid_request", "Missing required parameter: code")
    key = fingerprint(values["code"])
    code = google.accounts.codes.get(key)
    if code is None:
        raise OAuthError(400, "invalid_grant", "Malformed auth code.")
    if code.used or code.expires <= time.time():
        raise OAuthError(400, "invalid_grant", "Bad Request")
    if values.get("redirect_uri") != code.asked.redirect_uri:
        raise OAuthError(400, "redirect_uri_mismatch", "Bad Request")
    _check_verifier(code, values.get("code_verifier", ""))
    google.accounts.codes.put(key, msgspec.structs.replace(code, used=True))
    answer = _granted(google, code.account, code.asked.client_id, code.scopes, code.asked.nonce)
    if code.refreshable:
        answer["refresh_token"] = google.accounts.give_refresh(
            code.account, code.asked.client_id, code.scopes
        )
    return answer


def _check_verifier(code: Code, verifier: str) -> None:
    if not code.asked.challenge:
        return
    if not verifier:
        raise OAuthError(400, "invalid_grant", "Missing code verifier.")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(digest, code.asked.challenge):
        raise OAuthError(400, "invalid_grant", "Invalid code verifier.")


def _from_refresh(google: Google, values: dict[str, str]) -> dict[str, Any]:
    if not values.get("refresh_token"):
        raise OAuthError(400, "invalid_request", "Missing required parameter: refresh_token")
    known = google.accounts.refresh.get(fingerprint(values["refresh_token"]))
    if known is None:
        raise OAuthError(400, "invalid_grant", "Token has been expired or revoked.")
    wanted = set(values.get("scope", "").split()) or set(known.scopes)
    if not wanted <= set(known.scopes):
        raise OAuthError(400, "invalid_scope", "Bad Request")
    return _granted(google, known.account, known.client_id, sorted(wanted), "")


def _granted(google: Google, address: str, client_id: str, scopes: list[str], nonce: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "access_token": google.accounts.give_access(address, client_id, scopes),
        "expires_in": ACCESS_SECONDS,
        "scope": " ".join(scopes),
        "token_type": "Bearer",
    }
    account = google.accounts.people.get(address)
    if account and "openid" in scopes:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": client_id, "azp": client_id, "iat": now, "exp": now + ACCESS_SECONDS}
        claims |= {**claims_of(account, scopes), **({"nonce": nonce} if nonce else {})}
        answer["id_token"] = google.keys.signed(claims)
    return answer


def claims_of(account: Account, scopes: list[str]) -> dict[str, Any]:
    """What the scopes allow to be said about the account."""
    claims: dict[str, Any] = {"sub": account.sub}
    if consent.EMAIL in scopes:
        claims |= {"email": account.address, "email_verified": account.email_verified}
    if consent.PROFILE in scopes:
        given, _, family = account.name.partition(" ")
        claims |= {"name": account.name, "given_name": given}
        claims |= {"family_name": family} if family else {}
        claims |= {"picture": account.picture} if account.picture else {}
    return claims


@post("/revoke", status_code=200)
async def revoke(request: HttpRequest, google: NamedDependency[Google]) -> HttpResponse:
    """Withdraw the grant that a refresh or access token belongs to."""
    secret = {**dict(query_pairs(request)), **await form(request)}.get("token", "")
    if not secret:
        raise OAuthError(400, "invalid_request", "Missing required parameter: token")
    key = fingerprint(secret)
    known = google.accounts.refresh.get(key) or google.accounts.access.get(key)
    if known is None:
        raise OAuthError(400, "invalid_token", "Token expired or revoked")
    google.revoke(known.account, known.client_id)
    return json_answer({})


@route("/userinfo", http_method=["GET", "POST"], status_code=200)
async def userinfo(request: HttpRequest, google: NamedDependency[Google]) -> HttpResponse:
    """OpenID Connect userinfo."""
    try:
        known = bearer(google, request.headers.get("authorization", ""))
    except GoogleError:
        raise OAuthError(401, "invalid_request", "Invalid Credentials") from None
    account = google.accounts.people.get(known.account)
    if account is None or "openid" not in known.scopes:
        raise OAuthError(403, "insufficient_scope", "The openid scope was not granted.")
    return json_answer(claims_of(account, known.scopes))


@get("/oauth2/v3/certs")
async def certs(google: NamedDependency[Google]) -> HttpResponse:
    """The keys of ID tokens as a JWK set."""
    return json_answer(google.keys.jwks(), headers={"cache-control": "public, max-age=3600"})


@get("/oauth2/v1/certs")
async def pem_certs(google: NamedDependency[Google]) -> HttpResponse:
    """The keys of ID tokens as PEM by key id, as the client library reads them."""
    return json_answer({google.keys.id: google.keys.public_pem})


HANDLERS = [authorize, token, revoke, userinfo, certs, pem_certs]
