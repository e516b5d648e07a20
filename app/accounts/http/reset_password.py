"""A forgotten password: `/reset-password`, `/reset-password/{token}`."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath

from app.accounts import password_change
from app.accounts.http.common import even_time, forget_browser, form_again, service_door, settings_of
from app.accounts.http.sign_up import check_mail_next
from app.core.errors import Invalid
from app.core.web import AppRequest, Flash, is_htmx, page, posted, see_other

DONE = "Your new password is set. Every device was signed out, access tokens ended and Discord was unlinked; sign in now."


@get("/reset-password", include_in_schema=False, sync_to_thread=False)
def ask_page(request: AppRequest) -> Response[str]:
    """The form for the address."""
    return page(request, "accounts/reset_password.html", form={})


@post("/reset-password", include_in_schema=False)
async def ask(request: AppRequest) -> Response[str]:
    """Mail a link, if the address has an account; the answer is the same."""
    form = await posted(request, "email")
    try:
        async with even_time(request), service_door(request) as uow:
            await password_change.request_reset(uow, settings_of(request), email=form["email"])
    except Invalid as error:
        return form_again(request, "accounts/reset_password.html", form, error.fields)
    return check_mail_next(request, "reset", None)


@get("/reset-password/{token:str}", include_in_schema=False)
async def choose_page(request: AppRequest, token: FromPath[str]) -> Response[str]:
    """The form for the new password, while the link works."""
    async with service_door(request) as uow:
        works = await password_change.reset_works(uow, token)
    if not works:
        return _expired(request)
    return page(request, "accounts/reset_password_new.html", state="ask", token=token)


@post("/reset-password/{token:str}", include_in_schema=False)
async def choose(request: AppRequest, token: FromPath[str]) -> Response[str]:
    """Set the new password and sign out everywhere, this browser included."""
    form = await posted(request, "password")
    try:
        async with service_door(request) as uow:
            done = await password_change.reset_password(uow, token, new=form["password"])
    except Invalid as error:
        context = {"state": "ask", "token": token}
        return form_again(request, "accounts/reset_password_new.html", {}, error.fields, **context)
    if not done:
        return _expired(request)
    return forget_browser(see_other(request, "/sign-in", Flash("done", DONE)))


def _expired(request: AppRequest) -> Response[str]:
    if is_htmx(request):
        return see_other(request, request.url.path)
    return page(request, "accounts/reset_password_new.html", state="expired", status=410)


HANDLERS = [ask_page, ask, choose_page, choose]
