"""How long a seat is kept without being paid for: while somebody is at the checkout, after the last session, on offer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.packs.rules import GRACE


@dataclass(frozen=True)
class Terms:
    """`hold`: for a checkout. `grace`: after the last session. `offer`: for the first of the waitlist, exclusively."""

    hold: timedelta = timedelta(minutes=35)
    grace: timedelta = GRACE
    offer: timedelta = timedelta(hours=24)


_terms = Terms()


def configure(terms: Terms) -> None:
    """Keep these terms from now on; seats that are kept already keep their time."""
    global _terms
    _terms = terms


def terms() -> Terms:
    """The terms of this process."""
    return _terms
