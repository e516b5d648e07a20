"""Testimonials: asked for, written, changed, withdrawn by their writer, approved or declined by an admin.

Each function works in the caller's transaction, bound to whoever does it.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.accounts.themselves import require_themselves
from app.core import audit, clock
from app.core.errors import Invalid, NotFound, Refused
from app.core.text import tidy_lines
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.testimonials import repository, rules
from app.testimonials.models import Testimonial, TestimonialStatus
from app.testimonials.repository import About, Public, Written

__all__ = ["About", "Public", "Written", "about", "change", "decide", "of_pack", "one", "withdraw", "write"]

GONE: Final = "That testimonial was withdrawn. Nothing was changed."
DECIDED: Final = "It was read by the studio meanwhile, so it can’t be changed any more. Nothing was changed."
NOT_YET: Final = "A testimonial can be written after the third session of a pack, or after its last."
WRITTEN: Final = "You have written about this pack already, perhaps in another window."
REWRITTEN: Final = "The words have changed since you read them. Nothing was decided; please read them again."


async def about(uow: UnitOfWork, pack_id: UUID) -> About:
    """An own pack that something may be written about. Raises NotFound; Refused("not_yet") before enough was held."""
    found = await repository.pack(uow.session, pack_id)
    if found is None:
        raise NotFound
    if not found.due and await of_pack(uow, pack_id) is None:
        raise Refused("not_yet", NOT_YET)
    return found


async def of_pack(uow: UnitOfWork, pack_id: UUID) -> Written | None:
    """What was written about the pack."""
    return await repository.one(uow.session, Testimonial.pack_id == pack_id)


async def one(uow: UnitOfWork, testimonial_id: UUID) -> Written:
    """A testimonial that the asker may see: its writer or an admin. Raises NotFound."""
    found = await repository.one(uow.session, Testimonial.id == testimonial_id)
    if found is None:
        raise NotFound
    return found


async def write(uow: UnitOfWork, pack_id: UUID, body: str) -> UUID:
    """Write about an own pack, once; an admin reads it before anybody else does. Returns its id.

    No admin writes in a student's name. Raises Forbidden, NotFound, Invalid (`body`), Refused: `not_yet`, `already_written`.
    """
    require_themselves(uow.principal)
    found = await about(uow, pack_id)
    if await of_pack(uow, pack_id) is not None:
        raise Refused("already_written", WRITTEN)
    id_ = await repository.add(uow.session, found, uow.user_id, _checked(body), clock.now())
    if id_ is None:  # another window was quicker
        raise Refused("already_written", WRITTEN)
    return id_


async def change(uow: UnitOfWork, testimonial_id: UUID, body: str) -> None:
    """Change own words while nobody has decided about them.

    Raises Forbidden (as `write`), NotFound, Invalid (`body`), Refused("decided").
    """
    require_themselves(uow.principal)
    await one(uow, testimonial_id)
    pending = sa.and_(Testimonial.id == testimonial_id, Testimonial.status == TestimonialStatus.PENDING)
    values = {"body": _checked(body), "written_at": clock.now()}
    if not await repository.change(uow.session, pending, values):
        raise Refused("decided", DECIDED)


async def withdraw(uow: UnitOfWork, testimonial_id: UUID) -> Written:
    """Take own words back, public or not: they are deleted. Returns what it was. Raises NotFound."""
    found = await one(uow, testimonial_id)
    if not await repository.remove(uow.session, testimonial_id):
        raise NotFound(GONE)
    await audit.record(uow, "withdraw_testimonial", "testimonials", found.id, {"status": found.status})
    return found


async def decide(uow: UnitOfWork, testimonial_id: UUID, status: TestimonialStatus, *, seen: str) -> Written:
    """Approve or decline, by an admin who has read the words named by `seen`; their writer is told of an approval,
    once. The same decision twice changes nothing. Returns what it was.

    Raises NotFound, Refused("rewritten") where the words have changed since.
    """
    found = await repository.one(uow.session, Testimonial.id == testimonial_id)
    if found is None:
        raise NotFound(GONE)
    if found.seen != seen:
        raise Refused("rewritten", REWRITTEN)
    if found.status is status:
        return found
    as_read = sa.and_(Testimonial.id == testimonial_id, Testimonial.body == found.body)
    decision = {"status": status, "decided_at": clock.now(), "decided_by": uow.user_id}
    if not await repository.change(uow.session, as_read, decision):
        raise Refused("rewritten", REWRITTEN)
    await audit.record(
        uow, "decide_testimonial", "testimonials", found.id, {"status": found.status}, {"status": status}
    )
    if status is TestimonialStatus.APPROVED:
        await telling.tell(uow, "testimonial_approved", {"testimonial_id": found.id})
    return found


def _checked(body: str) -> str:
    words = tidy_lines(body)
    wrong = rules.problem(words)
    if wrong:
        raise Invalid({"body": wrong})
    return words
