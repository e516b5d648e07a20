"""What a mentor's dashboard shows: figures, mentees, sessions around now, months. Rows are plain; instants are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.booking import lists, mentor_lists
from app.booking.models import Session, SessionStatus
from app.calendars.card import card
from app.core import clock
from app.core.errors import NotFound
from app.core.money import exponent_of, format_money
from app.core.unit_of_work import UnitOfWork
from app.core.web import Viewer
from app.dashboards import charts, instructor_months
from app.dashboards.charts import Chart, Series
from app.dashboards.instructor_months import Month
from app.disputes import repository as disputes
from app.mentees import figures, relations, renewals
from app.mentees.pages import SEAT_WORDS
from app.mentees.relations import MENTEE_SEATS
from app.mentors import repository as mentors
from app.mentors.models import Mentor
from app.settings import Settings

SHOWN: Final = 5
MENTEES: Final = 12
HAPPENED: Final = (SessionStatus.SCHEDULED, SessionStatus.COMPLETED, SessionStatus.NO_SHOW)
THOUSANDS: Final = 10_000
"""From so much of a currency on, lines of a chart count in thousands."""


async def page_of(uow: UnitOfWork, settings: Settings, viewer: Viewer) -> dict[str, Any]:
    """The context of dashboards/instructor.html."""
    now = clock.now()
    scheduled = Session.status == SessionStatus.SCHEDULED
    ahead = await lists.of_mentor(
        uow, viewer.id, scheduled, Session.scheduled_at > now, newest_first=False, limit=SHOWN
    )
    recent = await lists.of_mentor(
        uow,
        viewer.id,
        Session.status.in_(HAPPENED),
        Session.scheduled_at <= now,
        newest_first=True,
        limit=SHOWN,
    )
    google = await card(uow, settings, viewer.id)
    shown = await live(uow, viewer)
    return {
        "now": now,
        "upcoming": await mentor_lists.rows(uow, viewer, ahead),
        "recent": await mentor_lists.rows(uow, viewer, recent),
        "google": google,
        "has_times": shown["has_hours"] or google.state == "active",
        **shown,
    }


async def live(uow: UnitOfWork, viewer: Viewer) -> dict[str, Any]:
    """What changes when a session is marked or a mentee renews: the context of dashboards/_instructor_live.html."""
    mentor = await mentors.by_id(uow, viewer.id)
    if mentor is None:
        raise NotFound
    every = await relations.of_mentor(uow, viewer.id)
    seated = [relation for relation in every if relation.seat_status in MENTEE_SEATS]
    return {
        "figures": await figures.of_mentor(uow, viewer.id),
        "credit": await figures.credit_of_mentor(uow, viewer.id),
        "low": [relation for relation in every if renewals.can_ask(relation)],
        "asked": await renewals.asked_today(uow, viewer.id, mentor.time_zone),
        "relations": seated[:MENTEES],
        "mentees": len(seated),
        "former": len(every) - len(seated),
        "seat_words": SEAT_WORDS,
        "to_do": await _to_do(uow, viewer.id),
        "zone": viewer.time_zone,
        "has_hours": bool(mentor.working_hours),
        **await _charts(uow, mentor),
    }


async def _to_do(uow: UnitOfWork, mentor_id: UUID) -> Mapping[str, Any]:
    """What waits for the mentor: how many `unmarked` sessions that have begun, how many `conflicts` with Google, and the
    ids of those that are `disputed`, the oldest dispute first. One query."""
    query = sa.select(
        sa.func.count().filter(Session.scheduled_at <= clock.now()).label("unmarked"),
        sa.func.count().filter(Session.conflict.is_not(None)).label("conflicts"),
        disputes.open_of_mentor(mentor_id).label("disputed"),
    ).where(Session.mentor_id == mentor_id, Session.status == SessionStatus.SCHEDULED)
    row = (await uow.session.execute(query)).one()
    return {"unmarked": row.unmarked, "conflicts": row.conflicts, "disputed": row.disputed or []}


async def _charts(uow: UnitOfWork, mentor: Mentor) -> dict[str, Any]:
    months = instructor_months.last_months(clock.now(), mentor.time_zone)
    held = await instructor_months.sessions(uow, mentor.id, months)
    income = await instructor_months.income(uow, mentor.id, months)
    return {
        "months": {"first": months[0].name, "last": months[-1].name, "zone": mentor.time_zone},
        "charts": [
            sessions_chart(months, held),
            *(income_chart(months, currency, amounts) for currency, amounts in income.items()),
        ],
    }


def sessions_chart(months: Sequence[Month], held: Sequence[instructor_months.Sessions]) -> Chart:
    """Sessions by month, missed ones on top of those that were held."""
    completed = Series("completed", "Completed", [one.completed for one in held])
    no_show = Series("no-show", "No-show", [one.no_show for one in held])
    return charts.columns(
        "sessions",
        "Sessions by month",
        _names(months),
        [completed, no_show],
        summary=f"{sum(completed.values)} completed, {sum(no_show.values)} no-show, {_span(months)}.",
    )


def income_chart(months: Sequence[Month], currency: str, amounts: Sequence[int]) -> Chart:
    """Income in one currency by month; a month in which more went back than came hangs below the line."""
    return charts.columns(
        f"income-{currency.lower()}",
        f"Income by month in {currency}",
        _names(months),
        [Series("income", "Income", amounts)],
        lambda minor: format_money(minor, currency),
        summary=f"{format_money(sum(amounts), currency)}, refunds taken off, {_span(months)}.",
        unit=10 ** exponent_of(currency),
        on_lines=lambda minor: round_money(minor, currency),
    )


def round_money(minor: int, currency: str) -> str:
    """`€1,200` or `¥104k` for a round amount; what isn't whole keeps its decimals."""
    whole, part = divmod(abs(minor), 10 ** exponent_of(currency))
    if part:
        return format_money(minor, currency)
    sign = "-" if minor < 0 else ""
    bare = format_money(0, currency).rstrip("0").removesuffix(".").rstrip("0")
    many = f"{whole // 1000:,}k" if whole >= THOUSANDS and whole % 1000 == 0 else f"{whole:,}"
    return f"{sign}{bare}{many}"


def _names(months: Sequence[Month]) -> list[tuple[str, str]]:
    return [(month.short, month.name) for month in months]


def _span(months: Sequence[Month]) -> str:
    return f"{months[0].name} to {months[-1].name}"
