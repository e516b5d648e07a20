"""The pages and the JSON interface of booking."""

from litestar.types import ControllerRouterHandler

from app.booking.http import (
    api,
    attendance,
    calendar,
    events,
    instructor,
    moves,
    proposals,
    proposals_mentor,
    series,
    sessions,
)

HANDLERS: list[ControllerRouterHandler] = [
    *calendar.HANDLERS,
    *series.HANDLERS,
    *sessions.HANDLERS,
    *moves.HANDLERS,
    *attendance.HANDLERS,
    *proposals.HANDLERS,
    *proposals_mentor.HANDLERS,
    *instructor.HANDLERS,
    *api.HANDLERS,
    *events.HANDLERS,
]
