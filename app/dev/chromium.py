"""The browser of the journeys: the machine's Chromium, else Debian's, installed as root or unpacked without."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.dev import debian

PACKAGE = "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{root}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{root}/font-cache</cachedir>
</fontconfig>
"""


class ChromiumError(Exception):
    """No browser is to be had; the message says what to install."""


@dataclass(frozen=True)
class Chromium:
    """A browser to start: the program and what must be in its environment."""

    program: Path
    env: Mapping[str, str]


def ensure(folder: Path) -> Chromium:
    """CHROMIUM's program, one on PATH, one unpacked below `folder` before, or Debian's, fetched now.

    Raises ChromiumError.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        return Chromium(Path(named), {})
    try:
        return _on_path() or _from_debian(folder)
    except debian.DebianError as error:
        raise ChromiumError(
            f"the browser journeys need Chromium: put one on PATH or name it in CHROMIUM.\n{error}"
        ) from error


def _on_path() -> Chromium | None:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Chromium(Path(found), {}) if found else None


def _from_debian(folder: Path) -> Chromium:
    if os.geteuid() == 0 and debian.is_available():
        debian.install([PACKAGE])
        installed = _on_path()
        if installed is None:
            raise ChromiumError(f"the package {PACKAGE} brought no program of that name")
        return installed
    return unpacked(folder)


def unpacked(folder: Path) -> Chromium:
    """Debian's Chromium unpacked below `folder`: root is not needed, nothing is installed. Raises DebianError."""
    root = debian.unpack([PACKAGE], folder / "chromium")
    fonts = root / "fonts.conf"
    fonts.write_text(FONTS.format(root=root))
    env = {"LD_LIBRARY_PATH": debian.library_path(root), "FONTCONFIG_FILE": str(fonts)}
    return Chromium(root / "usr" / "lib" / "chromium" / "chromium", env)
