"""Commands that need a database find it: the one in the environment, or this folder's embedded one."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import click

from app.dev import data_folder
from app.dev.data_folder import FolderInUseError
from app.dev.local import DATABASE, LocalPlatform
from app.dev.postgres import Cluster, PostgresError
from app.dev.roles import create_roles

P = ParamSpec("P")
R = TypeVar("R")


def with_database(command: Callable[P, R]) -> Callable[P, R]:
    """Run `command` with the platform's environment.

    Without DATABASE_URL that is the copy of `make run` in DATA_DIR; its server is started for the command unless it
    is running.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        if os.environ.get("DATABASE_URL"):
            return command(*args, **kwargs)
        platform = LocalPlatform.from_env(dict(os.environ))
        os.environ.update(platform.environment())
        if platform.cluster is None:
            raise click.ClickException("DATABASE_URL is not set")
        with _running(platform, platform.cluster):
            return command(*args, **kwargs)

    return wrapped


@contextmanager
def _running(platform: LocalPlatform, cluster: Cluster) -> Iterator[None]:
    try:
        with data_folder.lock(platform.folder):
            cluster.start()
            try:
                create_roles(cluster.admin_url, DATABASE, platform.secrets.passwords)
                yield
            finally:
                cluster.stop()
            return
    except FolderInUseError:
        if not cluster.is_ready():
            raise click.ClickException(
                f"{platform.folder} is in use and its database does not answer"
            ) from None
    except PostgresError as error:
        raise click.ClickException(str(error)) from error
    yield
