"""Pages about a mentor's mentees."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from app.mentees.http import notes, renewals, students

HANDLERS: list[ControllerRouterHandler] = [*students.HANDLERS, *notes.HANDLERS, *renewals.HANDLERS]
