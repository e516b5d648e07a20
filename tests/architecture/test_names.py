"""Nothing in the tree ties it to one machine, one registry, or the people who made it."""

from __future__ import annotations

import re

import pytest

from tests.support.tree import files, text_of

# Assembled here, so that this file doesn't hold what it looks for.
REGISTRIES = [".".join(parts) for parts in (
    ("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"), ("registry", "npmjs", "com"),
    ("deb", "debian", "org"), ("registry", "yarnpkg", "com"), ("proxy", "golang", "org"), ("crates", "io"),
)]  # fmt: skip
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/")
TEXTS = [(path, text) for path in files() if (text := text_of(path)) is not None]


def test_there_is_something_to_look_at() -> None:
    assert len(TEXTS) > 100


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_package_registry_is_named(host: str) -> None:
    assert [str(path) for path, text in TEXTS if host in text] == []


def test_no_path_of_one_machine_is_named() -> None:
    found = [f"{path}: {match[0]}" for path, text in TEXTS for match in MACHINE_PATH.finditer(text)]
    assert found == []


def test_no_lock_file_with_addresses_is_kept() -> None:
    locks = {"package-lock.json", "yarn.lock", "pnpm-lock.yaml", "uv.lock", "poetry.lock"}
    assert [str(path) for path in files() if path.name in locks] == []
