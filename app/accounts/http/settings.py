"""`/settings`: profile, password, Google, Discord, devices, access tokens. Each section is a form and a fragment of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts import (
    access_tokens,
    discord,
    identities,
    password_change,
    profile,
    rules,
    student_profile,
    web_sessions,
)
from app.accounts.authentication import SESSION_COOKIE
from app.accounts.guards import requires_student, requires_user
from app.accounts.http import notifications
from app.accounts.http.common import forget_browser, in_order, settings_of, signed_in
from app.core.errors import Invalid
from app.core.ids import parse_id
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import (
    THEME_COOKIE,
    AppRequest,
    Flash,
    Viewer,
    fragment,
    is_htmx,
    page,
    posted,
    see_other,
)
from app.core.zones import zone_choices

YEAR = 31_536_000
TOKEN_FORM = {"name": "", "expires_in_days": "90"}


@dataclass(frozen=True)
class NewToken:
    """A token on the one page that shows it."""

    name: str
    value: str


@get("/", include_in_schema=False)
async def settings_page(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """All sections."""
    return page(request, "accounts/settings.html", **await sections(request, uow))


@post("/profile", include_in_schema=False)
async def change_profile(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """Name, time zone, light or dark."""
    form = await posted(request, "name", "time_zone", "theme")
    theme = form["theme"] or "auto"
    try:
        await profile.change_profile(uow, name=form["name"], time_zone=form["time_zone"], theme=theme)
    except Invalid as error:
        return await _section(
            request, uow, "profile", 422, profile_form=form, profile_errors=in_order(error.fields, form)
        )
    response = see_other(request, "/settings", Flash("done", "Saved."))
    # For the pages before the next sign-in, too.
    secure = settings_of(request).public_url.startswith("https://")
    response.set_cookie(
        Cookie(key=THEME_COOKIE, value=theme, max_age=YEAR, httponly=True, samesite="lax", secure=secure)
    )
    return response


@post("/about", include_in_schema=False, guards=[requires_student])
async def change_about(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """What a student tells their instructors about themselves."""
    form = await posted(request, *student_profile.FIELDS)
    try:
        await student_profile.change(uow, form)
    except Invalid as error:
        wrong = {"about_form": form, "about_errors": in_order(error.fields, form)}
        return await _section(request, uow, "about", 422, **wrong)
    return await _saved(request, uow, "about", "Saved.")


@post("/checklist", include_in_schema=False, guards=[requires_student])
async def take_up_checklist(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """The list of getting started is on the dashboard again."""
    await student_profile.take_up(uow)
    return see_other(request, "/dashboard#checklist")


@post("/password", include_in_schema=False)
async def change_password(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """A new password; the other devices are signed out."""
    form = await posted(request, "current_password", "new_password")
    try:
        await password_change.change_password(
            uow,
            current=form["current_password"],
            new=form["new_password"],
            secret=request.cookies.get(SESSION_COOKIE),
        )
    except Invalid as error:
        return await _section(request, uow, "password", 422, password_errors=in_order(error.fields, form))
    return await _saved(request, uow, "password", "Your password is changed; other devices are signed out.")


@post("/google/disconnection", include_in_schema=False)
async def disconnect_google(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """Google doesn't sign this account in any more."""
    await identities.unlink_google(uow)
    return await _saved(request, uow, "identities", "Google is disconnected.")


@post("/devices/{device_id:str}/sign-out", include_in_schema=False)
async def end_device(
    request: AppRequest, uow: NamedDependency[UnitOfWork], device_id: FromPath[str]
) -> Response[str]:
    """Sign one device out."""
    await web_sessions.end_one(uow, parse_id(device_id))
    return await _saved(request, uow, "devices", "That device is signed out.")


@post("/devices/sign-out", include_in_schema=False)
async def end_devices(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """Sign out everywhere, here included."""
    await web_sessions.end_all(uow)
    return forget_browser(see_other(request, "/sign-in", Flash("done", "You are signed out everywhere.")))


@post("/tokens", include_in_schema=False)
async def create_token(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """Make an access token and show it, this once: so no redirect, which would lose it."""
    form = await posted(request, "name", "expires_in_days")
    try:
        value = await access_tokens.create_token(uow, name=form["name"], days=form["expires_in_days"])
    except Invalid as error:
        return await _section(
            request, uow, "tokens", 422, token_form=form, token_errors=in_order(error.fields, form)
        )
    return await _section(request, uow, "tokens", 201, new_token=NewToken(rules.tidy(form["name"]), value))


@post("/tokens/{token_id:str}/revocation", include_in_schema=False)
async def revoke_token(
    request: AppRequest, uow: NamedDependency[UnitOfWork], token_id: FromPath[str]
) -> Response[str]:
    """An access token stops working."""
    await access_tokens.revoke_token(uow, parse_id(token_id))
    return await _saved(request, uow, "tokens", "The token is revoked.")


async def sections(request: AppRequest, uow: UnitOfWork) -> dict[str, Any]:
    """What the fragments of the page take."""
    viewer = signed_in(request)
    ways = await identities.connection(uow)
    card = await discord.card(uow, settings_of(request))
    return {
        "zone": viewer.time_zone,
        "zones": zone_choices(),
        "profile_form": profile_form(viewer),
        "profile_errors": {},
        **await _about(uow, viewer),
        "has_password": ways.has_password,
        "password_errors": {},
        "google": {
            "enabled": settings_of(request).google_enabled,
            "email": ways.google_email,
            "can_disconnect": ways.has_password,
        },
        "discord": card,
        **await notifications.section(uow, viewer, card),
        "devices": await web_sessions.list_devices(uow, request.cookies.get(SESSION_COOKIE)),
        "tokens": await access_tokens.list_tokens(uow),
        "token_form": TOKEN_FORM,
        "token_errors": {},
        "new_token": None,
    }


async def _about(uow: UnitOfWork, viewer: Viewer) -> dict[str, Any]:
    """What accounts/_about.html takes; only students tell."""
    if viewer.role is not Role.STUDENT:
        return {"about_form": None}
    own = await student_profile.read(uow, viewer.id)
    form = {"about": own.about, "goals": own.goals}
    return {"about_form": form, "about_errors": {}, "put_aside": own.put_aside_at is not None}


def profile_form(viewer: Viewer) -> dict[str, str]:
    """The profile as the form shows it."""
    return {
        "name": viewer.name,
        "time_zone": viewer.time_zone,
        "theme": viewer.theme if viewer.theme != "auto" else "",
    }


async def _section(
    request: AppRequest, uow: UnitOfWork, name: str, status: int, **changed: Any
) -> Response[str]:
    """One section for HTMX, the whole page without."""
    context = await sections(request, uow) | changed
    if is_htmx(request):
        return fragment(request, f"accounts/_{name}.html", status=status, **context)
    return page(request, "accounts/settings.html", status=status, **context)


async def _saved(request: AppRequest, uow: UnitOfWork, name: str, done: str) -> Response[str]:
    """The section anew for HTMX, the page anew without."""
    if is_htmx(request):
        return await _section(request, uow, name, 200, saved=True)
    return see_other(request, f"/settings#{_ROOTS.get(name, name)}", Flash("done", done))


_ROOTS = {"password": "password-change"}


HANDLERS = [
    Router(
        "/settings",
        route_handlers=[
            settings_page,
            change_profile,
            change_about,
            take_up_checklist,
            change_password,
            disconnect_google,
            end_device,
            end_devices,
            create_token,
            revoke_token,
        ],
        guards=[requires_user],
    )
]
