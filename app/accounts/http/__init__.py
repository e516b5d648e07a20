"""The pages of accounts."""

from litestar.types import ControllerRouterHandler

from app.accounts.http import (
    discord,
    google,
    impersonation,
    notifications,
    reset_password,
    settings,
    sign_in,
    sign_up,
    unsubscribe,
)

GOOGLE_PURPOSES = google.PURPOSES
HANDLERS: list[ControllerRouterHandler] = [
    *sign_in.HANDLERS,
    *sign_up.HANDLERS,
    *reset_password.HANDLERS,
    *settings.HANDLERS,
    *google.HANDLERS,
    *discord.HANDLERS,
    *impersonation.HANDLERS,
    *notifications.HANDLERS,
    *unsubscribe.HANDLERS,
]
