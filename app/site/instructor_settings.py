"""`/instructor/settings`: Google Calendar, hours, days that differ, seats and profile.

A form and a fragment each.
"""

from __future__ import annotations

import datetime as dt

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import requires_mentor
from app.accounts.themselves import require_themselves
from app.calendars import service as calendars
from app.calendars.google import Google
from app.core.db import Database
from app.core.errors import Invalid, NotFound, Refused, Unavailable
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, see_other
from app.mentors import rules
from app.mentors import service as mentors
from app.settings import Settings
from app.site import offer_preview, settings_view
from app.site.forms import posted
from app.site.settings_view import Section

PATH = "/instructor/settings"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get("/", include_in_schema=False)
async def settings_page(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """All sections."""
    return page(
        request, "mentors/settings.html", **await settings_view.whole_page(uow, _settings(request), viewer)
    )


@post("/availability", include_in_schema=False)
async def change_availability(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Save when and how the mentor teaches."""
    form = await posted(request)
    try:
        wanted = rules.read_availability(form)
    except Invalid as error:
        typed = settings_view.posted_availability(form) | {"errors": error.fields}
        return await _wrong(request, uow, viewer, "mentors/_availability.html", typed)
    await mentors.change_availability(uow, viewer.id, wanted)
    if await calendars.is_connected(uow, viewer.id):
        await calendars.request_mirrors(uow, [viewer.id])  # the horizon may reach beyond what is known
    saved = settings_view.availability_section(wanted)
    return await _saved(request, uow, viewer, "Your hours are saved.", "mentors/_availability.html", saved)


@post("/preview", include_in_schema=False)
async def show_preview(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """What would be offered with the fields as they are, not saved."""
    form = await posted(request)
    try:
        wanted = rules.read_availability(form)
        shown = await offer_preview.preview(uow, viewer.id, wanted)
    except Invalid as error:
        saved = await mentors.settings(uow, viewer.id)
        shown = offer_preview.unreadable(saved.availability.time_zone, _sentence(error))
    if is_htmx(request):
        return fragment(request, "mentors/_preview.html", preview=shown)
    typed = settings_view.posted_availability(form) | {"preview": shown}
    return await _page(request, uow, viewer, 200, typed)


@post("/overrides", include_in_schema=False)
async def put_override(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Other hours, or none, on one date."""
    form = await posted(request)
    try:
        wanted = rules.read_override(form, await mentors.local_today(uow, viewer.id))
    except Invalid as error:
        typed = settings_view.posted_override(form) | {"override_errors": error.fields}
        return await _wrong(
            request, uow, viewer, "mentors/_overrides.html", typed | await _overrides(uow, viewer)
        )
    await mentors.put_override(uow, viewer.id, wanted)
    section = await _overrides(uow, viewer)
    return await _saved(request, uow, viewer, "That day is saved.", "mentors/_overrides.html", section)


@post("/overrides/{day:str}/removal", include_in_schema=False)
async def remove_override(request: AppRequest, uow: Uow, viewer: Me, day: FromPath[str]) -> Response[str]:
    """Let the weekly hours hold on that date again."""
    try:
        date = dt.date.fromisoformat(day)
    except ValueError:
        raise NotFound from None
    await mentors.remove_override(uow, viewer.id, date)
    section = await _overrides(uow, viewer)
    return await _saved(request, uow, viewer, "Removed.", "mentors/_overrides.html", section)


@post("/profile", include_in_schema=False)
async def change_profile(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Save seats and introduction."""
    form = await posted(request)
    try:
        wanted = rules.read_profile(form)
    except Invalid as error:
        used = (await mentors.settings(uow, viewer.id)).seats_used
        typed = settings_view.posted_profile(form) | {"profile_errors": error.fields, "seats_used": used}
        return await _wrong(request, uow, viewer, "mentors/_profile_form.html", typed)
    await mentors.change_profile(uow, viewer.id, wanted)
    if not is_htmx(request):
        return see_other(request, PATH, Flash("done", "Your profile is saved."))
    section = settings_view.profile_section(await mentors.settings(uow, viewer.id))
    return fragment(request, "mentors/_profile_form.html", saved=True, **section)


@post("/google/calendar", include_in_schema=False)
async def choose_calendar(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Another calendar of the account counts as busy and takes the bookings."""
    chosen = rules.first(await posted(request), "google_calendar_id")
    await uow.commit()
    try:
        await calendars.choose_calendar(_database(request), _google(request), viewer.id, chosen)
    except Invalid as error:
        return await _google_answer(request, uow, viewer, 422, error.fields)
    except (Refused, Unavailable) as error:
        return await _google_answer(request, uow, viewer, error.status, {"google_calendar_id": error.detail})
    return await _google_answer(
        request, uow, viewer, 200, {}, Flash("done", "This calendar counts from now on.")
    )


@post("/google/disconnection", include_in_schema=False)
async def disconnect_google(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Give Google's permission back and forget what was read with it."""
    require_themselves(uow.principal)
    await uow.commit()
    await calendars.disconnect(_database(request), _google(request), viewer.id)
    return await _google_answer(
        request, uow, viewer, 200, {}, Flash("done", "Google Calendar is disconnected.")
    )


async def _overrides(uow: UnitOfWork, viewer: Viewer) -> Section:
    return settings_view.overrides_section((await mentors.settings(uow, viewer.id)).overrides)


async def _saved(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, said: str, template: str, section: Section
) -> Response[str]:
    """A section after it was saved, with the preview as it is now; without HTMX back to the page."""
    if not is_htmx(request):
        return see_other(request, PATH, Flash("done", said))
    shown = await offer_preview.preview(uow, viewer.id)
    return fragment(request, template, saved=True, preview=shown, **section)


async def _wrong(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, template: str, typed: Section
) -> Response[str]:
    """A section as it was posted, each sentence beside its field; without HTMX within the page."""
    if is_htmx(request):
        return fragment(request, template, status=422, **typed)
    return await _page(request, uow, viewer, 422, typed)


async def _page(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, status: int, typed: Section
) -> Response[str]:
    context = await settings_view.whole_page(uow, _settings(request), viewer) | typed
    return page(request, "mentors/settings.html", status=status, **context)


async def _google_answer(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, status: int, errors: dict[str, str], *flashes: Flash
) -> Response[str]:
    if is_htmx(request):
        section = await settings_view.google_section(uow, _settings(request), viewer)
        return fragment(request, "mentors/_google.html", status=status, errors=errors, **section)
    if errors:
        return await _page(request, uow, viewer, status, {"errors": errors})
    return see_other(request, PATH, *flashes)


def _sentence(error: Invalid) -> str:
    """What keeps a preview from being shown: the first field at fault."""
    name, sentence = next(iter(error.fields.items()))
    day = name.removeprefix("hours.").title() if name.startswith("hours.") else ""
    return f"{day}: {sentence}" if day else sentence


def _settings(request: AppRequest) -> Settings:
    settings: Settings = request.app.state.platform.settings
    return settings


def _database(request: AppRequest) -> Database:
    database: Database = request.app.state.database
    return database


def _google(request: AppRequest) -> Google:
    google: Google = request.app.state.platform.google
    return google


HANDLERS = [
    Router(
        PATH,
        guards=[requires_mentor],
        route_handlers=[
            settings_page,
            change_availability,
            show_preview,
            put_override,
            remove_override,
            change_profile,
            choose_calendar,
            disconnect_google,
        ],
    )
]
