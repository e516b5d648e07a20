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
    recordings,
    series,
    sessions,
)

HANDLERS: list[ControllerRouterHandler] = [
    *calendar.HANDLERS,
    *series.HANDLERS,
    *sessions.HANDLERS,
    *attendance.HANDLERS,
    *moves.HANDLERS,
    *proposals.HANDLERS,
    *proposals_mentor.HANDLERS,
    *recordings.HANDLERS,
    *instructor.HANDLERS,
    *api.HANDLERS,
    *events.HANDLERS,
]
