"""The data folder (DATA_DIR): its secrets, and the lock that keeps two copies out of one folder."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from app.dev.roles import Passwords


class FolderInUseError(Exception):
    """Another process works in this data folder."""


@dataclass(frozen=True)
class Secrets:
    """What one data folder's platform must keep over restarts; made at random the first time."""

    superuser_password: str
    owner_password: str
    app_password: str
    service_password: str
    secret_key: str
    encryption_keys: str

    @property
    def passwords(self) -> Passwords:
        """The three roles' passwords."""
        return Passwords(self.owner_password, self.app_password, self.service_password)


def make(data_dir: Path) -> Path:
    """The data folder as an absolute path, made if missing. Others may pass through it: PostgreSQL's user must."""
    folder = data_dir.expanduser().resolve()
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o711)
    return folder


def load_secrets(folder: Path) -> Secrets:
    """The folder's secrets (`secrets.json`, readable by its owner only), made the first time."""
    path = folder / "secrets.json"
    if not path.exists():
        _write(path, _random_secrets())
    return Secrets(**json.loads(path.read_text()))


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the folder for ourselves; the lock ends with the process, however it ends. Raises FolderInUseError."""
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUseError(
                f"another copy runs in {folder}; stop it or set DATA_DIR to another folder"
            ) from error
        yield


def _random_secrets() -> Secrets:
    return Secrets(
        superuser_password=secrets.token_urlsafe(24),
        owner_password=secrets.token_urlsafe(24),
        app_password=secrets.token_urlsafe(24),
        service_password=secrets.token_urlsafe(24),
        secret_key=secrets.token_hex(32),
        encryption_keys=random_encryption_key(),
    )


def random_encryption_key() -> str:
    """A new key for ENCRYPTION_KEYS: 32 bytes, base64 with the alphabet for addresses."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _write(path: Path, values: Secrets) -> None:
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(values), file, indent=1)
    draft.replace(path)
