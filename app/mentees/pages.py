"""What the pages about mentees show. Rows are plain; instants are UTC."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from app.booking import lists, mentor_lists
from app.booking.models import Session
from app.core.paging import NO_PAGE, PER_PAGE, page_number, pages, turning
from app.core.seen import digest
from app.core.unit_of_work import UnitOfWork
from app.core.web import Viewer
from app.mentees import history, listing, notes, relations, renewals
from app.mentees.listing import SHOWN, SORTS, Wish
from app.mentees.notes import Note
from app.packs.models import SeatStatus

SEAT_WORDS: Final = {
    SeatStatus.OFFERED: "Offered",
    SeatStatus.HELD: "At the checkout",
    SeatStatus.ACTIVE: "Active",
    SeatStatus.GRACE: "May renew",
    SeatStatus.RELEASED: "Given up",
}
_HAPPENED: Final = {
    SeatStatus.OFFERED: "Offered from the waitlist",
    SeatStatus.HELD: "Held for the checkout",
    SeatStatus.ACTIVE: "Taken",
    SeatStatus.GRACE: "Kept for renewing",
    SeatStatus.RELEASED: "Given up",
}


async def students(uow: UnitOfWork, viewer: Viewer, wish: Wish) -> dict[str, Any]:
    """The context of mentees/students.html."""
    found = listing.listed(await relations.of_mentor(uow, viewer.id), wish)
    wish = found.wish
    return {
        "relations": found.relations,
        "wish": wish,
        "total": found.total,
        "anybody": bool(found.counts["all"]),
        "filters": [
            {
                "label": label,
                "href": wish.href(show=show),
                "count": found.counts[show],
                "selected": show == wish.show,
            }
            for show, label in SHOWN.items()
        ],
        "sorts": [
            {"label": label, "href": wish.href(sort=sort), "selected": sort == wish.sort}
            for sort, label in SORTS.items()
        ],
        "pagination": pages(lambda page: wish.href(page=page), wish.page, found.total, listing.PER_PAGE),
        "seat_words": SEAT_WORDS,
        "zone": viewer.time_zone,
    }


async def student(uow: UnitOfWork, viewer: Viewer, student_id: UUID, page: str) -> dict[str, Any]:
    """The context of mentees/student.html. Raises NotFound for who is no mentee of the viewer's."""
    relation = await relations.one(uow, viewer.id, student_id)
    home = await renewals.zone_of(uow, viewer.id)
    return {
        "relation": relation,
        "student": {"id": relation.student_id, "name": relation.student_name},
        "can_ask": renewals.can_ask(relation),
        "asked": student_id in await renewals.asked_today(uow, viewer.id, home),
        "packs": await history.packs(uow, viewer.id, student_id),
        "seat_history": [
            {"at": row.at, "text": _HAPPENED[row.status]}
            for row in await history.seat(uow, viewer.id, student_id)
        ],
        "profile": await history.profile(uow, student_id),
        "seat_words": SEAT_WORDS,
        "zone": viewer.time_zone,
        "back": f"{listing.PATH}/{student_id}",
        **notes_section(await notes.of(uow, viewer.id, student_id), viewer),
        **await _sessions(uow, viewer, student_id, page),
    }


async def _sessions(uow: UnitOfWork, viewer: Viewer, student_id: UUID, page: str) -> dict[str, Any]:
    """The sessions with a student, the latest first, in pages; an unknown page is the first, with a note."""
    number = page_number(page)
    theirs = Session.student_id == student_id
    offset = ((number or 1) - 1) * PER_PAGE
    found = await lists.of_mentor(
        uow, viewer.id, theirs, newest_first=True, limit=PER_PAGE + 1, offset=offset
    )
    if offset and not found:
        return await _sessions(uow, viewer, student_id, "0")
    return {
        "sessions": await mentor_lists.rows(uow, viewer, found[:PER_PAGE]),
        "pagination": turning(
            lambda page: f"{listing.PATH}/{student_id}?page={page}#sessions", number or 1, len(found)
        ),
        "page_note": None if number else NO_PAGE,
    }


def notes_section(note: Note, viewer: Viewer) -> dict[str, Any]:
    """What mentees/_notes.html takes, as kept. `seen` names this version."""
    return {
        "notes_form": {"body": note.body},
        "notes_changed_at": note.changed_at,
        "seen": digest(note.body),
        "notes_errors": {},
        "theirs": None,
        "zone": viewer.time_zone,
    }
