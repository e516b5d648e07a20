"""PostgreSQL 15 as Debian packages it: the oldest server that the platform supports."""

from __future__ import annotations

from pathlib import Path

from app.dev import debian
from app.dev.debian import DebianError

__all__ = ["DebianError", "ensure"]

PACKAGE = "postgresql-15"
INSTALLED = Path("/usr/lib/postgresql/15/bin")


def ensure(folder: Path) -> tuple[Path, str]:
    """The folder of its programs and their LD_LIBRARY_PATH: the machine's, or Debian's package unpacked in `folder`.

    Raises DebianError where there is none to be had.
    """
    if (INSTALLED / "postgres").exists():
        return INSTALLED, ""
    root = debian.unpack([PACKAGE], folder / "postgresql-15")
    return root / INSTALLED.relative_to("/"), debian.library_path(root)
