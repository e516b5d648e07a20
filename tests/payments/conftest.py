"""Tests of payments run against a sandbox as after start."""

from tests.sandbox.conftest import sandbox, served

__all__ = ["sandbox", "served"]
