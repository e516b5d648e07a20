"""What follows from bringing packs over: who is told now, before they expire, and what happens when they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.ids import new_id
from app.core.templating import iso
from app.notifications import telling
from app.notifications.kinds import Anchor
from app.packs.expiry import EXPIRE
from app.packs.seats import ROLE

Event = dict[str, Any]


def of(packs: Sequence[Mapping[str, Any]]) -> list[Event]:
    """The events of packs {id, mentor_id, student_id, expires_at} with sessions left, as `sql.emit` takes them."""
    return [*_notices(packs), *(event for pack in packs for event in _by_time(pack)), *_roles(packs)]


def _notices(packs: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    """One mail for each student about all their packs, one for each mentor about all their mentees."""
    students: dict[UUID, list[UUID]] = {}
    mentors: dict[UUID, set[UUID]] = {}
    for pack in packs:
        students.setdefault(pack["student_id"], []).append(pack["id"])
        mentors.setdefault(pack["mentor_id"], set()).add(pack["student_id"])
    for id_, ids in students.items():
        yield _notice({"kind": "packs_onboarded", "student_id": id_, "pack_ids": ids})
    for id_, mentees in mentors.items():
        yield _notice({"kind": "mentees_onboarded", "mentor_id": id_, "mentees": len(mentees)})


def _by_time(pack: Mapping[str, Any]) -> Iterator[Event]:
    """As `packs.expiry.watch` has it."""
    expires_at = datetime.fromisoformat(pack["expires_at"])
    for kind, due in telling.timed_at(Anchor.PACK, expires_at):
        payload = {"pack_id": pack["id"], "anchor_at": iso(expires_at)}
        key = telling.key_of(kind, payload)
        yield _notice({"kind": kind.name, **payload}) | {"key": key, "at": due.isoformat()}
    yield _event(EXPIRE, {"pack_id": pack["id"]}) | {"at": pack["expires_at"]}


def _roles(packs: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    for student_id in {pack["student_id"] for pack in packs}:
        yield _event(ROLE, {"user_id": student_id})


def _notice(payload: Event) -> Event:
    return _event(telling.SEND, payload)


def _event(type_: str, payload: Event) -> Event:
    return {"id": new_id(), "type": type_, "payload": payload}
