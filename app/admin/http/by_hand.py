"""What the forms that change packs and seats by hand share: where they lead, and what they say when they can't."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response

from app.admin import person
from app.core import clock
from app.core.errors import AppError, Invalid
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, see_other

SHOWN = "#user-packs"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


async def done(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, user_id: UUID, said: str, kind: Any = "done"
) -> Response[str]:
    """Back to the person's packs and seats, as they are now."""
    if not is_htmx(request):
        return see_other(request, f"/admin/users/{user_id}{SHOWN}", Flash(kind, said))
    history = await person.history(uow, user_id)
    return fragment(
        request,
        "admin/_user_packs.html",
        headers={"hx-retarget": SHOWN, "hx-reswap": "outerHTML"},
        user=await person.person(uow, user_id),
        packs=history.packs,
        seats=history.seats,
        now=clock.now(),
        zone=viewer.time_zone,
        said=said,
    )


def ask(
    request: AppRequest, template: str, title: str, error: AppError | None = None, **context: Any
) -> Response[str]:
    """The form, as a part for the dialog or as a page; with what was wrong, and what was typed, where there is an error.

    `template`: of the part, `admin/_<template>.html`.
    """
    refusal = None
    if error is not None and not isinstance(error, Invalid):
        refusal = {"code": error.code, "title": "That can’t be done like this", "detail": error.detail}
    context |= {
        "refusal": refusal,
        "errors": error.fields if isinstance(error, Invalid) else {},
        "part": f"admin/_{template}.html",
        "title": title,
    }
    status = error.status if error else 200
    if is_htmx(request):
        return fragment(request, f"admin/_{template}.html", status=status, **context)
    return page(request, "admin/by_hand.html", status=status, **context)


def number(text: str, name: str, sentence: str) -> int:
    """A whole number of a form's field. Raises Invalid."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 6):
        raise Invalid({name: sentence})
    return int(digits)


def day(text: str, name: str) -> date:
    """A date as date fields post it. Raises Invalid."""
    try:
        if not _DATE.fullmatch(text.strip()):
            raise ValueError
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid({name: "Write the date as 2026-12-31."}) from None
