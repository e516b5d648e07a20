"""The browser's part of a trip to a vendor's consent page and back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response

from app.accounts import trips
from app.accounts.http.common import private_cookie, service_door, settings_of
from app.accounts.trips import Trip
from app.core.web import AppRequest, viewer_of


@dataclass(frozen=True)
class Road:
    """The way to a vendor: what people call it, where its routes lie, the cookie that holds a trip to one browser."""

    vendor: str
    path: str
    cookie: str


async def leave(
    request: AppRequest,
    road: Road,
    purpose: str,
    consent_page: Callable[[str, str], str],
    *,
    user_id: UUID | None,
    details: Mapping[str, Any],
) -> Response[str]:
    """Send the browser to the address that `consent_page` makes of a state and a PKCE verifier."""
    async with service_door(request) as uow:
        departure = await trips.set_out(
            uow,
            purpose,
            user_id=user_id,
            details=details,
            browser_secret=request.cookies.get(road.cookie),
        )
    location = consent_page(departure.state, departure.verifier)
    response = Response("", status_code=303, headers={"location": location})
    response.set_cookie(
        private_cookie(
            settings_of(request),
            road.cookie,
            departure.browser_secret,
            max_age=int(trips.TRIP.total_seconds()),
            path=road.path,
        )
    )
    return response


async def arrive(request: AppRequest, road: Road, purposes: Collection[str]) -> Trip:
    """The trip, for one of `purposes`, that the browser comes back from. Raises BadRequest("oauth_state")."""
    viewer = viewer_of(request)
    async with service_door(request) as uow:
        return await trips.come_back(
            uow,
            road.vendor,
            purposes,
            state=request.query_params.get("state", ""),
            user_id=viewer.id if viewer else None,
            browser_secret=request.cookies.get(road.cookie),
        )
