"""The sandbox's memory: documents in named collections, held in memory and written through to one SQLite file.

Everything runs on one event loop, so a handler that does not await between two writes is alone with the state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    collection TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (collection, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, topic TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_name ON journal (name, id);
"""


class Collection(Generic[T]):
    """Documents of one type by key, in the order they were first put."""

    def __init__(self, database: sqlite3.Connection, name: str, kind: type[T]) -> None:
        self._database = database
        self._name = name
        decoder = msgspec.json.Decoder(kind)
        rows = database.execute("SELECT key, body FROM documents WHERE collection = ?", (name,))
        self._items: dict[str, T] = {key: decoder.decode(body) for key, body in rows}

    def get(self, key: str) -> T | None:
        """The document with this key."""
        return self._items.get(key)

    def put(self, key: str, item: T) -> T:
        """Keep `item` under `key`, replacing what was there; gives it back."""
        self._database.execute(
            "INSERT OR REPLACE INTO documents (collection, key, body) VALUES (?, ?, ?)",
            (self._name, key, msgspec.json.encode(item)),
        )
        self._items[key] = item
        return item

    def drop(self, key: str) -> None:
        """Forget the document with this key, if there is one."""
        if key in self._items:
            self._database.execute(
                "DELETE FROM documents WHERE collection = ? AND key = ?", (self._name, key)
            )
            del self._items[key]

    def clear(self) -> None:
        """Forget every document."""
        self._database.execute("DELETE FROM documents WHERE collection = ?", (self._name,))
        self._items.clear()

    def items(self) -> list[tuple[str, T]]:
        """A copy of all keys and documents."""
        return list(self._items.items())

    def values(self) -> list[T]:
        """A copy of all documents."""
        return list(self._items.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class Journal:
    """An append-only list of JSON objects that keeps only the newest `keep`; read from the file, not held in memory."""

    def __init__(self, database: sqlite3.Connection, name: str, keep: int) -> None:
        self._database = database
        self._name = name
        self._keep = keep
        self._since_trim = 0

    def append(self, topic: str, entry: dict[str, Any]) -> None:
        """Add `entry` under a topic (a vendor's name); its `id` is given when it is read."""
        self._database.execute(
            "INSERT INTO journal (name, topic, body) VALUES (?, ?, ?)",
            (self._name, topic, msgspec.json.encode(entry)),
        )
        self._since_trim += 1
        if self._since_trim >= max(1, self._keep // 20):
            self.trim()

    def trim(self) -> None:
        """Drop everything older than the newest `keep` entries."""
        self._since_trim = 0
        self._database.execute(
            "DELETE FROM journal WHERE name = ?1 AND id <= ("
            "SELECT id FROM journal WHERE name = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (self._name, self._keep),
        )

    def read(self, topic: str = "", after: int = 0) -> list[dict[str, Any]]:
        """Entries of a topic (empty: all) with an `id` above `after`, oldest first."""
        rows = self._database.execute(
            "SELECT id, body FROM journal WHERE name = ?1 AND id > ?2 AND ?3 IN ('', topic) ORDER BY id",
            (self._name, after, topic),
        )
        return [{"id": number, **msgspec.json.decode(body)} for number, body in rows]

    def clear(self) -> None:
        """Drop every entry; ids go on rising."""
        self._database.execute("DELETE FROM journal WHERE name = ?", (self._name,))


class Store:
    """One SQLite file. Each write is its own transaction and survives the end of the process."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)

    def collection(self, name: str, kind: type[T]) -> Collection[T]:
        """The collection of that name, loaded from the file."""
        return Collection(self._database, name, kind)

    def journal(self, name: str, keep: int) -> Journal:
        """The journal of that name."""
        return Journal(self._database, name, keep)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
