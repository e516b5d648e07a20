"""The reasons for which a test may be skipped. `make test` fails on a skip for any other reason."""

from __future__ import annotations

from typing import NoReturn

import pytest

REASONS = {
    "needs-root": "the test changes users or namespaces of the machine",
    "needs-linux": "the test looks at what only Linux tells",
    "needs-contracts": "the vendors' published contracts are not on this machine (../shared/specs, or SPECS_DIR)",
}


def reason(name: str) -> str:
    """The words of that reason, for `pytest.mark.skipif`."""
    return f"{name}: {REASONS[name]}"


def skip(name: str) -> NoReturn:
    """Skip the running test for the reason of that name."""
    pytest.skip(reason(name))


def is_named(message: str) -> bool:
    """True if a skip's message names one of the reasons."""
    return message.partition(":")[0].removeprefix("Skipped").strip() in REASONS
