"""One row of students to onboard: what it says, or what is wrong with it, field by field. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.accounts import rules as accounts

MOST_SESSIONS: Final = 1000
REFERENCE_LENGTH: Final = 100
YEARS: Final = range(2000, 2101)
_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)


@dataclass(frozen=True)
class Row:
    """A student's pack as it was kept before; `number` as in the file. Addresses are lower case."""

    number: int
    student_email: str
    student_name: str
    mentor_email: str
    total: int
    remaining: int
    expires_on: date
    reference: str

    @property
    def key(self) -> str:
        """What makes it the same pack in another file: its two people and its reference, or its size and expiry.

        Hashed, for addresses are nothing to keep.
        """
        which = f"ref:{self.reference}" if self.reference else f"{self.total}:{self.expires_on}"
        parts = "\x1f".join((self.student_email, self.mentor_email, which))
        return f"import:{hashlib.sha256(parts.encode()).hexdigest()}"


def check(number: int, cells: Mapping[str, str]) -> tuple[Row | None, dict[str, str]]:
    """The row that the cells spell, or None and a sentence for each field that is wrong."""
    values = {name: accounts.tidy(cell) for name, cell in cells.items()}
    problems: dict[str, str | None] = {
        "student_email": accounts.email_problem(values["student_email"]),
        "student_name": accounts.name_problem(values["student_name"]),
        "mentor_email": accounts.email_problem(values["mentor_email"]),
    }
    total = _whole(values["total_sessions"], 1)
    remaining = _whole(values["remaining_sessions"], 0)
    if total is None:
        problems["total_sessions"] = f"Write a whole number from 1 to {MOST_SESSIONS}."
    if remaining is None:
        problems["remaining_sessions"] = f"Write a whole number from 0 to {MOST_SESSIONS}."
    elif total is not None and remaining > total:
        problems["remaining_sessions"] = f"More than the {total} of the whole pack can’t be left."
    expires_on = _day(values["expires_on"])
    if expires_on is None:
        problems["expires_on"] = "Write the date as 2026-12-31."
    if len(values["reference"]) > REFERENCE_LENGTH:
        problems["reference"] = f"A reference holds {REFERENCE_LENGTH} characters."
    wrong = {name: said for name, said in problems.items() if said}
    if wrong or total is None or remaining is None or expires_on is None:
        return None, wrong
    emails = values["student_email"].lower(), values["mentor_email"].lower()
    name, reference = values["student_name"], values["reference"]
    return Row(number, emails[0], name, emails[1], total, remaining, expires_on, reference), {}


def _whole(text: str, least: int) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        return None
    return int(text) if least <= int(text) <= MOST_SESSIONS else None


def _day(text: str) -> date | None:
    found = _DATE.fullmatch(text)
    if not found:
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return day if day.year in YEARS else None
