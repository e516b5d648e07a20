"""Signing up and confirming the address: `/sign-up`, `/check-mail`, `/verify/{token}`."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts import rules, sign_up
from app.accounts.http.common import (
    even_time,
    form_again,
    private_cookie,
    service_door,
    settings_of,
)
from app.core.errors import Invalid
from app.core.web import HOME, AppRequest, Flash, Viewer, page, posted, see_other
from app.core.zones import zone_choices

WRITTEN_TO = "check_mail"


class WrittenTo(msgspec.Struct, frozen=True):
    """What `/check-mail` tells about the mail that was just asked for; it travels in a cookie, not in the address."""

    purpose: Literal["verify", "reset"]
    email: str | None = None


def check_mail_next(
    request: AppRequest, purpose: Literal["verify", "reset"], email: str | None, *flashes: Flash
) -> Response[str]:
    """Go to `/check-mail`, the same way whether or not a mail was sent."""
    response = see_other(request, "/check-mail", *flashes)
    value = base64.urlsafe_b64encode(msgspec.json.encode(WrittenTo(purpose, email))).decode()
    response.set_cookie(
        private_cookie(settings_of(request), WRITTEN_TO, value, max_age=3600, path="/check-mail")
    )
    return response


@get("/sign-up", include_in_schema=False, sync_to_thread=False)
def sign_up_page(request: AppRequest, viewer: NamedDependency[Viewer | None]) -> Response[str]:
    """The form; whoever is signed in has an account already."""
    if viewer is not None:
        return see_other(request, HOME[viewer.role])
    return page(request, "accounts/sign_up.html", form={}, **_choices(request))


@post("/sign-up", include_in_schema=False)
async def sign_up_post(request: AppRequest) -> Response[str]:
    """Make the account, or tell the owner of the address by mail; the answer is the same."""
    form = await posted(request, "name", "email", "password", "time_zone")
    try:
        async with even_time(request), service_door(request) as uow:
            await sign_up.sign_up(uow, settings_of(request), **form)
    except Invalid as error:
        return form_again(request, "accounts/sign_up.html", form, error.fields, **_choices(request))
    return check_mail_next(request, "verify", rules.tidy(form["email"]))


@get("/check-mail", include_in_schema=False, sync_to_thread=False)
def check_mail(request: AppRequest) -> Response[str]:
    """Where to look, and how to have the mail sent again."""
    told = _read(request.cookies.get(WRITTEN_TO))
    return page(request, "accounts/check_mail.html", purpose=told.purpose, email=told.email)


@post("/check-mail", include_in_schema=False)
async def resend(request: AppRequest) -> Response[str]:
    """Send the confirming link again, if that address needs one."""
    form = await posted(request, "email")
    async with even_time(request), service_door(request) as uow:
        await sign_up.resend_verification(uow, settings_of(request), email=form["email"])
    return check_mail_next(request, "verify", rules.tidy(form["email"]), Flash("done", "Sent once more."))


@get("/verify/{token:str}", include_in_schema=False)
async def verify_page(request: AppRequest, token: FromPath[str]) -> Response[str]:
    """Ask first: programs that look at mails open links, too."""
    async with service_door(request) as uow:
        email = await sign_up.address_to_verify(uow, token)
    if email is None:
        return page(request, "accounts/verify.html", state="expired", status=410)
    return page(request, "accounts/verify.html", state="ask", token=token, email=email)


@post("/verify/{token:str}", include_in_schema=False)
async def verify(
    request: AppRequest, token: FromPath[str], viewer: NamedDependency[Viewer | None]
) -> Response[str]:
    """Confirm the address."""
    async with service_door(request) as uow:
        email = await sign_up.verify(uow, token)
    if email is None:
        return page(request, "accounts/verify.html", state="expired", status=410)
    if viewer is not None:
        return see_other(request, HOME[viewer.role], Flash("done", f"{email} is confirmed."))
    return page(request, "accounts/verify.html", state="done", email=email, status=200)


def _choices(request: AppRequest) -> dict[str, Any]:
    return {"zones": zone_choices(), "google_enabled": settings_of(request).google_enabled}


def _read(cookie: str | None) -> WrittenTo:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cookie or ""), type=WrittenTo)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return WrittenTo("verify")


HANDLERS = [sign_up_page, sign_up_post, check_mail, resend, verify_page, verify]
