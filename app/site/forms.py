"""What comes in by the forms of these pages."""

from __future__ import annotations

from app.core.web import AppRequest
from app.mentors.rules import Form


async def posted(request: AppRequest) -> Form:
    """The form's text fields, repeated ones as lists."""
    form = await request.form()
    texts: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            texts.setdefault(name, []).append(value)
    return texts
