"""Browser files are the packages that were pinned, or they are not put in place."""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from app.dev import browser_files
from app.dev.browser_files import BrowserFilesError, Package

CONTENT = b"the file"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """A package that a stand-in for npm hands out; each call is noted in `calls`."""
    archive = tmp_path / "archive.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("package/dist/a.js")
        member.size = len(CONTENT)
        tar.addfile(member, BytesIO(CONTENT))
    npm = tmp_path / "npm"
    npm.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\ncp {archive} ./a.tgz\n')
    npm.chmod(0o755)
    monkeypatch.setattr(browser_files, "npm_command", lambda: [str(npm)])
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return Package("a", "1.2.3", f"sha512-{digest}", False, {"dist/a.js": "a.js"})


def test_a_pinned_package_is_fetched_once(package: Package, tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    browser_files.ensure(folder, [package])
    browser_files.ensure(folder, [package])
    assert (folder / "a.js").read_bytes() == CONTENT
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["pack a@1.2.3 --ignore-scripts --loglevel=error"]


def test_another_archive_than_the_pinned_one_is_refused(package: Package, tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    with pytest.raises(BrowserFilesError, match="not the archive that was pinned"):
        browser_files.ensure(folder, [replace(package, integrity="sha512-AAAA")])
    assert not (folder / "a.js").exists()


def test_a_missing_file_or_a_new_pin_fetches_again(package: Package, tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    browser_files.ensure(folder, [package])
    (folder / "a.js").unlink()
    browser_files.ensure(folder, [package])
    browser_files.ensure(folder, [replace(package, files={"dist/a.js": "b.js"})])
    assert (folder / "b.js").exists()
    assert len((tmp_path / "calls").read_text().splitlines()) == 3


def test_npm_of_the_wheel_serves_where_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    node, cli = browser_files.npm_command()
    assert Path(node).exists()
    assert Path(cli).exists()


def test_the_manifest_pins_every_package() -> None:
    listed = json.loads(browser_files.MANIFEST.read_text())
    for name, entry in listed.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert entry["version"].count(".") == 2, name
