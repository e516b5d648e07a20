"""What mails about sessions say and to whom: one function a kind of `notification/send`, one for all that come by time.

Each takes the service unit of work, the settings and the event's payload. The payload carries the session as of its
version, so that a mail tells of that change even when the session has moved on since.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.booking.ics import Meeting, invitation, schedule
from app.booking.models import EventSync, MoveProposal, ProposalStatus, SessionStatus
from app.booking.told import Person, Told, present, told_of
from app.core.templating import iso
from app.core.unit_of_work import Role, UnitOfWork
from app.notifications.catalogue import CATALOGUE
from app.notifications.service import Message, SkipReason, outdated
from app.settings import Settings

Payload = Mapping[str, Any]
Notice = Callable[[UnitOfWork, Settings, Payload], Awaitable[list[Message]]]

USED: Final = "That was less than 24 hours before the start, so the session is used up."


async def session_booked(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """Both, with the invitation. Context: see templates/mail/session_booked."""
    told = await _told(uow, payload)
    return [_invited(settings, told, person, payload) for person in told.both]


async def series_booked(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """Both, once for all sessions that were booked together, with one file for them."""
    told = await _told(uow, payload)
    return [_scheduled(settings, told, person, payload["sessions"]) for person in told.both]


async def session_moved(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """Both, with the invitation that replaces the one before."""
    told = await _told(uow, payload)
    before = {"previous_start": datetime.fromisoformat(payload["before"])}
    return [_invited(settings, told, person, payload, before) for person in told.both]


async def session_canceled(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """Both, with the file that takes it out of a calendar."""
    told = await _told(uow, payload)
    more: dict[str, Any] = {"canceled_by": payload["actor_role"]}
    if payload.get("used"):
        more["reason"] = USED
    links = {Role.STUDENT: f"/calendar?mentor_id={told.mentor.id}", Role.MENTOR: "/instructor/sessions"}
    return [
        _invited(settings, told, person, payload, more | {"link": _page(settings, links[person.role])})
        for person in told.both
    ]


async def session_reminder(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """Both, of what comes by time before a session, while it starts then: not canceled, held or moved since."""
    told = await _told(uow, payload)
    holds = told.status is SessionStatus.SCHEDULED and told.start_version == payload["version"]
    skip = None if holds else SkipReason.OUTDATED
    room = {"link": _page(settings, f"/sessions/{told.id}/call")}
    more = room if payload["kind"] == "session_reminder_hour" else {}
    return [replace(_plain(settings, told, person, payload, more), skip=skip) for person in told.both]


async def session_completed(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """The student."""
    told = await _told(uow, payload)
    return [_plain(settings, told, person, payload) for person in present(told.student)]


async def session_no_show(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """The student."""
    return await session_completed(uow, settings, payload)


async def session_auto_completed(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """Both."""
    told = await _told(uow, payload)
    return [_plain(settings, told, person, payload) for person in told.both]


async def calendar_failed(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """The mentor, while the session is missing in the calendar."""
    told = await _told(uow, payload)
    if told.event_sync is not EventSync.FAILED:
        return [outdated(told.mentor.id)]
    more = {"link": _page(settings, "/instructor/settings"), "reason": payload.get("reason", "")}
    return [_plain(settings, told, person, payload, more) for person in present(told.mentor)]


async def calendar_conflict(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """The mentor, while it is undecided which time holds."""
    told = await _told(uow, payload)
    if told.conflict != payload["conflict"]:
        return [outdated(told.mentor.id)]
    more: dict[str, Any] = {
        "link": _page(settings, "/instructor/sessions?status=scheduled"),
        "conflict": payload["conflict"],
    }
    if payload.get("conflict_start"):
        more["conflict_start"] = datetime.fromisoformat(payload["conflict_start"])
    return [_plain(settings, told, person, payload, more) for person in present(told.mentor)]


async def recording_ready(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """`{"session_id", "expires_at"}`: the student, while the link that is kept until then is there."""
    return await _recording(uow, settings, payload, payload["expires_at"])


async def recording_expiring(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """`{"session_id", "anchor_at"}`: both, of what comes by time before a link goes, while it is still there."""
    return await _recording(uow, settings, payload, payload["anchor_at"])


async def _recording(uow: UnitOfWork, settings: Settings, payload: Payload, until: str) -> list[Message]:
    """To whom the kind is for. The link itself is in no mail: it can be taken back."""
    told = await _told(uow, payload)
    kept = told.recording_expires_at
    skip = None if kept is not None and iso(kept) == until else SkipReason.OUTDATED
    more = {"expires_at": datetime.fromisoformat(until)}
    messages = [
        _plain(settings, told, person, payload, more)
        for person in told.both
        if person.role in CATALOGUE[payload["kind"]].to
    ]
    return [replace(message, skip=skip) for message in messages]


async def move_proposed(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """The student, while the proposal waits for an answer."""
    return await _proposal(uow, settings, payload, Role.STUDENT, ProposalStatus.OPEN)


async def proposal_declined(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """The mentor."""
    return await _proposal(uow, settings, payload, Role.MENTOR, ProposalStatus.DECLINED)


async def proposal_withdrawn(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """The student."""
    return await _proposal(uow, settings, payload, Role.STUDENT, ProposalStatus.WITHDRAWN)


async def _proposal(
    uow: UnitOfWork, settings: Settings, payload: Payload, role: Role, status: ProposalStatus
) -> list[Message]:
    told = await _told(uow, payload)
    proposal = await uow.session.get_one(MoveProposal, UUID(payload["proposal_id"]))
    person = told.student if role is Role.STUDENT else told.mentor
    if proposal.status is not status:
        return [outdated(person.id)]
    path = f"/sessions/{told.id}" + ("/proposal" if status is ProposalStatus.OPEN else "")
    start = datetime.fromisoformat(payload["proposed"])
    more = {
        "proposed_start": start,
        "proposed_end": start + (told.end - told.start),
        "link": _page(settings, path),
    }
    return [_plain(settings, told, one, payload, more) for one in present(person)]


async def _told(uow: UnitOfWork, payload: Payload) -> Told:
    return await told_of(uow, UUID(payload["session_id"]))


def _plain(
    settings: Settings,
    told: Told,
    person: Person,
    payload: Payload,
    more: Mapping[str, Any] | None = None,
) -> Message:
    """The message without a file. `start` and `end` are the event's where it carries them."""
    context: dict[str, Any] = {
        "recipient_name": person.name,
        "other_name": told.other(person).name,
        "role": person.role.value,
        "start": _instant(payload, "start", told.start),
        "end": _instant(payload, "end", told.end),
        "zone": person.zone,
        "link": _page(settings, f"/sessions/{told.id}"),
    }
    if person.role is Role.STUDENT:
        context["sessions_left"] = told.sessions_left
    return Message(person.id, person.email, context | dict(more or {}))


