"""A mentor's private notes about a mentee: kept as they are typed, and never over what the writer hasn't read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import clock
from app.core.errors import Invalid, Refused
from app.core.seen import digest
from app.core.unit_of_work import UnitOfWork
from app.mentees import relations
from app.mentees.models import MenteeNote

MAX: Final = 10_000


class Note(msgspec.Struct, frozen=True):
    """The notes as they are kept; `changed_at` is None before there are any."""

    body: str = ""
    changed_at: datetime | None = None


class NotesDiffer(Refused):
    """The notes were changed meanwhile: `theirs` is what is kept now. Nothing was overwritten."""

    def __init__(self, theirs: Note) -> None:
        self.theirs = theirs
        super().__init__("notes_changed", "These notes were changed in another window meanwhile.")


async def of(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> Note:
    """The mentor's notes about a student."""
    row = (await uow.session.execute(_select(mentor_id, student_id))).one_or_none()
    return Note(row.body, row.changed_at) if row else Note()


async def keep(uow: UnitOfWork, mentor_id: UUID, student_id: UUID, text: str, seen: Collection[str]) -> Note:
    """Keep `text` as the notes about a mentee; `seen`: digests of the versions that the writer knows.

    Raises NotFound for who is no mentee of the mentor's, Invalid (`body`), NotesDiffer where what is kept is neither
    `text` nor anything seen.
    """
    body = checked(text)
    await relations.one(uow, mentor_id, student_id)
    now = clock.now()
    first = insert(MenteeNote).values(mentor_id=mentor_id, student_id=student_id, body=body, changed_at=now)
    added = await uow.session.execute(first.on_conflict_do_nothing().returning(MenteeNote.body))
    if added.scalar_one_or_none() is not None:
        return Note(body, now)
    row = (await uow.session.execute(_select(mentor_id, student_id).with_for_update())).one()
    if row.body == body:
        return Note(row.body, row.changed_at)
    if digest(row.body) not in seen:
        raise NotesDiffer(Note(row.body, row.changed_at))
    change = sa.update(MenteeNote).where(
        MenteeNote.mentor_id == mentor_id, MenteeNote.student_id == student_id
    )
    await uow.session.execute(change.values(body=body, changed_at=now))
    return Note(body, now)


def plain(text: str) -> str:
    """The text with the line ends that we keep; forms send others."""
    return text.replace("\r\n", "\n")


def checked(text: str) -> str:
    """The notes with plain line ends. Raises Invalid (`body`)."""
    body = plain(text)
    if len(body) > MAX:
        raise Invalid({"body": f"Notes hold {MAX:,} characters; these are {len(body) - MAX:,} too many."})
    if "\x00" in body:
        raise Invalid({"body": "There is a character in it that can’t be kept."})
    return body


def _select(mentor_id: UUID, student_id: UUID) -> sa.Select[str, datetime]:
    return sa.select(MenteeNote.body, MenteeNote.changed_at).where(
        MenteeNote.mentor_id == mentor_id, MenteeNote.student_id == student_id
    )
