"""The statements of one booking as a pgbench script that books another hour each time.

Everything stays as the service sent it, but for what makes a booking another one: fresh ids, the next hour, and the
client's own mentor, student and pack.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.range import Range

from bench.people import Pair
from bench.recording import Statement
from bench.stage import StageError

FAR_AWAY = int(datetime(2035, 1, 1, tzinfo=UTC).timestamp())
"""The first hour that pgbench books: beyond every hour that the service may."""
HOURS_A_RUN = 20_000
_PLACEHOLDER = re.compile(r"%%|%\((?P<name>\w+)\)[sbt]|%[sbt]")
_NEAR = timedelta(days=3)
_TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_HEAD = """\
\\set n :n + 1
\\set fresh 100000000000 + :run * 100000000 + :client_id * 1000000 + :n
\\set at :first + :n * 3600
\\if :n = 1
select mentor, student, pack from (values {pairs}) as pairs (number, mentor, student, pack)
 where number = :client_id \\gset
\\endif
"""


@dataclass
class Wording:
    """How a booking's values are written so that they fit another booking. `start` is the recorded booking's."""

    start: datetime
    known: dict[UUID, str]
    _fresh: list[UUID] = field(default_factory=list)

    def script(self, statements: Sequence[Statement], pairs: Sequence[Pair]) -> str:
        """The whole script; client number n books for `pairs[n]`."""
        rows = ", ".join(
            f"({pair.number}, '{pair.mentor_id}', '{pair.student_id}', '{pair.pack_id}')" for pair in pairs
        )
        return _HEAD.format(pairs=rows) + "".join(f"{self.statement(each)};\n" for each in statements)

    def statement(self, statement: Statement) -> str:
        """One statement with its values in place."""
        values = statement.values
        in_order = iter(() if isinstance(values, Mapping) else values)

        def write(found: re.Match[str]) -> str:
            if found[0] == "%%":
                return "%"
            name = found["name"]
            return self.value(values[name] if isinstance(values, Mapping) else next(in_order))

        return _PLACEHOLDER.sub(write, statement.sql)

    def value(self, value: Any) -> str:
        """An SQL expression for `value`."""
        if isinstance(value, UUID):
            return f"cast({self._id(value)} as uuid)"
        if isinstance(value, datetime) and abs(value - self.start) < _NEAR:
            return f"to_timestamp(cast(:at as bigint) + {int((value - self.start).total_seconds())})"
        if isinstance(value, Range):
            return f"tstzrange({self.value(value.lower)}, {self.value(value.upper)}, '{value.bounds}')"
        if isinstance(value, str):
            return self._text(value)
        return sql.Literal(value).as_string(None)

    def _id(self, id_: UUID) -> str:
        """The client's own mentor, student or pack; whatever else is an id was made for the booking."""
        if id_ in self.known:
            return f":{self.known[id_]}"
        if id_ not in self._fresh:
            self._fresh.append(id_)
        return f"('00000000-0000-7000-8{self._fresh.index(id_):03}-' || :fresh)"

    def _text(self, text: str) -> str:
        """Text, the ids in it replaced."""
        ids = {str(id_): id_ for id_ in (*self.known, *self._fresh)}
        parts = re.split(f"({'|'.join(ids)})", text)
        written = [
            self._id(ids[part]) if part in ids else sql.Literal(part).as_string(None)
            for part in parts
            if part
        ]
        return f"cast({' || '.join(written) or repr('')} as text)"


@dataclass
class Pgbench:
    """Runs the script; every run goes on where the one before left off."""

    program: Path
    url: str
    script: Path
    _runs: int = 0

    def run(self, clients: int, bookings: int) -> float:
        """Bookings a second of about that many, over `clients` at once. Raises StageError if any failed."""
        first = FAR_AWAY + self._runs * HOURS_A_RUN * 3600
        variables = {"n": 0, "run": self._runs, "first": first}
        self._runs += 1
        command = [str(self.program), "--no-vacuum", "--protocol=extended", "--exit-on-abort"]
        command += [f"--client={clients}", f"--transactions={max(5, bookings // clients)}"]
        command += [f"--define={name}={value}" for name, value in variables.items()]
        command += [f"--file={self.script}", self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = _TPS.search(done.stdout)
        if done.returncode != 0 or found is None or "failed transactions: 0 " not in done.stdout:
            raise StageError(f"pgbench failed:\n{done.stdout}{done.stderr}")
        return float(found[1])
