"""PgBouncer in front of the tests' server, in transaction mode, as `compose.yaml` has it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.dev import debian, system_user
from app.settings import Settings

PACKAGE = "pgbouncer"
INI = """
[databases]
* = host={socket} port=5432
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {pool_size}
ignore_startup_parameters = options
"""


def ensure(folder: Path) -> tuple[Path, str]:
    """Its program and LD_LIBRARY_PATH. Raises DebianError where there is none to be had."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found:
        return Path(found), ""
    root = debian.unpack([PACKAGE], folder / "pgbouncer")
    return root / "usr/sbin/pgbouncer", debian.library_path(root)


@contextmanager
def pooled(settings: Settings, packages: Path, folder: Path, *, pool_size: int) -> Iterator[Settings]:
    """`settings` whose two runtime roles go through a pooler with `pool_size` connections a role to the server."""
    program, library_path = ensure(packages)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    urls = [urlsplit(url) for url in (settings.database_url, settings.database_service_url)]
    server = unquote(urls[0].query.removeprefix("host="))
    users = "".join(f'"{url.username}" "{unquote(url.password or "")}"\n' for url in urls)
    (folder / "users.txt").write_text(users)
    (folder / "pgbouncer.ini").write_text(
        INI.format(socket=server, port=port, folder=folder, pool_size=pool_size)
    )
    user = system_user.for_postgres()  # it refuses root as PostgreSQL does
    if user:
        for path in (folder, *folder.iterdir()):
            user.take(path, 0o700)
    command = system_user.command_as(
        user, [str(program), str(folder / "pgbouncer.ini")], folder / "x", program
    )
    env = {**os.environ, **({"LD_LIBRARY_PATH": library_path} if library_path else {})}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        through = [f"postgresql://{url.username}:{url.password}@127.0.0.1:{port}{url.path}" for url in urls]
        yield replace(settings, database_url=through[0], database_service_url=through[1])
    finally:
        process.terminate()
        process.wait(10)
