"""Signing in and out: `/sign-in`, `/sign-out`."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.accounts import sign_in, sign_up
from app.accounts.http import impersonation
from app.accounts.http.common import (
    browser_of,
    forget_browser,
    form_again,
    remember,
    service_door,
    settings_of,
)
from app.accounts.http.sign_up import check_mail_next
from app.core.errors import Invalid, Refused
from app.core.unit_of_work import Role
from app.core.web import HOME, AppRequest, Flash, Viewer, local_path, page, posted, see_other

UNCONFIRMED = "Your address isn't confirmed yet. We have sent you the link once more."


@get("/sign-in", include_in_schema=False)
async def sign_in_page(request: AppRequest, viewer: NamedDependency[Viewer | None]) -> Response[str]:
    """The form; whoever is signed in goes where they wanted to go, as does an admin whose hour as another is over."""
    wanted = local_path(request.query_params.get("next"), "")
    if viewer is not None:
        return see_other(request, wanted or HOME[viewer.role])
    own = await impersonation.own_again(request)
    if own is not None:
        back = see_other(request, wanted or HOME[Role.ADMIN], Flash("note", impersonation.BACK))
        return remember(request, back, own)
    form = {"email": "", "next": wanted}
    return page(
        request, "accounts/sign_in.html", form=form, google_enabled=settings_of(request).google_enabled
    )


@post("/sign-in", include_in_schema=False)
async def sign_in_post(request: AppRequest) -> Response[str]:
    """Start a web session with a new secret, and go on."""
    form = await posted(request, "email", "password", "next")
    form["next"] = local_path(form["next"], "")
    settings = settings_of(request)
    try:
        async with service_door(request) as uow:
            signed_in = await sign_in.sign_in(
                uow, settings, email=form["email"], password=form["password"], browser=browser_of(request)
            )
    except Invalid as error:
        return form_again(
            request, "accounts/sign_in.html", form, error.fields, google_enabled=settings.google_enabled
        )
    except Refused:  # the password is right, the address isn't confirmed
        async with service_door(request) as uow:
            await sign_up.resend_verification(uow, settings, email=form["email"])
        return check_mail_next(request, "verify", form["email"], Flash("note", UNCONFIRMED))
    response = see_other(request, form["next"] or HOME[signed_in.role])
    return remember(request, response, signed_in.secret)


@post("/sign-out", include_in_schema=False)
async def sign_out(request: AppRequest) -> Response[str]:
    """End this browser's web session."""
    async with service_door(request) as uow:
        await impersonation.sign_out(uow, request)
    return forget_browser(see_other(request, "/"))


HANDLERS = [sign_in_page, sign_in_post, sign_out]
