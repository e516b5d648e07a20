"""`/calendar/series`: a student proposes a weekly time, looks at each week, books all of them or none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student
from app.booking import lists, series_view, service
from app.booking.http import parse
from app.booking.offers import offers
from app.booking.refusals import NOT_BOOKED, Refusal, shown
from app.booking.sentences import unavailable
from app.booking.series_wish import PATH, Wish, proposal
from app.booking.service import BookingRefused
from app.core import clock
from app.core.errors import BadRequest, Unavailable
from app.core.ids import identifier, new_secret, quoted
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, see_other

Pairs = Sequence[tuple[str, str]]
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_MOST_CHOICES: Final = 60


@get(PATH, include_in_schema=False, guards=[requires_student])
async def propose(
    request: AppRequest, uow: NamedDependency[UnitOfWork], viewer: NamedDependency[Viewer]
) -> Response[str]:
    """The weekly time and its weeks."""
    pairs = list(request.query_params.multi_items())
    mentors = [] if is_htmx(request) else await lists.mentors_of(uow, viewer.id)
    asked = dict(pairs).get("mentor_id")
    if not asked and not mentors:
        return page(request, "booking/series.html", mentor=None, mentors=[])
    wish = _wish(identifier(asked, "mentor_id") if asked else mentors[0].id, pairs)
    at = dict(pairs).get("at")
    return await _shown(request, uow, viewer, wish, mentors, at=parse.date(at).to_stdlib() if at else None)


@post(PATH, include_in_schema=False, guards=[requires_student])
async def book(
    request: AppRequest, uow: NamedDependency[UnitOfWork], viewer: NamedDependency[Viewer]
) -> Response[str]:
    """Book exactly the times that the page showed; refused, the weeks are shown again as they are now."""
    form = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    values = dict(form)
    mentor_id = identifier(values.get("mentor_id", ""), "mentor_id")
    wish = _wish(mentor_id, _pairs(values.get("query", "")))
    starts = [parse.instant(value) for name, value in form if name == "start"]
    try:
        booked = await service.book_series(
            uow,
            *parse.outside(request),
            mentor_id=mentor_id,
            starts=starts,
            idempotency=parse.idempotency("POST /calendar/series", values.get("idempotency_key")),
        )
    except (BookingRefused, Unavailable) as error:
        mentors = [] if is_htmx(request) else await lists.mentors_of(uow, viewer.id)
        return await _shown(request, uow, viewer, wish, mentors, refusal=_refusal(error))
    count = len(booked.sessions)
    words = "1 session" if count == 1 else f"{count} sessions"
    flash = Flash("done", f"Booked: {words}. One mail with all the dates is on its way to you.")
    return see_other(request, "/sessions", flash)


def _refusal(error: BookingRefused | Unavailable) -> Refusal:
    found = shown(error, NOT_BOOKED)
    again = (
        "Look at the weeks below: they are as they are now." if found.next.startswith("Pick") else found.next
    )
    return Refusal(code=found.code, title=found.title, detail=found.detail, next=again, status=found.status)


async def _shown(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    wish: Wish,
    mentors: Sequence[lists.Person],
    *,
    refusal: Refusal | None = None,
    at: date | None = None,
) -> Response[str]:
    now = clock.now()
    found = await offers(uow, wish.mentor_id, now, now, to_horizon=True)
    context: dict[str, Any] = {
        "mentor": found.mentor,
        "zone": viewer.time_zone,
        "refusal": refusal,
        "blocked": found.refusal or unavailable(found),
        "key": new_secret(),
    }
    if context["blocked"] is None:
        context |= series_view.context(proposal(found, viewer.time_zone, wish), at)
    status = refusal.status if refusal else 200
    if is_htmx(request):
        return fragment(request, "booking/_series.html", status=status, **context)
    choices = [
        {"name": one.name, "href": f"{PATH}?mentor_id={one.id}", "selected": one.id == wish.mentor_id}
        for one in mentors
    ]
    return page(request, "booking/series.html", status=status, mentors=choices, **context)


def _wish(mentor_id: UUID, pairs: Pairs) -> Wish:
    """What the address asks for. Raises BadRequest for what can't be read.

    `shown`: the weekday that the form showed; with another one its time is left open again.
    """
    values = dict(pairs)
    weekday = _number(values, "weekday", 7)
    changed = weekday is not None and _number(values, "shown", 7) not in (None, weekday)
    first = values.get("from")
    return Wish(
        mentor_id=mentor_id,
        weekday=weekday,
        minute=None if changed else _minute(values.get("time")),
        first=parse.date(first).to_stdlib() if first else None,
        count=_number(values, "count", 1000),
        choices=_choices([value for name, value in pairs if name == "week"]),
    )


def _pairs(query: str) -> Pairs:
    try:
        return parse_qsl(query, max_num_fields=_MOST_CHOICES + 10)
    except ValueError:
        raise BadRequest("query: there is too much of it. Nothing was booked.") from None


def _number(values: dict[str, str], name: str, most: int) -> int | None:
    text = values.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most):
        raise BadRequest(f"{name}: {quoted(text)} is not a number from 1 to {most}.")
    return int(text)


def _minute(text: str | None) -> int | None:
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise BadRequest(f"time: {quoted(text)} is not a time such as 14:30.")
    return int(found[1]) * 60 + int(found[2])


def _choices(texts: Sequence[str]) -> dict[date, int | None]:
    """`2026-11-23.skip` or `2026-11-23.2026-11-24T14:30:00Z`, by Monday."""
    if len(texts) > _MOST_CHOICES:
        raise BadRequest("week: there are too many of them.")
    found: dict[date, int | None] = {}
    for text in texts:
        day, _, choice = text.partition(".")
        monday = parse.date(day).to_stdlib()
        monday -= timedelta(days=monday.weekday())
        found[monday] = None if choice == "skip" else int(parse.instant(choice, "week").timestamp())
    return found


HANDLERS: list[ControllerRouterHandler] = [propose, book]
