"""Continue with Google, connect Google: `/auth/google` and the way back.

What a trip was for decides who finishes it: `app.state.google_purposes` maps the purpose to an async function of the
request and the `Grant`; those of this slice are in PURPOSES, the calendar's in its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from urllib.parse import quote

from litestar import Response, get
from litestar.di import NamedDependency

from app.accounts import identities, oauth
from app.accounts.http.common import browser_of, remember, service_door, settings_of, signed_in
from app.accounts.http.trips import Road, arrive, leave
from app.accounts.oauth import GoogleOAuth, Grant
from app.accounts.themselves import require_themselves
from app.accounts.trips import Trip
from app.core.errors import Forbidden, NotFound, Unauthenticated
from app.core.middleware import unit_of_work
from app.core.web import HOME, AppRequest, Flash, Viewer, local_path, see_other

Finish = Callable[[AppRequest, Grant], Awaitable[Response[str]]]

ROAD = Road("Google", "/auth/google", "google_trip")
DENIED = "You said no at Google. Nothing was changed."
WELCOME = "Welcome! Times are shown in {zone}; you can change that in the settings."
_BACK = {"sign-in": "/sign-in", "link": "/settings", "calendar": "/instructor/settings"}


@get("/auth/google", include_in_schema=False)
async def set_out(request: AppRequest, viewer: NamedDependency[Viewer | None]) -> Response[str]:
    """Send the browser to Google's consent page."""
    name = request.query_params.get("purpose", "")
    if not settings_of(request).google_enabled or name not in _finishers(request):
        raise NotFound
    purpose = oauth.PURPOSES[name]
    if purpose.signed_in and viewer is None:
        raise Unauthenticated
    if purpose.role is not None and (viewer is None or viewer.role is not purpose.role):
        raise Forbidden
    if purpose.signed_in:
        require_themselves(unit_of_work(request.scope).principal)
    details = {
        "next": local_path(request.query_params.get("next"), ""),
        "time_zone": request.query_params.get("time_zone", "")[:64],
    }
    return await leave(
        request,
        ROAD,
        name,
        partial(_adapter(request).consent_page, purpose),
        user_id=viewer.id if viewer and purpose.signed_in else None,
        details=details,
    )


@get("/auth/google/callback", include_in_schema=False)
async def come_back(request: AppRequest) -> Response[str]:
    """Take the trip's state, exchange the code outside of any transaction, and let the purpose finish."""
    query = request.query_params
    finishers = _finishers(request)
    trip = await arrive(request, ROAD, finishers)
    if "error" in query or not query.get("code"):
        return _denied(request, trip)
    await unit_of_work(request.scope).commit()
    credentials, userinfo = await _adapter(request).exchange(
        oauth.PURPOSES[trip.purpose], query["code"], trip.verifier
    )
    return await finishers[trip.purpose](request, Grant(trip.user_id, trip.details, credentials, userinfo))


async def finish_sign_in(request: AppRequest, grant: Grant) -> Response[str]:
    """Sign in with the Google account, with a new account the first time."""
    time_zone = str(grant.details.get("time_zone", ""))
    async with service_door(request) as uow:
        person = await identities.sign_in_with_google(
            uow, settings_of(request), grant.userinfo, time_zone=time_zone, browser=browser_of(request)
        )
    wanted = local_path(str(grant.details.get("next", "")), "") or HOME[person.role]
    flashes = [Flash("note", WELCOME.format(zone=person.time_zone))] if person.is_new else []
    return remember(request, see_other(request, wanted, *flashes), person.secret)


async def finish_link(request: AppRequest, grant: Grant) -> Response[str]:
    """Connect the Google account to the account that set out, which is the one signed in."""
    async with service_door(request) as uow:
        await identities.link_google(uow, signed_in(request).id, grant.userinfo)
    done = f"Google is connected: you can sign in as {grant.userinfo.email}."
    return see_other(request, "/settings", Flash("done", done))


def _denied(request: AppRequest, trip: Trip) -> Response[str]:
    back = _BACK.get(trip.purpose, "/")
    wanted = trip.details.get("next")
    query = f"?next={quote(str(wanted))}" if wanted and back == "/sign-in" else ""
    return see_other(request, back + query, Flash("note", DENIED))


def _adapter(request: AppRequest) -> GoogleOAuth:
    adapter: GoogleOAuth = request.app.state.platform.google_oauth
    return adapter


def _finishers(request: AppRequest) -> Mapping[str, Finish]:
    finishers: Mapping[str, Finish] = request.app.state.google_purposes
    return finishers


PURPOSES: dict[str, Finish] = {"sign-in": finish_sign_in, "link": finish_link}
HANDLERS = [set_out, come_back]
