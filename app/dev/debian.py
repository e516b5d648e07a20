"""Debian packages without root: fetched by apt with a state of its own, unpacked into a folder, nothing installed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STAMP = ".complete"
_INST = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ")


class DebianError(Exception):
    """apt isn't there or can't do it; the message shows its last words."""


def is_available() -> bool:
    """True on a machine with apt-get and dpkg."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg"))


def install(packages: Sequence[str]) -> None:
    """Install on the machine, as root. Raises DebianError."""
    print(f"apt-get: installing {', '.join(packages)}", flush=True)
    _run(["apt-get", "update", "-q"])
    _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *_LOCK, *packages])


def unpack(packages: Sequence[str], into: Path) -> Path:
    """`packages` and what of their dependencies the machine lacks, unpacked below `into`; returns that root.

    Done once: a complete root is taken as it is. Raises DebianError.
    """
    into = into.resolve()
    into.parent.mkdir(parents=True, exist_ok=True)
    with into.with_name(f"{into.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want the same at once
        if not (into / STAMP).exists():
            _unpack(packages, into)
    return into / "root"


def _unpack(packages: Sequence[str], into: Path) -> None:
    if not is_available():
        raise DebianError("apt-get is not on this machine")
    shutil.rmtree(into, ignore_errors=True)
    root = into / "root"
    with _private_apt(into) as options:
        print(f"apt-get: fetching {', '.join(packages)}", flush=True)
        _run(["apt-get", *options, "update", "-q"])
        wanted = _missing(options, packages)
        print(f"apt-get: {len(wanted)} packages", flush=True)
        archives = into / "archives"
        archives.mkdir()
        _run(["apt-get", *options, "download", "-q", *wanted], cwd=archives)
        root.mkdir()
        for archive in sorted(archives.glob("*.deb")):
            _run(["dpkg", "-x", str(archive), str(root)])
        shutil.rmtree(archives)
    (into / STAMP).touch()


def library_path(root: Path) -> str:
    """LD_LIBRARY_PATH for programs below `root`: every folder that holds libraries, private ones included."""
    folders: dict[Path, None] = {}
    for place in ("lib", "usr/lib"):
        for library in sorted((root / place).rglob("lib*.so*")):
            folders[library.parent] = None
    return os.pathsep.join(map(str, folders))


_LOCK = ["-o", "DPkg::Lock::Timeout=300"]


@contextmanager
def _private_apt(folder: Path) -> Iterator[list[str]]:
    """Options that keep apt's lists and cache below `folder`; the machine's sources and dpkg status are read."""
    state = folder / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True)
    settings = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
        "Acquire::Languages": "none",
    }
    yield [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    shutil.rmtree(state)


def _missing(options: Sequence[str], packages: Sequence[str]) -> list[str]:
    """`name=version` of each package an install would add, `packages` themselves included even if installed."""
    simulated = _run(["apt-get", *options, "install", "-s", "-q", "--no-install-recommends", *packages])
    found = {m[1]: f"{m[1]}={m[2]}" for m in map(_INST.match, simulated.splitlines()) if m}
    return [*(name for name in packages if name not in found), *found.values()]


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)
    if done.returncode != 0:
        raise DebianError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:].strip()}")
    return done.stdout
