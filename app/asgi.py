"""The web application: `uvicorn app.asgi:create_app --factory`."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Router
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.di import NamedDependency, Provide
from litestar.middleware import DefineMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler, Middleware

from app import wiring
from app.absences import http as absences
from app.accounts import http as accounts
from app.accounts.authentication import Authentication
from app.admin import http as admin
from app.booking import http as booking
from app.booking.live import Hub
from app.calendars import http as calendars
from app.core import health, metrics
from app.core.compression import Compression
from app.core.limits import Limiter, RateLimit
from app.core.listener import Listener
from app.core.middleware import CookieCSRF, RequestUnitOfWork, SecurityHeaders, unit_of_work
from app.core.problems import EXCEPTION_HANDLERS, note_broken_socket
from app.core.stopping import when_told_to_stop
from app.core.templating import ROOT, environment
from app.core.unit_of_work import UnitOfWork
from app.core.web import Viewer, viewer_of
from app.dashboards.http import instructor as instructor_dashboard
from app.dashboards.http import student as student_dashboard
from app.disputes import http as disputes
from app.limits import policy_for
from app.mentees import http as mentees
from app.notifications import http as notifications
from app.payments import http as payments
from app.settings import Settings
from app.site import deletion, instructor_settings, instructors, products, seats, statement, waitlist
from app.site import http as site
from app.testimonials import http as testimonials
from app.video import http as video
from app.video.rooms import Rooms

YEAR = 31_536_000
HANDLERS: tuple[ControllerRouterHandler, ...] = (
    *health.HANDLERS,
    *metrics.HANDLERS,
    *accounts.HANDLERS,
    *notifications.HANDLERS,
    *booking.HANDLERS,
    *video.HANDLERS,
    *absences.HANDLERS,
    *calendars.HANDLERS,
    *payments.HANDLERS,
    *admin.HANDLERS,
    *mentees.HANDLERS,
    *instructor_dashboard.HANDLERS,
    *student_dashboard.HANDLERS,
    *testimonials.HANDLERS,
    *disputes.HANDLERS,
    *deletion.HANDLERS,
    *instructors.HANDLERS,
    *instructor_settings.HANDLERS,
    *products.HANDLERS,
    *seats.HANDLERS,
    *statement.HANDLERS,
    *waitlist.HANDLERS,
    *site.HANDLERS,
)


def provide_uow(request: Request[Any, Any, Any]) -> UnitOfWork:
    """The request's one unit of work."""
    return unit_of_work(request.scope)


def provide_viewer(request: Request[Any, Any, Any], uow: NamedDependency[UnitOfWork]) -> Viewer | None:
    """Who is signed in. After `uow`: dependencies that don't wait for each other cost a task each."""
    return viewer_of(request)


def create_app(settings: Settings | None = None) -> Litestar:
    """The application for `settings`; without, that of a process which serves nothing else, from the environment."""
    if settings is None:
        app = create_app(Settings.from_env())
        gc.collect()
        gc.freeze()  # what stands now stands to the end: the collector needn't walk through it again and again
        return app
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s %(message)s")
    platform = wiring.build(settings)
    listener = Listener(settings.direct_url)
    live, rooms = Hub(listener), Rooms(listener)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with listener.running():
            with when_told_to_stop(live.close):
                yield
        await platform.close()

    return Litestar(
        route_handlers=[*HANDLERS, static(ROOT / "static")],
        dependencies={
            "uow": Provide(provide_uow, sync_to_thread=False),
            "viewer": Provide(provide_viewer, sync_to_thread=False),
        },
        middleware=middleware(settings),
        exception_handlers=EXCEPTION_HANDLERS,
        after_exception=[note_broken_socket],
        openapi_config=OpenAPIConfig(
            title=f"{settings.brand_name} API",
            version="1",
            path="/schema",
            render_plugins=[JsonRenderPlugin()],
        ),
        state=State(
            {
                "platform": platform,
                "database": platform.database,
                "listener": listener,
                "live": live,
                "rooms": rooms,
                "templates": environment(settings),
                "google_purposes": {**accounts.GOOGLE_PURPOSES, **calendars.GOOGLE_PURPOSES},
            }
        ),
        lifespan=[lifespan],
        request_max_body_size=1_000_000,
        logging_config=None,
        debug=False,
    )


def middleware(settings: Settings) -> list[Middleware]:
    """What surrounds every request, the outermost first."""
    csrf = CSRFConfig(
        secret=settings.secret_key,
        cookie_secure=settings.public_url.startswith("https://"),
        cookie_httponly=True,
    )
    return [
        Compression(),
        SecurityHeaders(),
        RequestUnitOfWork(),
        Authentication(),
        RateLimit(Limiter(settings.redis_url, settings.limits_scale), policy_for),
        DefineMiddleware(CookieCSRF, config=csrf),
    ]


def static(root: Path) -> Router:
    """static/ with a year of caching: addresses carry a fingerprint of the content."""
    return create_static_files_router(
        path="/static",
        directories=[root],
        cache_control=CacheControlHeader(max_age=YEAR, public=True, immutable=True),
    )
