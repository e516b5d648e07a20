"""The vendors' own published API descriptions, and checking recorded exchanges against them.

They lie in `../shared/specs` beside the repository (SPECS_DIR names another folder) and bring their own validator.
Where the folder is absent, tests marked `needs_specs` are skipped with that reason.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.skips import reason

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SPECS_DIR") or PROJECT.parent / "shared" / "specs")

needs_specs = pytest.mark.skipif(
    not (FOLDER / "validate.py").is_file(),
    reason=reason("needs-contracts"),
)

# A vendor of the sandbox: the contract's name, the paths it describes, and of those the ones it leaves out.
CONTRACTS = {
    "discord": ("discord", "/api/v10/", ()),
    "google": ("google-calendar", "/calendar/v3/", ("/calendar/v3/users/",)),
    "paypal": ("paypal", "/v2/", ()),
    "resend": ("resend", "/emails", ()),
    "stripe": ("stripe", "/v1/", ("/v1/products", "/v1/prices", "/v1/balance")),
}


@dataclass
class Verdict:
    """How many exchanges were checked, and what is wrong with them."""

    checked: int = 0
    problems: list[str] = field(default_factory=list)


@lru_cache(maxsize=1)
def validator() -> ModuleType:
    """The contracts' validator module."""
    spec = importlib.util.spec_from_file_location("contract_validate", FOLDER / "validate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sample(name: str) -> Any:
    """A file of samples that the vendors published."""
    return json.loads((FOLDER / "samples" / name).read_text())


def requests_valid(recorded: Iterable[dict[str, Any]]) -> Verdict:
    """Check requests as `GET /control/requests` tells them: path, query, headers and body, strictly."""
    verdict = Verdict()
    for item in recorded:
        contract = _contract(item)
        if contract:
            path = item["path"] + (f"?{item['query']}" if item["query"] else "")
            found = validator().request(
                contract, item["method"], path, item["body"], headers=item["headers"], strict=True
            )
            _note(verdict, item, found)
    return verdict


def answers_valid(recorded: Iterable[dict[str, Any]]) -> Verdict:
    """Check the answers in the same list, members that the contract does not name included."""
    verdict = Verdict()
    for item in recorded:
        contract = _contract(item)
        if contract and item["status"] < 400:
            found = validator().response(
                contract, item["method"], item["path"], item["status"], item["answer"], strict=True
            )
            _note(verdict, item, found)
    return verdict


def _contract(item: dict[str, Any]) -> str:
    """The contract that describes the exchange; none for sign-in and for what the published subset leaves out."""
    name, prefix, outside = CONTRACTS[item["vendor"]]
    if item["path"] == "/v1/disputes":  # the subset has a dispute, but no list of them
        return ""
    if item["vendor"] == "discord" and validator().find("discord", item["method"], item["path"]) is None:
        return ""  # the subset leaves out what the platform's own code doesn't call
    is_calendar_itself = item["path"].startswith("/calendar/v3/calendars/") and item["path"].count("/") == 4
    if not item["path"].startswith(prefix) or item["path"].startswith(outside) or is_calendar_itself:
        return ""
    return name


def _note(verdict: Verdict, item: dict[str, Any], found: list[str]) -> None:
    verdict.checked += 1
    verdict.problems += [
        f"{item['method']} {item['path']} ({item['status']}): {problem}" for problem in found
    ]
