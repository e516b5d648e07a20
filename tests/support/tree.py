"""The project's own files: what git tracks or would track, or every file where there is no git."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
MADE = {".venv", ".data", ".git", "__pycache__", "node_modules", "vendor", ".mypy_cache", ".ruff_cache"}


@cache
def files() -> tuple[Path, ...]:
    """Paths relative to the project, in order."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        names = [Path(name) for name in listed.stdout.splitlines()]
    else:
        names = [path.relative_to(PROJECT) for path in PROJECT.rglob("*")]
    return tuple(sorted({n for n in names if (PROJECT / n).is_file() and not MADE.intersection(n.parts)}))


def python_files(*folders: str) -> list[Path]:
    """The Python files below those folders."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in folders]


def text_of(path: Path) -> str | None:
    """The text of a file of the project; None for a binary one."""
    try:
        return (PROJECT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
