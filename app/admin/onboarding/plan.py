"""What importing rows would do, given what there is already: new packs, rows that are there, rows that are wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from app.admin.onboarding import rules
from app.admin.onboarding.file import Cells
from app.admin.onboarding.rules import Row
from app.core.unit_of_work import Role
from app.core.zones import end_of_day

Outcome = Literal["new", "there", "wrong"]


@dataclass(frozen=True)
class Account:
    """Somebody who has an account."""

    id: UUID
    name: str
    role: Role
    is_deleted: bool


@dataclass(frozen=True)
class Teacher:
    """A mentor, with seats `taken` of `capacity`."""

    id: UUID
    name: str
    zone: str
    capacity: int
    taken: int


@dataclass(frozen=True)
class Facts:
    """What there is of the people that rows name: accounts and mentors by address, `seated` pairs (mentor, student)."""

    accounts: Mapping[str, Account]
    mentors: Mapping[str, Teacher]
    seated: frozenset[tuple[UUID, UUID]]
    keys: frozenset[str]


@dataclass(frozen=True)
class Line:
    """What becomes of a row, in words; `fields`: what is wrong beside which field."""

    number: int
    student: str
    mentor: str
    outcome: Outcome
    said: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """A pack to be made; `student_id` None: an account is made first. `takes_seat`: the pair has none yet."""

    row: Row
    mentor: Teacher
    student_id: UUID | None
    expires_at: datetime
    takes_seat: bool


@dataclass(frozen=True)
class Report:
    """A line for every row, in order, and what is to be done if none is wrong."""

    lines: list[Line]
    planned: list[Planned]

    def count(self, outcome: Outcome) -> int:
        """How many rows end like that."""
        return sum(line.outcome == outcome for line in self.lines)

    @property
    def accounts(self) -> int:
        """How many accounts would be made."""
        return len({one.row.student_email for one in self.planned if one.student_id is None})


def checked(rows: Iterable[Cells]) -> list[Row | Line]:
    """Each row as it is understood, or the line that says what is wrong with it."""
    return [_checked(cells) for cells in rows]


def _checked(cells: Cells) -> Row | Line:
    row, problems = (None, {}) if cells.problem else rules.check(cells.number, cells.values)
    if row is not None:
        return row
    said = cells.problem or " ".join(f"{name}: {sentence}" for name, sentence in problems.items())
    student, mentor = (cells.values[name].strip()[:80] for name in ("student_email", "mentor_email"))
    return Line(cells.number, student, mentor, "wrong", said, problems)


def judge(rows: Iterable[Row | Line], facts: Facts, now: datetime) -> Report:
    """What becomes of each row; earlier rows take the seats before later ones."""
    judge = _Judge(facts, now)
    lines = [row if isinstance(row, Line) else judge.line(row) for row in rows]
    return Report(lines, judge.planned)


class _Judge:
    def __init__(self, facts: Facts, now: datetime) -> None:
        self.facts, self.now = facts, now
        self.planned: list[Planned] = []
        self._rows: dict[str, int] = {}
        self._free = {mentor.id: mentor.capacity - mentor.taken for mentor in facts.mentors.values()}
        self._taking: set[tuple[UUID, str]] = set()
        self._ends: dict[tuple[date, str], datetime] = {}

    def line(self, row: Row) -> Line:
        before = self._rows.setdefault(row.key, row.number)
        if before != row.number:
            said = f"The same as row {before}: skipped. A reference tells two packs apart."
            return self._told(row, "there", said)
        if row.key in self.facts.keys:
            return self._told(row, "there", "Was imported before: skipped.")
        mentor, account = self.facts.mentors.get(row.mentor_email), self.facts.accounts.get(row.student_email)
        wrong = self._wrong_people(mentor, account)
        if mentor is None or wrong:
            return self._told(row, "wrong", " ".join(wrong.values()), wrong)
        return self._plan(row, mentor, account)

    def _wrong_people(self, mentor: Teacher | None, account: Account | None) -> dict[str, str]:
        wrong = {}
        if mentor is None:
            wrong["mentor_email"] = "No instructor has this address."
        if account is not None and account.is_deleted:
            wrong["student_email"] = "This account was deleted; restore it first."
        elif account is not None and account.role is not Role.STUDENT:
            what = "an instructor" if account.role is Role.MENTOR else "an admin"
            wrong["student_email"] = f"This is the account of {what}, not of a student."
        return wrong

    def _plan(self, row: Row, mentor: Teacher, account: Account | None) -> Line:
        expires_at = self._end(row.expires_on, mentor.zone)
        if row.remaining and expires_at <= self.now:
            said = f"{row.expires_on} is over in {mentor.zone}, so nothing of it could be used."
            return self._told(row, "wrong", said, {"expires_on": said})
        pair = (mentor.id, row.student_email)
        seated = account is not None and (mentor.id, account.id) in self.facts.seated
        takes = bool(row.remaining) and not seated and pair not in self._taking
        if takes and self._free[mentor.id] < 1:
            said = f"{mentor.name} has no seat for {row.student_name}: all {mentor.capacity} are taken, by rows above too."
            return self._told(row, "wrong", said, {"mentor_email": said})
        if takes:
            self._free[mentor.id] -= 1
            self._taking.add(pair)
        self.planned.append(Planned(row, mentor, account.id if account else None, expires_at, takes))
        return self._told(row, "new", _will(row, mentor, account))

    def _end(self, day: date, zone: str) -> datetime:
        if (day, zone) not in self._ends:
            self._ends[day, zone] = end_of_day(day, zone)
        return self._ends[day, zone]

    def _told(self, row: Row, outcome: Outcome, said: str, fields: Mapping[str, str] | None = None) -> Line:
        return Line(row.number, row.student_email, row.mentor_email, outcome, said, fields or {})


def _will(row: Row, mentor: Teacher, account: Account | None) -> str:
    who = account.name if account else row.student_name
    left = f"{row.remaining} of {row.total} {'session' if row.total == 1 else 'sessions'}"
    new = "" if account else " Gets an account and an invitation."
    return f"{who}: {left} left with {mentor.name}, until {row.expires_on}.{new}"
