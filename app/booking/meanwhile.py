"""Two people, or two tabs, edit one session: whoever saves second is told what it became, and overwrites nothing.

What an editor saw comes as `Seen`: for the status the status itself, for texts their digests (`core.seen`). It is
compared with what is stored behind the row's lock, in the transaction that writes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from app.booking import lists
from app.booking.facts import SessionRow
from app.booking.models import SessionStatus
from app.core import audit, clock
from app.core.errors import Refused
from app.core.seen import digest
from app.core.unit_of_work import UnitOfWork

Seen: TypeAlias = Mapping[str, Collection[str]]
"""By field (`status`, `notes`, `recording_url`) the values that the editor knows; fields left out aren't compared."""

CODE: Final = "changed_meanwhile"
ONE_SITTING: Final = timedelta(minutes=10)
"""Saves of the same text by the same person within it are one entry of the audit log: texts save themselves often."""
_WORDS: Final = {"status": "The status", "notes": "The notes", "recording_url": "The recording’s link"}


@dataclass(frozen=True)
class Editor:
    """Who changed it, as far as the audit log tells; `id` None: the system."""

    id: UUID | None
    role: str


class ChangedMeanwhile(Refused):
    """Somebody changed `fields` since the editor saw them. `present`: what is stored now; `by`: who, where known."""

    def __init__(self, fields: Collection[str], row: SessionRow, by: Editor | None) -> None:
        names = " and ".join(_WORDS[field] for field in fields)
        super().__init__(CODE, f"{names} changed in the meantime. Nothing was changed by you.")
        self.fields = tuple(fields)
        self.present = present(row)
        self.by = by
        self.extra: dict[str, Any] = {"fields": list(fields), "present": self.present}


def present(row: SessionRow) -> dict[str, str | None]:
    """The fields that are edited, as they are stored."""
    return {"status": row.status.value, "notes": row.notes, "recording_url": row.recording_url}


def seen_of(values: Mapping[str, str | None]) -> dict[str, list[str]]:
    """What somebody has seen who knows the values themselves."""
    return {field: [_name(field, value)] for field, value in values.items()}


async def check(
    uow: UnitOfWork,
    row: SessionRow,
    status: SessionStatus | None,
    details: Mapping[str, str | None],
    seen: Seen,
) -> None:
    """Compare the locked `row` with what was seen. What it became already is no conflict. Raises ChangedMeanwhile."""
    now = present(row)
    wanted: dict[str, str | None] = {**details}
    if status is not None:
        wanted["status"] = status.value
    changed = [
        field
        for field in now
        if field in seen
        and _name(field, now[field]) not in seen[field]
        and not (field in wanted and wanted[field] == now[field])
    ]
    if changed:
        raise ChangedMeanwhile(changed, row, await _editor(uow, row.id, changed[0]))


async def record_edit(uow: UnitOfWork, row: SessionRow, changed: Mapping[str, str | None]) -> None:
    """Write down that texts of the session changed, never what they say."""
    after = {field: "changed" if value else "removed" for field, value in changed.items()}
    if not await _same_sitting(uow, row.id, after):
        await audit.record(uow, "edit", "sessions", row.id, None, after)


def _name(field: str, value: str | None) -> str:
    return (value or "") if field == "status" else digest(value or "")


async def _editor(uow: UnitOfWork, session_id: UUID, field: str) -> Editor | None:
    for entry in reversed(await lists.history(uow, session_id)):
        if field in (entry.after or {}):
            return Editor(entry.actor_id, entry.actor_role)
    return None


async def _same_sitting(uow: UnitOfWork, session_id: UUID, after: Mapping[str, str]) -> bool:
    """True if the last entry about these texts is the same person's and recent."""
    for entry in reversed(await lists.history(uow, session_id)):
        if entry.action == "edit" and not after.keys().isdisjoint(entry.after):
            who = uow.principal
            mine = entry.actor_id == who.user_id and who.impersonator_id is None and entry.after == after
            return mine and entry.at > clock.now() - ONE_SITTING
    return False
