"""What reaches a person and by which way: the section of `/settings`, and mail that stopped."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from app.accounts import discord, mail_pauses, repository
from app.accounts.guards import requires_user
from app.accounts.http.common import settings_of, signed_in
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, posted_all, see_other
from app.notifications import preferences
from app.notifications.models import Channel
from app.notifications.preferences import Pair

HERE = "/settings#notifications"
Uow = NamedDependency[UnitOfWork]


@post("/settings/notifications", guards=[requires_user], include_in_schema=False)
async def choose(request: AppRequest, uow: Uow) -> Response[str]:
    """What is ticked reaches the person, what isn't doesn't. HTMX sends the whole form after every tick, too."""
    shown = [channel for channel in Channel if channel in await posted_all(request, "shown")]
    wanted = _pairs(await posted_all(request, "wanted"))
    await preferences.choose(uow, signed_in(request).role, shown, wanted)
    if is_htmx(request):
        return fragment(request, "accounts/_notifications_saved.html", saved=True)
    return see_other(request, HERE, Flash("done", "Saved."))


@post("/settings/mail/resumption", guards=[requires_user], include_in_schema=False)
async def resume_mail(request: AppRequest, uow: Uow) -> Response[str]:
    """Send to the address again."""
    await mail_pauses.resume(uow, uow.user_id)
    if is_htmx(request):
        card = await discord.card(uow, settings_of(request))
        context = await section(uow, signed_in(request), card)
        return fragment(request, "accounts/_notifications.html", resumed=True, **context)
    return see_other(request, HERE, Flash("done", "The next mail goes to your address again."))


async def section(uow: UnitOfWork, viewer: Viewer, card: discord.Card | None) -> dict[str, Any]:
    """What accounts/_notifications.html takes; `card` as for the section of Discord."""
    user = await repository.user_by_id(uow.session, viewer.id)
    channels = [Channel.EMAIL, *([Channel.DISCORD] if card else [])]
    return {
        "topics": preferences.kinds_for(viewer.role),
        "channels": channels,
        "turned_off": await preferences.turned_off(uow, viewer.id),
        "discord_linked": card is not None and card.linked_at is not None,
        "mail_paused_at": user.mail_paused_at if user else None,
        "mail_paused_reason": user.mail_paused_reason if user else None,
        "zone": viewer.time_zone,
    }


def _pairs(texts: list[str]) -> set[Pair]:
    """`session_booked:email` as pairs, without what no form of ours has."""
    parts = [text.partition(":") for text in texts]
    return {(kind, Channel(channel)) for kind, _, channel in parts if channel in set(Channel)}


HANDLERS: list[ControllerRouterHandler] = [choose, resume_mail]
