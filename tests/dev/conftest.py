"""Servers of the tests' own, apart from the shared one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.dev.postgres import Cluster, embedded_binaries


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """An embedded server in a folder of the test's, not started; stopped at the end."""
    cluster = Cluster(tmp_path / "postgres", "a password, with / and ü", False, embedded_binaries())
    yield cluster
    cluster.stop()
