"""What an admin sees first: how the house stands this month, and what needs a hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa

from app.core.unit_of_work import UnitOfWork
from app.dashboards.instructor_months import Month, last_months

_FIGURES = sa.text("select * from admin_overview(:since, :until)")


class Figures(msgspec.Struct, frozen=True):
    """Everything as it stands, sessions and income of one month.

    `active_mentees`: seats `active` or in `grace`; `seats_open` of `seats`: those of mentors who teach that are
    free, held and offered ones not counted. `waiting`: people on a waitlist without an offer. `completed`, `scheduled`:
    sessions that begin in the month. `income`: by currency in minor units, what was paid in the month less what was
    asked back in it. The rest waits for somebody: counts.
    """

    students: int
    active_mentees: int
    seats_open: int
    seats: int
    waiting: int
    completed: int
    scheduled: int
    income: dict[str, int]
    flagged_orders: int
    dead_jobs: int
    revoked_calendars: int
    undelivered: int
    testimonials: int
    conflicts: int


class Chore(msgspec.Struct, frozen=True):
    """Something that waits for an admin: how many, what, and where it is done."""

    count: int
    one: str
    many: str
    href: str

    @property
    def words(self) -> str:
        """What it is, as many as they are."""
        return self.one if self.count == 1 else self.many


_CHORES = (
    ("flagged_orders", "order needs a decision", "orders need a decision", "/admin/orders?status=flagged"),
    ("disputes", "session is disputed", "sessions are disputed", "/admin/disputes?status=open"),
    ("dead_jobs", "job gave up", "jobs gave up", "/admin/jobs"),
    ("undelivered", "message didn’t arrive", "messages didn’t arrive", "/admin/jobs#undelivered"),
    (
        "revoked_calendars",
        "instructor’s calendar is disconnected",
        "instructors’ calendars are disconnected",
        "/admin/calendars#revoked",
    ),
    (
        "conflicts",
        "session was changed in Google Calendar",
        "sessions were changed in Google Calendar",
        "/admin/calendars#conflicts",
    ),
    ("testimonials", "testimonial waits to be read", "testimonials wait to be read", "/admin/testimonials"),
)


def this_month(now: datetime, zone: str) -> Month:
    """The calendar month that `now` is in, on the clock of `zone`."""
    (month,) = last_months(now, zone, 1)
    return month


async def figures(uow: UnitOfWork, month: Month) -> Figures:
    """The figures of the month, for an admin: row-level security has the database refuse everybody else. One query."""
    row = (await uow.session.execute(_FIGURES, {"since": month.start, "until": month.end})).mappings().one()
    return Figures(**row)


def chores(found: Figures, disputes: int) -> list[Chore]:
    """What waits for somebody, what is urgent first; nothing where nothing waits. `disputes`: those to be decided."""
    counts: Mapping[str, int] = {**msgspec.structs.asdict(found), "disputes": disputes}
    return [Chore(counts[name], one, many, href) for name, one, many, href in _CHORES if counts[name]]