def _invited(
    settings: Settings,
    told: Told,
    person: Person,
    payload: Payload,
    more: Mapping[str, Any] | None = None,
) -> Message:
    message = _plain(settings, told, person, payload, more)
    meeting = Meeting(
        session_id=told.id,
        version=payload["version"],
        start=message.context["start"],
        end=message.context["end"],
        canceled=payload["kind"] == "session_canceled",
        with_name=told.other(person).name,
        name=person.name,
        email=person.email,
    )
    return Message(message.recipient_id, message.address, message.context, [invitation(settings, meeting)])


def _scheduled(settings: Settings, told: Told, person: Person, sessions: list[Payload]) -> Message:
    other = told.other(person)
    times = [
        (datetime.fromisoformat(session["start"]), datetime.fromisoformat(session["end"]))
        for session in sessions
    ]
    meetings = [
        Meeting(UUID(session["session_id"]), 0, start, end, False, other.name, person.name, person.email)
        for session, (start, end) in zip(sessions, times, strict=True)
    ]
    list_of = {Role.STUDENT: "/sessions", Role.MENTOR: "/instructor/sessions?status=scheduled"}
    more = {"times": times, "link": _page(settings, list_of[person.role])}
    message = _plain(settings, told, person, {}, more)
    return Message(message.recipient_id, message.address, message.context, [schedule(settings, meetings)])


def _instant(payload: Payload, name: str, now: datetime) -> datetime:
    return datetime.fromisoformat(payload[name]) if name in payload else now


def _page(settings: Settings, path: str) -> str:
    return settings.public_url.rstrip("/") + path


NOTICES: Final[dict[str, Notice]] = {
    "session_booked": session_booked,
    "series_booked": series_booked,
    "session_moved": session_moved,
    "session_canceled": session_canceled,
    "session_completed": session_completed,
    "session_no_show": session_no_show,
    "session_auto_completed": session_auto_completed,
    "calendar_failed": calendar_failed,
    "calendar_conflict": calendar_conflict,
    "recording_ready": recording_ready,
    "move_proposed": move_proposed,
    "proposal_declined": proposal_declined,
    "proposal_withdrawn": proposal_withdrawn,
}
