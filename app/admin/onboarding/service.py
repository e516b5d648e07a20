"""Onboarding: students who were mentored before the platform, with the sessions they have left, without payment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.accounts.many_invitations import Guest, invite_students
from app.admin.onboarding import events, plan, sql
from app.admin.onboarding.file import Cells
from app.admin.onboarding.plan import Planned, Report
from app.admin.onboarding.rules import Row
from app.core import audit, clock
from app.core.ids import new_id
from app.core.unit_of_work import Principal, UnitOfWork
from app.settings import Settings

ATTEMPTS = 3


async def preview(uow: UnitOfWork, rows: Sequence[Cells]) -> Report:
    """What importing the rows would do now; for an admin. Nothing is changed, nothing is locked."""
    return await _report(uow, rows, lock=False)


async def bring_over(uow: UnitOfWork, settings: Settings, rows: Sequence[Cells], *, by: Principal) -> Report:
    """Import the rows, all of them or, if one is wrong, none; rows that are there already are skipped.

    `by`: the admin. Students without an account get one with an invitation; each student and each mentor is told once.
    Service unit of work, in the caller's transaction. Returns what was done, or why nothing was.
    """
    for _ in range(ATTEMPTS):
        report = await _report(uow, rows, lock=True)
        if report.count("wrong") or not report.planned:
            return report
        guests = _guests(report.planned)
        ids = await invite_students(uow, settings, guests, by=by) if guests else {}
        if len(ids) == len(guests):
            await _write(uow, report.planned, ids, by)
            return report
        await uow.rollback()  # somebody signed up with one of the addresses just now: look again
    raise RuntimeError("addresses were taken at every attempt")


async def _report(uow: UnitOfWork, rows: Sequence[Cells], *, lock: bool) -> Report:
    checked = plan.checked(rows)
    understood = [row for row in checked if isinstance(row, Row)]
    return plan.judge(checked, await sql.facts(uow.session, understood, lock=lock), clock.now())


def _guests(planned: Sequence[Planned]) -> list[Guest]:
    """Who has no account yet, by address; the first row that names somebody says what they are called."""
    found: dict[str, Guest] = {}
    for one in planned:
        if one.student_id is None:
            email = one.row.student_email
            found.setdefault(email, Guest(email, one.row.student_name, one.mentor.zone))
    return [found[email] for email in sorted(found)]


async def _write(uow: UnitOfWork, planned: Sequence[Planned], ids: dict[str, UUID], by: Principal) -> None:
    now = clock.now()
    packs = [_pack(one, one.student_id or ids[one.row.student_email]) for one in planned]
    spendable = [pack for pack in packs if pack["remaining"]]
    taken = [pack for pack, one in zip(packs, planned, strict=True) if one.takes_seat]
    pairs = {(pack["mentor_id"], pack["student_id"]): pack for pack in spendable}
    seats = [
        {"id": new_id(), "mentor_id": pack["mentor_id"], "student_id": pack["student_id"]} for pack in taken
    ]
    await sql.seat(uow.session, seats, [_pair(pack) for pack in pairs.values()], now)
    await sql.add_packs(uow.session, packs, by.user_id, now)
    await sql.emit(uow.session, events.of(spendable), now)
    counts = {
        "packs": len(packs),
        "students": len({pack["student_id"] for pack in packs}),
        "new_accounts": len(ids),
        "mentors": len({pack["mentor_id"] for pack in packs}),
    }
    await audit.record(uow, "onboard", "session_packs", None, None, counts, actor=by)


def _pair(pack: dict[str, Any]) -> dict[str, Any]:
    return {"mentor_id": pack["mentor_id"], "student_id": pack["student_id"]}


def _pack(one: Planned, student_id: UUID) -> dict[str, Any]:
    reference = one.row.reference
    return {
        "id": new_id(),
        "entry_id": new_id(),
        "mentor_id": one.mentor.id,
        "student_id": student_id,
        "total": one.row.total,
        "remaining": one.row.remaining,
        "expires_at": one.expires_at.isoformat(),
        "key": one.row.key,
        "reason": f"Brought over: {reference}" if reference else "Brought over",
    }
