"""Linking a Discord account: `/auth/discord`, the way back, and unlinking it in the settings."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.accounts import discord
from app.accounts.discord_oauth import DiscordOAuth
from app.accounts.guards import requires_user
from app.accounts.http.common import service_door, settings_of, signed_in
from app.accounts.http.trips import Road, arrive, leave
from app.accounts.themselves import require_themselves
from app.accounts.trips import Trip
from app.core.errors import BadRequest, NotFound, Refused, Unavailable
from app.core.middleware import unit_of_work
from app.core.unit_of_work import Principal, UnitOfWork
from app.core.web import AppRequest, Flash, fragment, is_htmx, local_path, page, see_other

ROAD = Road("Discord", "/auth/discord", "discord_trip")
PURPOSE = "discord"
CARD = "/settings#discord"
DENIED = "You said no at Discord. Nothing was changed."
LINKED = "Discord is linked: you are {name} there."
UNLINKED = "Discord is unlinked."
Uow = NamedDependency[UnitOfWork]


@get("/auth/discord", guards=[requires_user], include_in_schema=False)
async def set_out(request: AppRequest, uow: Uow) -> Response[str]:
    """Send the browser to Discord's consent page; `next`: where they go on afterwards."""
    adapter = _adapter(request)
    require_themselves(uow.principal)
    details = {"next": local_path(request.query_params.get("next"), "")}
    user_id = signed_in(request).id
    return await leave(request, ROAD, PURPOSE, adapter.consent_page, user_id=user_id, details=details)


@get("/auth/discord/callback", guards=[requires_user], include_in_schema=False)
async def come_back(request: AppRequest, uow: Uow) -> Response[str]:
    """Take the trip's state, ask Discord whose account it was outside of any transaction, and link it."""
    adapter, principal = _adapter(request), uow.principal
    require_themselves(principal)
    try:
        trip = await arrive(request, ROAD, (PURPOSE,))
    except BadRequest as error:
        return await _again(request, uow, error)
    code = request.query_params.get("code")
    if "error" in request.query_params or not code:
        return _back(request, trip, Flash("note", DENIED))
    try:
        name = await _link(request, adapter, principal, code, trip)
    except (Refused, Unavailable) as error:
        return _back(request, trip, Flash("problem", error.detail))
    return _back(request, trip, Flash("done", LINKED.format(name=name)))


async def _link(
    request: AppRequest, adapter: DiscordOAuth, principal: Principal, code: str, trip: Trip
) -> str:
    await unit_of_work(request.scope).commit()
    account = await adapter.account(code, trip.verifier)
    async with service_door(request) as uow:
        await discord.link(uow, principal, account)
    return account.name


async def _again(request: AppRequest, uow: UnitOfWork, error: BadRequest) -> Response[str]:
    """The way back was used: by a second click, or the back button. Where that worked, they are shown so."""
    found = await discord.card(uow, settings_of(request))
    if found is None or found.linked_at is None:
        raise error
    return see_other(request, CARD, Flash("note", LINKED.format(name=found.name)))


@get("/settings/discord/disconnection", guards=[requires_user], include_in_schema=False)
async def ask_to_unlink(request: AppRequest, uow: Uow) -> Response[str]:
    """Ask once more."""
    found = await discord.card(uow, settings_of(request))
    if found is None or found.linked_at is None:
        return see_other(request, "/settings")
    if is_htmx(request):
        return fragment(request, "accounts/_unlink_discord.html", discord=found)
    return page(request, "accounts/unlink_discord.html", discord=found)


@post("/settings/discord/disconnection", guards=[requires_user], include_in_schema=False)
async def unlink(request: AppRequest, uow: Uow) -> Response[str]:
    """The Discord account is theirs no more here."""
    await discord.unlink(uow)
    return see_other(request, "/settings", Flash("done", UNLINKED))


def _back(request: AppRequest, trip: Trip, flash: Flash) -> Response[str]:
    return see_other(request, local_path(str(trip.details.get("next")), "") or CARD, flash)


def _adapter(request: AppRequest) -> DiscordOAuth:
    if not settings_of(request).discord_linking:
        raise NotFound
    adapter: DiscordOAuth = request.app.state.platform.discord_oauth
    return adapter


HANDLERS = [set_out, come_back, ask_to_unlink, unlink]
