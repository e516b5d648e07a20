"""A Redis server for tests: the machine's, or Debian's package unpacked into the tests' folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.exceptions import ConnectionError as NotListening

from app.dev import debian

PACKAGE = "redis-server"
TRIES = 200


def ensure(folder: Path) -> tuple[Path, str]:
    """The server's program and its LD_LIBRARY_PATH. Raises DebianError where there is none to be had."""
    found = shutil.which("redis-server")
    if found:
        return Path(found), ""
    root = debian.unpack([PACKAGE], folder / "redis")
    return root / "usr/bin/redis-server", debian.library_path(root)


@contextmanager
def running_redis(folder: Path, data: Path) -> Iterator[str]:
    """An empty server of its own on a free loopback port, keeping nothing; gives its address."""
    program, library_path = ensure(folder)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(data)]
    env = os.environ | ({"LD_LIBRARY_PATH": library_path} if library_path else {})
    with (data / "redis.log").open("wb") as log:
        server = subprocess.Popen([str(program), *options], stdout=log, stderr=log, env=env)
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


def _wait(port: int) -> None:
    retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), TRIES, (NotListening,))
    with redis.Redis(port=port, retry=retry) as client:
        client.ping()
