"""What the account pages share: the door to the service, the session cookie, answers that take even time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie

from app.accounts.authentication import SESSION_COOKIE
from app.accounts.web_sessions import Browser
from app.core.db import Database
from app.core.errors import Unauthenticated
from app.core.limits import address_of
from app.core.middleware import unit_of_work
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page, viewer_of
from app.settings import Settings

OWN_COOKIE = "own_session"
"""An admin's own secret while they are signed in as somebody else (`app.accounts.http.impersonation`)."""


def settings_of(request: AppRequest) -> Settings:
    """The platform's settings."""
    settings: Settings = request.app.state.platform.settings
    return settings


def signed_in(request: AppRequest) -> Viewer:
    """Who is signed in. Raises Unauthenticated, which the guard before the handler usually has done already."""
    viewer = viewer_of(request)
    if viewer is None:
        raise Unauthenticated
    return viewer


@asynccontextmanager
async def service_door(
    request: AppRequest, door: ServiceDoor = ServiceDoor.SIGN_IN
) -> AsyncIterator[UnitOfWork]:
    """A service unit of work, committed at the end of the block: for those who aren't known yet, or an admin's work.

    It knows where the request comes from, for the audit log.
    The request's own transaction ends before, so that no request holds two connections.
    """
    await unit_of_work(request.scope).commit()
    database: Database = request.app.state.database
    async with database.service(door) as uow, uow.transaction():
        uow.principal = replace(uow.principal, address=address_of(request.scope))
        yield uow


@asynccontextmanager
async def even_time(request: AppRequest) -> AsyncIterator[None]:
    """The block takes at least the time of EVEN_ANSWER_MS: how long it really took tells nobody who has an account."""
    ends = time.monotonic() + settings_of(request).even_answer_ms / 1000
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, ends - time.monotonic()))


def browser_of(request: AppRequest) -> Browser:
    """What the request says about its browser."""
    return Browser(request.headers.get("user-agent"), request.cookies.get(SESSION_COOKIE))


def form_again(
    request: AppRequest, template: str, form: Mapping[str, str], errors: Mapping[str, str], **context: Any
) -> Response[str]:
    """The form with a message beside each wrong field, 422: the fragment `_<page>.html` for HTMX, else the page."""
    shown = {name: value for name, value in form.items() if "password" not in name}
    context |= {"form": shown, "errors": in_order(errors, form)}
    if is_htmx(request):
        folder, _, name = template.rpartition("/")
        return fragment(request, f"{folder}/_{name}", status=422, **context)
    return page(request, template, status=422, **context)


def in_order(errors: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
    """The errors in the order of the form's fields: the first takes the focus."""
    names = [*form, *errors]
    return {name: errors[name] for name in dict.fromkeys(names) if name in errors}


def remember(request: AppRequest, response: Response[str], secret: str) -> Response[str]:
    """Let the browser carry the session's secret: for this site only, out of reach of scripts."""
    settings = settings_of(request)
    if OWN_COOKIE in request.cookies:
        response.delete_cookie(OWN_COOKIE)
    response.set_cookie(
        private_cookie(settings, SESSION_COOKIE, secret, max_age=settings.sign_in_days * 86_400)
    )
    return response


def forget_browser(response: Response[str]) -> Response[str]:
    """Take the session's secret from the browser, an admin's own included."""
    for cookie in (SESSION_COOKIE, OWN_COOKIE):
        response.delete_cookie(cookie)
    return response


def private_cookie(settings: Settings, key: str, value: str, *, max_age: int, path: str = "/") -> Cookie:
    """A cookie that scripts can't read, other sites can't send along with posts, and plain http doesn't carry."""
    return Cookie(
        key=key,
        value=value,
        path=path,
        max_age=max_age,
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https://"),
    )
