"""Names of people for lists of other things: one person of the view `people` at a time, below a limit.

The view guards its rows, and nothing is joined with such a view before all of them were looked at: with many thousands
of accounts that costs more than the list itself.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

GONE: Final = "Somebody who left"
"""The name of who isn't in the view any more."""
_people: Final = sa.table(
    "people",
    sa.column("id", sa.Uuid),
    sa.column("name", sa.Text),
    sa.column("time_zone", sa.Text),
    sa.column("listed", sa.Boolean),
)


def person(user_id: sa.ColumnElement[UUID] | InstrumentedAttribute[UUID], alias: str) -> sa.FromClause:
    """The person whom a column of the same query names, to be joined on true: `id`, `name`, `time_zone`, `listed`."""
    return sa.select(_people).where(_people.c.id == user_id).limit(1).lateral(alias)
