"""Reads `.env`: what an operator writes once instead of exporting it each time. The environment wins over it."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path


class DotenvError(Exception):
    """A line is no NAME=value; the message shows its number."""


def load(env: MutableMapping[str, str]) -> None:
    """Put what the file says into `env`, where the name isn't set yet. The file: ENV_FILE, else `.env` if there is one.

    Lines are NAME=value, without quotes; `#` begins a comment line. An empty ENV_FILE means none.
    Raises DotenvError, FileNotFoundError for a named file that is missing.
    """
    named = env.get("ENV_FILE")
    path = Path(".env" if named is None else named)
    if named == "" or (named is None and not path.exists()):
        return
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise DotenvError(f"{path}, line {number}: not NAME=value")
        env.setdefault(name.strip(), value.strip())
