"""The sandbox as one ASGI application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp, ControllerRouterHandler, Scope

from sandbox import home
from sandbox.chaos import Chaos
from sandbox.clock import BusinessClock
from sandbox.control import chaos as control_chaos
from sandbox.control import clock as control_clock
from sandbox.control import discord as control_discord
from sandbox.control import google as control_google
from sandbox.control import paypal as control_paypal
from sandbox.control import resend as control_resend
from sandbox.control import stripe as control_stripe
from sandbox.control import watch
from sandbox.control.errors import ControlError
from sandbox.discord import commands as discord_commands
from sandbox.discord import errors as discord_errors
from sandbox.discord import gateway_socket, rest_gateway, rest_interactions, rest_messages, rest_server
from sandbox.discord import oauth as discord_oauth
from sandbox.discord import pages as discord_pages
from sandbox.discord.acting import Acting
from sandbox.discord.gateway import Gateway
from sandbox.discord.grants import Grants
from sandbox.discord.interactions import Interactions
from sandbox.discord.service import Discord
from sandbox.gate import Gate
from sandbox.google import calendar, events, oauth
from sandbox.google import errors as google_errors
from sandbox.google import pages as google_pages
from sandbox.google.service import Google
from sandbox.http import HttpRequest, HttpResponse, json_answer, reply
from sandbox.pages import STATIC, Pages
from sandbox.paypal import errors as paypal_errors
from sandbox.paypal import http as paypal_http
from sandbox.paypal import pages as paypal_pages
from sandbox.paypal.service import PayPal
from sandbox.record import Recorder
from sandbox.resend import errors as resend_errors
from sandbox.resend import http as resend_http
from sandbox.resend import pages as resend_pages
from sandbox.resend.service import Resend
from sandbox.settings import Settings
from sandbox.state import Store
from sandbox.stripe import errors as stripe_errors
from sandbox.stripe import http as stripe_http
from sandbox.stripe import pages as stripe_pages
from sandbox.stripe.service import Stripe
from sandbox.vendors import Vendor
from sandbox.webhooks import Courier

VENDOR_ERRORS = (
    discord_errors.DiscordError,
    discord_errors.OAuthError,
    google_errors.GoogleError,
    google_errors.OAuthError,
    paypal_errors.PayPalError,
    paypal_errors.TokenError,
    resend_errors.ResendError,
    stripe_errors.StripeError,
)
VendorError = (
    discord_errors.DiscordError
    | discord_errors.OAuthError
    | google_errors.GoogleError
    | google_errors.OAuthError
    | paypal_errors.PayPalError
    | paypal_errors.TokenError
    | resend_errors.ResendError
    | stripe_errors.StripeError
)
EXPECTED = (*VENDOR_ERRORS, ControlError, HTTPException)
VENDORS = {
    "discord": Vendor("discord", lambda path: not path.startswith("/api/"), discord_errors.fault),
    "google": Vendor(
        "google",
        lambda path: (
            path == "/consent" or (path.startswith("/calendar/") and not path.startswith("/calendar/v3/"))
        ),
        google_errors.fault,
    ),
    "paypal": Vendor("paypal", lambda path: path.startswith("/approve/"), paypal_errors.fault),
    "resend": Vendor("resend", lambda path: False, resend_errors.fault, waits_itself=True),
    "stripe": Vendor("stripe", stripe_pages.is_page, stripe_errors.fault),
}


@post("/reset", status_code=200)
async def reset(
    chaos: NamedDependency[Chaos],
    courier: NamedDependency[Courier],
    recorder: NamedDependency[Recorder],
    discord: NamedDependency[Discord],
    gateway: NamedDependency[Gateway],
    grants: NamedDependency[Grants],
    interactions: NamedDependency[Interactions],
    google: NamedDependency[Google],
    paypal: NamedDependency[PayPal],
    resend: NamedDependency[Resend],
    stripe: NamedDependency[Stripe],
) -> HttpResponse:
    """Everything as after a first start; business time stays, it never goes back."""
    for name in VENDORS:
        chaos.calm(name)
    courier.forget()
    recorder.clear()
    gateway.clear()
    grants.clear()
    interactions.clear()
    discord.reset()
    google.reset()
    paypal.reset()
    resend.reset()
    stripe.reset()
    return json_answer({})


def create_app(settings: Settings) -> ASGIApp:
    """The application: vendors behind the gate, pages and control calls beside it. State is loaded here."""
    store = Store(settings.state_file)
    clock = BusinessClock(settings.clock_file)
    chaos = Chaos(store)
    recorder = Recorder(store)
    courier = Courier(store, chaos)
    discord = Discord(settings, store)
    google = Google(settings, store, clock, courier)
    paypal = PayPal(settings, store, courier)
    resend = Resend(settings, store, courier)
    parts = {
        **_discord_parts(discord, settings, store),
        "chaos": chaos,
        "clock": clock,
        "courier": courier,
        "front": home.Front(clock, discord, google, paypal, resend),
        "google": google,
        "mover": control_clock.Mover(clock, settings.database_url, settings.idle_seconds),
        "pages": Pages(settings.public_url),
        "paypal": paypal,
        "recorder": recorder,
        "resend": resend,
        "stripe": Stripe(settings, store, courier),
        "vendors": VENDORS,
    }

    @asynccontextmanager
    async def closing(_: Litestar) -> AsyncIterator[None]:
        yield
        await courier.close()
        store.close()

    app = Litestar(
        route_handlers=routes(),
        dependencies={name: _given(part) for name, part in parts.items()},
        exception_handlers={
            **dict.fromkeys(VENDOR_ERRORS, _vendor_error),
            ControlError: _control_error,
            HTTPException: _http_error,
        },
        after_exception=[_tell],
        lifespan=[closing],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=64 * 1024 * 1024,
    )
    return Gate(app, VENDORS, chaos, recorder)


def _discord_parts(discord: Discord, settings: Settings, store: Store) -> dict[str, object]:
    gateway = Gateway(store)
    interactions = Interactions(discord, gateway, store)
    return {
        "acting": Acting(discord, gateway, interactions),
        "discord": discord,
        "gateway": gateway,
        "grants": Grants(settings, store),
        "interactions": interactions,
    }


def routes() -> list[ControllerRouterHandler]:
    """Every address the sandbox serves."""
    control = [
        watch,
        control_chaos,
        control_clock,
        control_discord,
        control_google,
        control_paypal,
        control_resend,
        control_stripe,
    ]
    return [
        *home.HANDLERS,
        *resend_pages.HANDLERS,
        Router(
            "/discord/api/v10",
            route_handlers=[
                *discord_commands.HANDLERS,
                *discord_oauth.HANDLERS,
                *rest_gateway.HANDLERS,
                *rest_interactions.HANDLERS,
                *rest_messages.HANDLERS,
                *rest_server.HANDLERS,
            ],
        ),
        Router(
            "/discord",
            route_handlers=[*gateway_socket.HANDLERS, *discord_oauth.PAGES, *discord_pages.HANDLERS],
        ),
        Router("/google", route_handlers=[*oauth.HANDLERS, *google_pages.HANDLERS]),
        Router("/google/calendar/v3", route_handlers=[*calendar.HANDLERS, *events.HANDLERS]),
        Router("/paypal", route_handlers=[*paypal_http.HANDLERS, *paypal_pages.HANDLERS]),
        Router("/resend", route_handlers=resend_http.HANDLERS),
        Router("/stripe", route_handlers=[*stripe_http.HANDLERS, *stripe_pages.HANDLERS]),
        Router(
            "/control", route_handlers=[reset, *(handler for part in control for handler in part.HANDLERS)]
        ),
        create_static_files_router("/static", [STATIC]),
    ]


def _given(part: object) -> Provide:
    return Provide(lambda: part, sync_to_thread=False)


async def _tell(error: Exception, scope: Scope) -> None:
    """Print what nobody expected: the caller only gets a 500."""
    if not isinstance(error, EXPECTED):
        logging.getLogger(__name__).error("%s failed", scope["path"], exc_info=error)


def _vendor_error(request: HttpRequest, error: VendorError) -> HttpResponse:
    if request.url.path.startswith("/control/"):
        return json_answer({"error": str(error)}, error.status)
    return reply(error.answer())


def _control_error(_: HttpRequest, error: ControlError) -> HttpResponse:
    return json_answer({"error": error.reason}, error.status)


def _http_error(request: HttpRequest, error: HTTPException) -> HttpResponse:
    """An address or method that is not here, in the shape the caller expects."""
    path = request.url.path
    if path.startswith("/resend/"):
        name = "method_not_allowed" if error.status_code == 405 else "not_found"
        return reply(resend_errors.ResendError(error.status_code, name, error.detail).answer())
    if path.startswith("/discord/"):
        message = f"{error.status_code}: {error.detail}"
        return reply(discord_errors.DiscordError(error.status_code, 0, message).answer())
    if path.startswith("/google/"):
        return reply(google_errors.GoogleError(error.status_code, "notFound", error.detail).answer())
    if path.startswith("/paypal/"):
        return reply(paypal_errors.PayPalError(error.status_code, "INVALID_RESOURCE_ID", path).answer())
    if path.startswith("/stripe/v1"):
        return reply(
            stripe_errors.StripeError(error.status_code, f"Unrecognized request URL ({path}).").answer()
        )
    return json_answer({"error": error.detail}, error.status_code)
