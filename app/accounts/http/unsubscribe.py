"""`/unsubscribe/{token}`: the link in every mail that can be turned off, for people and for mail programs (RFC 8058).

Looking changes nothing, for mail scanners open links. The token is the proof: no cookie and no CSRF field is asked for.
"""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts import unsubscribing
from app.accounts.http.common import settings_of
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, page, posted
from app.notifications import unsubscribe
from app.notifications.unsubscribe import ONE_CLICK, Choice

PATH = "/unsubscribe/{token:str}"
Uow = NamedDependency[UnitOfWork]
Token = FromPath[str]


@get(PATH, include_in_schema=False)
async def show(request: AppRequest, uow: Uow, token: Token) -> Response[str]:
    """What would be turned off for whom, and the button."""
    return await _show(request, uow, token)


@post(PATH, include_in_schema=False, exclude_from_csrf=True, status_code=200)
async def turn_off(request: AppRequest, uow: Uow, token: Token) -> Response[str]:
    """Turn it off and offer to take that back. No redirect: mail programs don't follow one."""
    name, wanted = ONE_CLICK
    if (await posted(request, name))[name] != wanted:
        return await _show(request, uow, token)
    return await _turn(request, uow, token, on=False)


@post(PATH + "/return", include_in_schema=False, exclude_from_csrf=True, status_code=200)
async def turn_on(request: AppRequest, uow: Uow, token: Token) -> Response[str]:
    """Turn it on again."""
    return await _turn(request, uow, token, on=True)


async def _show(request: AppRequest, uow: UnitOfWork, token: str) -> Response[str]:
    choice = unsubscribe.read(settings_of(request), token)
    address = await unsubscribing.reader(uow, choice) if choice else None
    if choice is None or address is None:
        return _ended(request)
    state = "off" if await unsubscribing.is_off(uow, choice) else "ask"
    return _page(request, state, choice, address, token)


async def _turn(request: AppRequest, uow: UnitOfWork, token: str, *, on: bool) -> Response[str]:
    choice = unsubscribe.read(settings_of(request), token)
    address = await unsubscribing.reader(uow, choice) if choice else None
    if choice is None or address is None:
        return _ended(request)
    await unsubscribing.turn(uow, choice, on=on)
    return _page(request, "on" if on else "off", choice, address, token)


def _page(request: AppRequest, state: str, choice: Choice, address: str, token: str) -> Response[str]:
    return page(
        request,
        "accounts/unsubscribe.html",
        state=state,
        about=choice.kind.about,
        channel=choice.channel,
        address=address,
        action=unsubscribe.PATH + token,
        one_click=ONE_CLICK,
    )


def _ended(request: AppRequest) -> Response[str]:
    return page(request, "accounts/unsubscribe.html", state="ended", status=404)


HANDLERS: list[ControllerRouterHandler] = [show, turn_off, turn_on]
