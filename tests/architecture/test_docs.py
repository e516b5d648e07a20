"""The documents name only what exists, and everything an operator may set."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from app.cli import COMMANDS, main
from app.dev.browser_files import MANIFEST
from app.dev.supervisor import ACCOUNTS, PASSWORD
from app.settings import Settings
from tests.__main__ import SUITES
from tests.support.skips import REASONS
from tests.support.tree import PROJECT, files

DOCUMENTS = [path for path in files() if path.suffix == ".md"]
OUR_WORDS = [path for path in DOCUMENTS if path.parts[0] != "sandbox"]  # there paths are the vendors'
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"(?:\.?[\w-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|yaml|json|txt)|\.[a-z]+\.[a-z]+")
MAKE = re.compile(r"(?:`|^)make ([a-z]+)", re.MULTILINE)
COMMAND = re.compile(r'(?:ARGS="|python -m app |`app )([a-z][a-z-]*)')
TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
MADE_AT_SET_UP = {".venv/", ".data/", "static/vendor/", "secrets.json", ".venv/bin/pytest"}
DEVELOPMENT_ONLY = {"SANDBOX_PORT": "8001", "CHROMIUM": ""}


def text(document: Path) -> str:
    return (PROJECT / document).read_text()


def variables() -> dict[str, str]:
    found = re.findall(r"^#([A-Z][A-Z0-9_]*)=(.*)$", (PROJECT / ".env.example").read_text(), re.MULTILINE)
    assert len(found) == len(dict(found)), "a variable is listed twice"
    return dict(found)


def test_every_variable_is_listed_with_its_default() -> None:
    expected = {field.name.upper(): str(field.default) for field in fields(Settings)} | DEVELOPMENT_ONLY
    assert variables() == expected


@pytest.mark.parametrize("document", OUR_WORDS, ids=str)
def test_paths_exist(document: Path) -> None:
    named = {
        code for code in CODE.findall(text(document)) if PATH.fullmatch(code) and not code.startswith("/")
    }
    links = {link for link in LINK.findall(text(document)) if "://" not in link}
    there = {
        name
        for name in named
        if any((base / name).exists() for base in (PROJECT, (PROJECT / document).parent))
    }
    missing = named - there - MADE_AT_SET_UP
    missing |= {link for link in links if not ((PROJECT / document).parent / link.partition("#")[0]).exists()}
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_make_targets_exist(document: Path) -> None:
    assert set(MAKE.findall(text(document))) <= TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_commands_exist(document: Path) -> None:
    named = set(COMMAND.findall(text(document)))
    assert named <= set(COMMANDS)
    for name in named:
        assert CliRunner().invoke(main, [name, "--help"], env={"ENV_FILE": ""}).exit_code == 0


def test_the_readme_begins_with_the_two_commands_and_lists_every_demo_account() -> None:
    readme = text(Path("README.md"))
    assert readme.index("make run") < readme.index("make test") < readme.index("\n## ")
    assert PASSWORD in readme
    assert re.findall(r"^\| `(\S+@\S+)` \|", readme, re.MULTILINE) == [email for email, _ in ACCOUNTS]


def test_every_dependency_has_its_reason_and_nothing_else_has() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=~! ]", requirement)[0] for requirement in wanted} | set(
        json.loads(MANIFEST.read_text())
    )
    rows = re.findall(r"^\| ([^|]+) \|", text(Path("docs/dependencies.md")), re.MULTILINE)
    listed = [name for row in rows for name in row.split(", ") if name not in {"package", "---"}]
    assert sorted(listed) == sorted(names)


def test_suites_named_in_the_documents_exist() -> None:
    named = {name for document in DOCUMENTS for name in re.findall(r'SUITES="([a-z0-9 ]+)"', text(document))}
    assert {suite for names in named for suite in names.split()} <= {suite.name for suite in SUITES}
    assert all(reason for reason in REASONS.values())


def test_compose_runs_commands_and_sets_variables_that_exist() -> None:
    compose = yaml.safe_load((PROJECT / "compose.yaml").read_text())
    ours = {
        name: service for name, service in compose["services"].items() if service["image"] == "mentorships"
    }
    assert set(ours) == {"web-1", "web-2", "worker", "bot", "migrate", "database"}
    known = set(variables()) | {f"DATABASE_{role}_PASSWORD" for role in ("OWNER", "APP", "SERVICE")}
    for service in ours.values():
        assert set(service.get("environment", {})) <= known
        command = service.get("command", ["python", "-m", "app", "web"])
        assert command in (["python", "-m", "jobs"], ["python", "-m", "bot"]) or command[3] in COMMANDS
