"""OAuth over HTTP: the consent page, tokens, and who a token's member is."""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import UTC, datetime
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency

from sandbox.chaos import Chaos
from sandbox.discord.errors import OAuthError, unauthorized
from sandbox.discord.grants import SCOPES, Asked, ConsentError, Grants, Token
from sandbox.discord.http import as_bot
from sandbox.discord.service import Discord
from sandbox.discord.shown import application, bot_itself
from sandbox.discord.things import Member, user_shown
from sandbox.http import HttpRequest, HttpResponse, form, json_answer, query_pairs, see_other
from sandbox.pages import Pages


@get("/oauth2/authorize")
async def ask(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    grants: NamedDependency[Grants],
    pages: NamedDependency[Pages],
) -> HttpResponse:
    """Ask which member to be and whether to allow it, or Discord's error page."""
    try:
        return _asking(discord, pages, grants.ask(dict(query_pairs(request))))
    except ConsentError as error:
        return pages.show("discord/blocked.html", 400, error=error.error, message=error.message)


@post("/oauth2/authorize")
async def decide(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    grants: NamedDependency[Grants],
    pages: NamedDependency[Pages],
) -> HttpResponse:
    """Send the browser back with a code or a refusal."""
    values = await form(request)
    try:
        asked = grants.ask(dict(query_pairs(request)))
    except ConsentError as error:
        return pages.show("discord/blocked.html", 400, error=error.error, message=error.message)
    if values.get("decision") != "allow":
        return see_other(grants.deny(asked))
    member = values.get("member", "")
    if member not in discord.members:
        return _asking(discord, pages, asked, "Choose who you are.", 400)
    return see_other(grants.allow(asked, member))


def _asking(
    discord: Discord, pages: Pages, asked: Asked, problem: str = "", status: int = 200
) -> HttpResponse:
    return pages.show(
        "discord/authorize.html",
        status,
        application=application(discord)["name"],
        members=discord.members.values(),
        wishes=[SCOPES[scope] for scope in asked.scopes],
        redirect_uri=asked.redirect_uri,
        problem=problem,
    )


@post("/oauth2/token", status_code=200)
async def token(
    request: HttpRequest, discord: NamedDependency[Discord], grants: NamedDependency[Grants]
) -> HttpResponse:
    """Exchange of a code, or of a refresh token, for an access token."""
    values = await _fields(request)
    _check_client(discord, values, request.headers.get("authorization", ""))
    grant = values.get("grant_type", "")
    if grant == "refresh_token":
        return json_answer(grants.refresh(values.get("refresh_token", "")))
    if grant != "authorization_code":
        raise OAuthError(400, "unsupported_grant_type", f"Grant type {grant or None} is not supported")
    code, uri = values.get("code", ""), values.get("redirect_uri", "")
    return json_answer(grants.exchange(code, uri, values.get("code_verifier", "")))


@post("/oauth2/token/revoke", status_code=200)
async def revoke(
    request: HttpRequest, discord: NamedDependency[Discord], grants: NamedDependency[Grants]
) -> HttpResponse:
    """Withdraw what a member allowed."""
    values = await _fields(request)
    _check_client(discord, values, request.headers.get("authorization", ""))
    if not values.get("token"):
        raise OAuthError(400, "invalid_request", 'Missing "token" in request.')
    grants.revoke(values["token"])
    return json_answer({})


@get("/oauth2/@me")
async def show_grant(
    request: HttpRequest, discord: NamedDependency[Discord], grants: NamedDependency[Grants]
) -> HttpResponse:
    """What the caller's token allows, and whose it is."""
    known, member = bearer(request, discord, grants)
    names = ("id", "name", "icon", "description", "bot_public", "bot_require_code_grant", "verify_key")
    app = application(discord)
    about = {
        "application": {name: app[name] for name in names},
        "scopes": known.scopes,
        "expires": datetime.fromtimestamp(known.expires, UTC).isoformat(),
    }
    return json_answer(about | ({"user": user_shown(member)} if "identify" in known.scopes else {}))


@get("/users/@me")
async def show_me(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    grants: NamedDependency[Grants],
    chaos: NamedDependency[Chaos],
) -> HttpResponse:
    """The caller's own account: the bot's, or that of a member who allowed `identify`."""
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return as_bot(request, discord, chaos, "users").answer(bot_itself(discord))
    known, member = bearer(request, discord, grants)
    if "identify" not in known.scopes:
        raise unauthorized()
    leave = discord.limits.take("users", known.grant)
    own: dict[str, Any] = {"mfa_enabled": False, "locale": "en-US", "premium_type": 0}
    if "email" in known.scopes:
        own |= {"email": member.email, "verified": True}
    return leave.answer(user_shown(member) | own)


def bearer(request: HttpRequest, discord: Discord, grants: Grants) -> tuple[Token, Member]:
    """The caller's access token and its member. Raises DiscordError 401."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    known = grants.of(secret) if scheme == "Bearer" else None
    member = discord.members.get(known.member) if known else None
    if known is None or member is None:
        raise unauthorized()
    return known, member


async def _fields(request: HttpRequest) -> dict[str, str]:
    """A form's members, urlencoded or multipart. Raises OAuthError 400 for JSON, as Discord does."""
    kind = request.headers.get("content-type", "").split(";")[0]
    if kind == "multipart/form-data":
        return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    if kind != "application/x-www-form-urlencoded":
        raise OAuthError(400, "invalid_request", "The body must be application/x-www-form-urlencoded.")
    return await form(request)


def _check_client(discord: Discord, values: dict[str, str], header: str) -> None:
    client, secret = values.get("client_id", ""), values.get("client_secret", "")
    if header.startswith("Basic "):
        try:
            client, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError(401, "invalid_client") from None
    good = hmac.compare_digest(secret.encode(), discord.settings.discord_client_secret.encode())
    if client != discord.bot_id or not good:
        raise OAuthError(401, "invalid_client")


PAGES = [ask, decide]
HANDLERS = [token, revoke, show_grant, show_me]
