"""Every student, how they stand, and in which state their account is: a page of the list in three queries."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.accounts.models import User
from app.booking.models import Session, SessionStatus
from app.core import clock
from app.core.unit_of_work import Role, UnitOfWork
from app.mentees import relations
from app.mentees.relations import Relation
from app.packs.models import PackStatus, SessionPack

PER_PAGE: Final = 50
_INVITED: Final = sa.and_(User.email_verified_at.is_(None), User.password_hash.is_(None))
_UNVERIFIED: Final = sa.and_(User.email_verified_at.is_(None), User.password_hash.is_not(None))
account_state: Final = sa.case(
    (User.forgotten_at.is_not(None), "erased"),
    (User.deleted_at.is_not(None), "deleted"),
    (_INVITED, "invited"),
    (_UNVERIFIED, "unverified"),
    else_="active",
)
"""In which state an account is."""
STATES: Final = {
    "": "All",
    "active": "Active",
    "invited": "Invited",
    "unverified": "Unconfirmed",
    "deleted": "Deleted",
}
SORTS: Final = {
    "joined": "Joined",
    "name": "Name",
    "email": "E-mail",
    "left": "Sessions left",
    "last": "Last session",
}


class Student(msgspec.Struct, frozen=True, kw_only=True):
    """A student in the list. `state`: active, invited, unverified or deleted; `joined` in UTC."""

    id: UUID
    name: str
    email: str
    state: str
    joined: datetime
    relations: list[Relation]

    @property
    def left(self) -> int:
        """Sessions that can still be taken, with whomever."""
        return sum(relation.remaining for relation in self.relations)

    @property
    def last_session(self) -> datetime | None:
        """When they last met somebody."""
        return max((r.last_session for r in self.relations if r.last_session), default=None)


async def page_of(
    uow: UnitOfWork, *, words: str, state: str, sort: str, number: int
) -> tuple[list[Student], int]:
    """The students of a page, and how many there are on all pages. `sort`: a key of SORTS, "-" before it reverses."""
    found = _found(words, state)
    total = (await uow.session.execute(sa.select(sa.func.count()).select_from(found.subquery()))).scalar_one()
    query = found.order_by(*_order(sort)).limit(PER_PAGE).offset((number - 1) * PER_PAGE)
    rows = (await uow.session.execute(query)).all()
    theirs = await relations.of_students(uow, [row.id for row in rows])
    return [Student(**row._mapping, relations=theirs[row.id]) for row in rows], total


def _found(words: str, state: str) -> sa.Select[Any]:
    email = sa.cast(User.email, sa.Text)
    query = sa.select(
        User.id,
        User.name,
        email.label("email"),
        account_state.label("state"),
        User.created_at.label("joined"),
    ).where(User.role == Role.STUDENT, User.forgotten_at.is_(None))
    if words:
        query = query.where(
            User.name.icontains(words, autoescape=True) | email.icontains(words, autoescape=True)
        )
    return query.where(account_state == state) if state else query


def _order(sort: str) -> tuple[sa.ColumnElement[Any], ...]:
    keys: dict[str, sa.ColumnElement[Any]] = {
        "joined": User.created_at.expression,
        "name": sa.func.lower(User.name),
        "email": sa.func.lower(sa.cast(User.email, sa.Text)),
        "left": _left(),
        "last": _last(),
    }
    key = keys[sort.removeprefix("-")]
    return (key.desc() if sort.startswith("-") else key.asc()).nulls_last(), User.id.expression


def _left() -> sa.ColumnElement[Any]:
    spendable = (SessionPack.status == PackStatus.ACTIVE, SessionPack.expires_at > clock.now())
    left = sa.select(sa.func.coalesce(sa.func.sum(SessionPack.remaining_sessions), 0))
    return left.where(SessionPack.student_id == User.id, *spendable).scalar_subquery()


def _last() -> sa.ColumnElement[Any]:
    held = sa.select(Session.scheduled_at).where(
        Session.student_id == User.id, Session.status == SessionStatus.COMPLETED
    )
    return held.order_by(Session.scheduled_at.desc()).limit(1).scalar_subquery()
