"""`/impersonation/end`: an admin who was signed in as somebody else becomes themselves again, without a new password.

Meanwhile the browser keeps the secret of the admin's own session in a second cookie, out of reach of scripts. It is
taken back only while it is still the session of an admin.
"""

from __future__ import annotations

from uuid import UUID

from litestar import Response, post

from app.accounts import impersonation, web_sessions
from app.accounts.authentication import SESSION_COOKIE
from app.accounts.http.common import (
    OWN_COOKIE,
    forget_browser,
    private_cookie,
    remember,
    service_door,
    settings_of,
)
from app.accounts.impersonation import Worn
from app.core.unit_of_work import UnitOfWork
from app.core.web import HOME, AppRequest, Flash, see_other

BACK = "You are yourself again."
ENDED = "Your own sign-in has ended meanwhile. Please sign in again."


@post("/impersonation/end", include_in_schema=False)
async def end(request: AppRequest) -> Response[str]:
    """Go back to oneself; where that session is over, to the sign-in page."""
    own = request.cookies.get(OWN_COOKIE)
    async with service_door(request) as uow:
        person = await impersonation.end(uow, request.cookies.get(SESSION_COOKIE))
        may = await impersonation.is_own(uow, own)
    if own is None or not may:
        flashes = [Flash("note", ENDED)] if person else []
        return forget_browser(see_other(request, "/sign-in", *flashes))
    return remember(request, see_other(request, _person(person), Flash("done", BACK)), own)


def put_on(request: AppRequest, worn: Worn) -> Response[str]:
    """Send the admin's browser to the person's home, signed in as them; its own session's secret waits beside."""
    response = see_other(request, HOME[worn.role])
    own = request.cookies.get(SESSION_COOKIE, "")
    remember(request, response, worn.secret)
    settings = settings_of(request)
    response.set_cookie(private_cookie(settings, OWN_COOKIE, own, max_age=settings.sign_in_days * 86_400))
    return response


async def sign_out(uow: UnitOfWork, request: AppRequest) -> None:
    """End this browser's web session, and with one as somebody else the admin's own. Service unit of work."""
    await impersonation.end(uow, request.cookies.get(SESSION_COOKIE))
    for cookie in (SESSION_COOKIE, OWN_COOKIE):
        await web_sessions.end(uow, request.cookies.get(cookie))


async def own_again(request: AppRequest) -> str | None:
    """The admin's own secret, where the hour as somebody else is over and their own session isn't."""
    own = request.cookies.get(OWN_COOKIE)
    if own is None:
        return None
    async with service_door(request) as uow:
        return own if await impersonation.is_own(uow, own) else None


def _person(user_id: UUID | None) -> str:
    return f"/admin/users/{user_id}" if user_id else "/admin/students"


HANDLERS = [end]
