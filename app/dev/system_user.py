"""As whom PostgreSQL runs. Its programs refuse root, so that root hands them to a system user of their own."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAME = "embedded_postgres"
_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}


class SystemUserError(Exception):
    """The system user can't be made or can't reach the files; the message says what to do."""


@dataclass(frozen=True)
class SystemUser:
    """A user of the machine."""

    name: str
    uid: int
    gid: int

    def take(self, path: Path, mode: int) -> None:
        """Make `path` this user's own, with `mode`."""
        os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def for_postgres() -> SystemUser | None:
    """The user to run PostgreSQL as, made if need be; None when we are not root: then it runs as ourselves.

    Raises SystemUserError.
    """
    if os.geteuid() != 0:
        return None
    return _find() or _make()


def _find() -> SystemUser | None:
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        return None
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _make() -> SystemUser:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", NAME]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise SystemUserError(
            f"PostgreSQL can't run as root, and useradd is missing to make {NAME}"
        ) from error
    made = _find()  # another start may have made it meanwhile, then useradd fails
    if made is None:
        raise SystemUserError(f"PostgreSQL can't run as root, and useradd failed: {done.stderr.strip()}")
    return made


def command_as(user: SystemUser | None, command: list[str], *touched: Path) -> list[str]:
    """`command` as run by `user`, who must reach every path in `touched`.

    Folders that only root may enter (a checkout below /root) stay as they are: the process gets the one capability
    of entering them instead of everybody getting the permission.
    """
    if user is None:
        return command
    prefix = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", "--pdeathsig=keep"]
    if not all(_open_to_all(path) for path in touched):
        capability = _capability()
        prefix += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
    return [*prefix, "--", *command]


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _capability() -> str:
    bounding = next(
        int(line.split()[1], 16)
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("CapBnd")
    )
    for name, bit in _CAPABILITIES.items():
        if bounding >> bit & 1:
            return name
    raise SystemUserError(
        f"the user {NAME} can't enter the project's folder; put DATA_DIR and .venv elsewhere"
    )
