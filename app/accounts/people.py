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
    sa.column("email", sa.Text),
)
_SHOWN: Final = tuple(_people.c[name] for name in ("id", "name", "time_zone", "listed"))


def person(
    user_id: sa.ColumnElement[UUID] | InstrumentedAttribute[UUID], alias: str, *, with_email: bool = False
) -> sa.FromClause:
    """The person whom a column of the same query names, to be joined on true: `id`, `name`, `time_zone`, `listed`.

    `with_email`: `email` too, None where the asker may not see it.
    """
    columns = (*_SHOWN, _people.c.email) if with_email else _SHOWN
    return sa.select(*columns).where(_people.c.id == user_id).limit(1).lateral(alias)


def found_by(words: str) -> sa.Select[tuple[UUID]]:
    """The ids of those whose name or address holds `words`, as far as the asker may see them."""
    name, email = (column.icontains(words, autoescape=True) for column in (_people.c.name, _people.c.email))
    return sa.select(_people.c.id).where(name | email)
