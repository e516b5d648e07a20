"""The pages and the JSON interface of booking."""

from litestar.types import ControllerRouterHandler

from app.booking.http import api, calendar, events, instructor, moves, sessions

HANDLERS: list[ControllerRouterHandler] = [
    *calendar.HANDLERS,
    *sessions.HANDLERS,
    *moves.HANDLERS,
    *instructor.HANDLERS,
    *api.HANDLERS,
    *events.HANDLERS,
]
