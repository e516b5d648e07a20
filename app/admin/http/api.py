"""The JSON interface of the admin's lists. Instants are RFC 3339 in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.admin import instructors
from app.admin.instructors import DEFAULT_SORT, Instructor, Inventory
from app.booking.http.schemas import PROBLEMS
from app.core.ids import identifier
from app.core.unit_of_work import UnitOfWork
from app.mentees import relations
from app.mentees.relations import Relation
from app.packs.models import PackStatus, SeatStatus

LIMIT: Final = 50
MOST: Final = 200
_FAR: Final = 1_000_000_000
Uow = NamedDependency[UnitOfWork]
Limit = Annotated[
    int, QueryParameter(ge=1, le=_FAR, description=f"how many at most; more than {MOST} are {MOST}")
]
Offset = Annotated[int, QueryParameter(ge=0, le=_FAR, description="how many to skip")]


class InstructorItem(msgspec.Struct, frozen=True):
    """Who teaches, with figures; `inventory`: seats that are open, of how many."""

    id: UUID
    name: str
    email: str
    active_mentees: int
    sessions_completed: int
    inventory: Inventory
    joined: datetime


class MenteeItem(msgspec.Struct, frozen=True):
    """Somebody's mentee: sessions completed of all in their packs, left to spend, state of pack and seat."""

    id: UUID
    name: str
    email: str | None
    completed: int
    total: int
    remaining: int
    pack_status: PackStatus | None
    last_session: datetime | None
    seat_status: SeatStatus | None


class Instructors(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the list; `note` says what of the request made no sense and was left out."""

    items: list[InstructorItem]
    total: int
    limit: int
    offset: int
    note: str | msgspec.UnsetType = msgspec.UNSET


class MenteeList(msgspec.Struct, frozen=True):
    """A part of an instructor's mentees, by name."""

    items: list[MenteeItem]
    total: int
    limit: int
    offset: int


@get(
    "/api/admin/instructors",
    operation_id="admin_instructors",
    guards=[requires_admin],
    responses={400: PROBLEMS[400]},
)
async def list_instructors(
    uow: Uow,
    q: Annotated[str, QueryParameter(description="part of a name or e-mail", max_length=100)] = "",
    sort: Annotated[
        str,
        QueryParameter(description="a field of an item; with - before it the greatest first", max_length=100),
    ] = DEFAULT_SORT,
    limit: Limit = LIMIT,
    offset: Offset = 0,
) -> Instructors:
    """Instructors with their figures, searched and sorted."""
    known, limit = instructors.is_sort(sort), min(limit, MOST)
    found, total = await instructors.page_of(
        uow, q.strip(), sort if known else DEFAULT_SORT, limit=limit, offset=offset
    )
    note = msgspec.UNSET if known else f"There is no such order; this is by {DEFAULT_SORT}."
    return Instructors([_item(one) for one in found], total, limit, offset, note)


@get(
    "/api/admin/instructors/{mentor_id:str}/mentees",
    operation_id="admin_mentees",
    guards=[requires_admin],
    responses={status: PROBLEMS[status] for status in (400, 404)},
)
async def list_mentees(
    uow: Uow, mentor_id: FromPath[str], limit: Limit = LIMIT, offset: Offset = 0
) -> MenteeList:
    """An instructor's mentees: whoever has a pack or a seat with them."""
    mentor = await instructors.one(uow, identifier(mentor_id, "mentor_id"))
    limit = min(limit, MOST)
    found = await relations.of_mentor(uow, mentor.id, limit=limit, offset=offset)
    total = await relations.count_of_mentor(uow, mentor.id)
    return MenteeList([_mentee(one) for one in found], total, limit, offset)


def _item(one: Instructor) -> InstructorItem:
    return InstructorItem(**{name: getattr(one, name) for name in InstructorItem.__struct_fields__})


def _mentee(one: Relation) -> MenteeItem:
    return MenteeItem(
        id=one.student_id,
        name=one.student_name,
        email=one.student_email,
        completed=one.completed,
        total=one.total,
        remaining=one.remaining,
        pack_status=one.pack_status,
        last_session=one.last_session,
        seat_status=one.seat_status,
    )


HANDLERS: list[ControllerRouterHandler] = [list_instructors, list_mentees]
