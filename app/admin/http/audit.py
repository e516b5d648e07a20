"""`/admin/audit`: who did what to which row, and from where; filtered, the newest first; all of it in the address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler
from whenever import Date, PlainDateTime

from app.accounts.guards import requires_admin
from app.admin import audit_log, audit_words
from app.admin.audit_log import Filter
from app.admin.http import listing
from app.admin.http.users import described
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page

PATH = "/admin/audit"
Text = Annotated[str, QueryParameter(max_length=100)]


@get(PATH, guards=[requires_admin], include_in_schema=False)
async def index(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    actor: Text = "",
    action: Text = "",
    subject_type: Text = "",
    subject_id: Text = "",
    since: Text = "",
    until: Text = "",
    before: Text = "",
) -> Response[str]:
    """A page of entries; what the address says that can't be read is left out, with a note."""
    form = {
        "actor": actor.strip(),
        "action": action,
        "subject_type": subject_type,
        "subject_id": subject_id.strip(),
        "since": since,
        "until": until,
    }
    wanted, note = _filter(form, before.strip(), viewer.time_zone)
    found, go_on = await audit_log.page_of(uow, wanted)
    context: dict[str, Any] = {
        "form": form,
        "entries": described(found, viewer.time_zone),
        "note": note,
        "is_filtered": any(form.values()),
        "first": listing.href(PATH, form) if wanted.before else None,
        "older": listing.href(PATH, form | {"before": str(go_on)}) if go_on else None,
        "actions": _options(audit_words.ACTIONS, form["action"]),
        "subjects": _options(
            {kind: name for kind, (name, _) in audit_words.SUBJECTS.items()}, form["subject_type"]
        ),
        "zone": viewer.time_zone,
    }
    if is_htmx(request):
        return fragment(request, "admin/_audit.html", **context)
    return page(request, "admin/audit.html", **context)


def _filter(form: dict[str, str], before: str, zone: str) -> tuple[Filter, str | None]:
    """What the address asks for, and a note about what of it can't be read."""
    unread: list[str] = []
    subject_id, start = _id(form["subject_id"], "id", unread), _id(before, "page", unread)
    since, until = _midnight(form["since"], zone, 0, unread), _midnight(form["until"], zone, 1, unread)
    wanted = Filter(
        actor=form["actor"],
        action=form["action"],
        subject_type=form["subject_type"],
        subject_id=subject_id,
        since=since,
        until=until,
        before=start,
    )
    return wanted, f"There is no such {unread[0]}: it was left out." if unread else None


def _id(text: str, what: str, unread: list[str]) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        unread.append(what)
        return None


def _midnight(text: str, zone: str, days: int, unread: list[str]) -> datetime | None:
    """The start of that day in `zone`, or so many days later."""
    if not text:
        return None
    try:
        day = Date.parse_iso(text).add(days=days)
        start = PlainDateTime(day.year, day.month, day.day).assume_tz(zone)
    except ValueError:
        unread.append("date")
        return None
    return start.to_stdlib().astimezone(UTC)


def _options(known: dict[str, str], chosen: str) -> list[tuple[str, str]]:
    """For a select; an unknown one that the address names stays."""
    options = [("", "All"), *((name, words.capitalize()) for name, words in known.items())]
    return options if chosen in ("", *known) else [*options, (chosen, chosen.replace("_", " "))]


HANDLERS: list[ControllerRouterHandler] = [index]
