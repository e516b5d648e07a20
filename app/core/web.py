"""What every page handler uses: render a page or a fragment, redirect after a post, leave a one-time message."""

from __future__ import annotations

import base64
import binascii
import html
import re
from typing import Any, Literal
from uuid import UUID

import msgspec
from jinja2 import Environment
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.utils.empty import value_or_default
from litestar.utils.scope.state import ScopeState
from markupsafe import Markup

from app.core.unit_of_work import Role

AppRequest = Request[Any, Any, Any]

FLASH_COOKIE = "flash"
THEME_COOKIE = "theme"
_LOCAL_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")

NAVIGATION: dict[str, list[tuple[str, str]]] = {
    "anonymous": [("Instructors", "/instructors"), ("Sign in", "/sign-in"), ("Sign up", "/sign-up")],
    Role.STUDENT: [
        ("Dashboard", "/dashboard"),
        ("Sessions", "/sessions"),
        ("Calendar", "/calendar"),
        ("Settings", "/settings"),
    ],
    Role.MENTOR: [
        ("Dashboard", "/instructor/dashboard"),
        ("My Sessions", "/instructor/sessions"),
        ("Mentees", "/instructor/students"),
        ("Seats", "/instructor/waitlist"),
        ("Packs", "/instructor/products"),
        ("Settings", "/instructor/settings"),
    ],
    Role.ADMIN: [("Admin", "/admin"), ("Instructors", "/instructors")],
}
HOME = {Role.STUDENT: "/dashboard", Role.MENTOR: "/instructor/dashboard", Role.ADMIN: "/admin"}


class Viewer(msgspec.Struct, frozen=True):
    """The signed-in user as guards and templates see them. `bearer`: authenticated by a personal access token.

    `impersonator_id`: the admin who is signed in as this user.
    """

    id: UUID
    name: str
    email: str
    verified: bool
    role: Role
    time_zone: str
    theme: str = "auto"
    bearer: bool = False
    impersonator_id: UUID | None = None


class Flash(msgspec.Struct, frozen=True):
    """A message for the next page."""

    kind: Literal["done", "note", "problem"]
    text: str


def is_htmx(request: AppRequest) -> bool:
    """True where HTMX asks for a fragment."""
    return request.headers.get("hx-request") == "true"


def viewer_of(request: AppRequest) -> Viewer | None:
    """The signed-in user, or None. Works in error handlers too, where no handler ran."""
    viewer: Viewer | None = request.scope.get("user")
    return viewer


def render(request: AppRequest, template: str, context: dict[str, Any]) -> str:
    """The template with `context` and what every page is given (navigation, viewer, CSRF input, messages)."""
    templates: Environment = request.app.state.templates
    viewer = viewer_of(request)
    token = value_or_default(ScopeState.from_scope(request.scope).csrf_token, "")
    shared = {
        "request": request,
        "viewer": viewer,
        "here": request.url.path,
        "navigation": NAVIGATION[viewer.role if viewer else "anonymous"],
        "csrf_token": token,
        "csrf_input": Markup('<input type="hidden" name="_csrf_token" value="{}">').format(token),
        "htmx": is_htmx(request),
        "theme": _theme(request, viewer),
        "flashes": read_flashes(request),
    }
    return templates.get_template(template).render(shared | context)


def page(request: AppRequest, template: str, *, status: int = 200, **context: Any) -> Response[str]:
    """A whole page; messages left by the request before are shown once."""
    response = Response(render(request, template, context), media_type=MediaType.HTML, status_code=status)
    response.headers["vary"] = "HX-Request, Cookie"
    if request.cookies.get(FLASH_COOKIE):
        response.delete_cookie(FLASH_COOKIE)
    return response


def fragment(
    request: AppRequest,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> Response[str]:
    """A part of a page for HTMX: its root's id is the swap target."""
    body = render(request, template, context)
    return Response(
        body,
        media_type=MediaType.HTML,
        status_code=status,
        headers={"vary": "HX-Request, Cookie"} | (headers or {}),
    )


def see_other(request: AppRequest, path: str, *flashes: Flash) -> Response[str]:
    """Go to `path` after a post: 303, or `HX-Redirect` for HTMX. Messages travel in a one-time cookie."""
    if is_htmx(request):
        response = Response("", media_type=MediaType.HTML, status_code=200, headers={"hx-redirect": path})
    else:
        response = Response("", media_type=MediaType.HTML, status_code=303, headers={"location": path})
    if flashes:
        value = base64.urlsafe_b64encode(msgspec.json.encode(flashes)).decode()
        response.set_cookie(Cookie(key=FLASH_COOKIE, value=value, max_age=300, httponly=True, samesite="lax"))
    return response


def local_path(text: str | None, default: str) -> str:
    """`text` if it is a path on this site, else `default`: a link in a mail can't send people elsewhere.

    Only printable ASCII without backslashes passes: browsers drop tabs and newlines and read "\\" as "/", which turns
    a harmless-looking path into another site's address.
    """
    if text and _LOCAL_PATH.fullmatch(text):
        return text
    return default


def read_flashes(request: AppRequest) -> list[Flash]:
    """The messages left for this page; a tampered cookie is no message."""
    raw = request.cookies.get(FLASH_COOKIE)
    if not raw:
        return []
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(raw), type=list[Flash])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return []


async def posted(request: AppRequest, *names: str) -> dict[str, str]:
    """The named fields of the form, "" for what is missing or no text."""
    form = await request.form()
    values = {name: form.get(name, "") for name in names}
    return {name: value if isinstance(value, str) else "" for name, value in values.items()}


async def posted_all(request: AppRequest, name: str) -> list[str]:
    """Every text that the form has under that name."""
    form = await request.form()
    return [value for value in form.getall(name, []) if isinstance(value, str)]


def escape(text: str) -> str:
    """`text` for an HTML context outside of templates."""
    return html.escape(text)


def _theme(request: AppRequest, viewer: Viewer | None) -> str | None:
    chosen = viewer.theme if viewer else request.cookies.get(THEME_COOKIE)
    return chosen if chosen in ("light", "dark") else None
