"""The reasons for which a test may be skipped. `make test` fails on a skip for any other reason."""

from __future__ import annotations

from typing import NoReturn

import pytest

REASONS = {
    "needs-root": "the test changes users or namespaces of the machine",
    "needs-linux": "the test looks at what only Linux tells",
}


def skip(name: str) -> NoReturn:
    """Skip the running test for the reason of that name."""
    pytest.skip(f"{name}: {REASONS[name]}")


def is_named(message: str) -> bool:
    """True if a skip's message names one of the reasons."""
    return message.partition(":")[0].removeprefix("Skipped").strip() in REASONS
