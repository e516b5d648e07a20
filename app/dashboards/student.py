"""What a student's dashboard shows, read in a constant number of queries. Instants are aware UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from app.accounts.people import GONE
from app.booking import lists, proposals
from app.booking.lists import Listed
from app.booking.proposals_repository import Proposal
from app.core.unit_of_work import UnitOfWork
from app.mentees import relations
from app.mentees.relations import MENTEE_SEATS, Relation
from app.mentors.models import Product
from app.packs import own_places
from app.packs.models import SeatStatus, SessionPack
from app.packs.own_places import OwnPlace
from app.testimonials import asking, repository
from app.testimonials.asking import Asked
from app.testimonials.repository import Written

UPCOMING: Final = 3


class Totals(msgspec.Struct, frozen=True):
    """Over all instructors: sessions held and left, seats in use, and where it is time to renew."""

    completed: int
    remaining: int
    instructors: int
    low: int


class Instructor(msgspec.Struct, frozen=True):
    """How the student stands with an instructor. `renew_href`: where another pack is bought, None with who left.

    `bookable`: sessions that have no time yet. `written`: the latest testimonial about them.
    """

    relation: Relation
    bookable: int
    renew_href: str | None
    written: Written | None


class Dashboard(msgspec.Struct, frozen=True):
    """All of it."""

    totals: Totals
    instructors: list[Instructor]
    upcoming: list[Listed]
    proposals: list[Proposal]
    places: list[OwnPlace]
    asked: list[Asked]

    @property
    def low(self) -> list[Instructor]:
        """With whom it is time to renew: those whose seat ends soonest first."""
        ends = [one for one in self.instructors if one.relation.low]
        return sorted(ends, key=lambda one: (one.relation.seat_expires_at is None, one.relation.mentor_name))


async def read(uow: UnitOfWork, student_id: UUID, now: datetime) -> Dashboard:
    """The dashboard of the student that `uow` is bound to."""
    related = await relations.of_student(uow, student_id)
    on_sale = await _products(uow, student_id)
    written = await repository.all_of(uow.session, student_id)
    return Dashboard(
        totals=totals(related),
        instructors=[_instructor(relation, on_sale, written) for relation in related],
        upcoming=(await lists.upcoming(uow, student_id, now))[:UPCOMING],
        proposals=await proposals.open_of_student(uow),
        places=await own_places.own(uow, student_id),
        asked=await asking.due(uow, student_id, now),
    )


def totals(related: Sequence[Relation]) -> Totals:
    """The sums over a student's relations."""
    return Totals(
        completed=sum(relation.completed for relation in related),
        remaining=sum(relation.remaining for relation in related),
        instructors=sum(relation.seat_status in MENTEE_SEATS for relation in related),
        low=sum(relation.low for relation in related),
    )


async def _products(uow: UnitOfWork, student_id: UUID) -> dict[UUID, UUID]:
    """By mentor: the product that the student got last, of those that are still on sale."""
    query = (
        sa.select(SessionPack.mentor_id, Product.id)
        .join(Product, Product.id == SessionPack.product_id)
        .where(SessionPack.student_id == student_id, Product.active)
        .ext(distinct_on(SessionPack.mentor_id))
        .order_by(SessionPack.mentor_id, SessionPack.purchased_at.desc(), SessionPack.id.desc())
    )
    return {row.mentor_id: row.id for row in (await uow.session.execute(query)).all()}


def _instructor(relation: Relation, on_sale: dict[UUID, UUID], written: Sequence[Written]) -> Instructor:
    about = (one for one in written if one.mentor_id == relation.mentor_id)
    return Instructor(
        relation=relation,
        bookable=_bookable(relation),
        renew_href=_renew_href(relation, on_sale.get(relation.mentor_id)),
        written=next(about, None),
    )


def _bookable(relation: Relation) -> int:
    if relation.seat_status is not SeatStatus.ACTIVE:
        return 0
    return max(0, relation.remaining - relation.scheduled)


def _renew_href(relation: Relation, product_id: UUID | None) -> str | None:
    """Straight to the checkout where a seat and the same pack are there, else to what the instructor sells."""
    if relation.mentor_name == GONE:
        return None
    if product_id is not None and relation.seat_status in MENTEE_SEATS:
        return f"/checkout?product_id={product_id}"
    return f"/instructors/{relation.mentor_slug}#packs"
