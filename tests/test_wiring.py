"""From settings to adapters: what the environment of a library is told, and what is refused."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest

from app import wiring
from app.settings import Settings, SettingsError

INSECURE, RELAXED = "OAUTHLIB_INSECURE_TRANSPORT", "OAUTHLIB_RELAX_TOKEN_SCOPE"


@pytest.mark.parametrize(
    ("url", "insecure"), [("http://127.0.0.1:8001/google/token", "1"), ("https://oauth2.example/token", None)]
)
async def test_plain_http_is_allowed_for_the_sandbox_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str, insecure: str | None
) -> None:
    for name in (INSECURE, RELAXED):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    platform = wiring.build(dataclasses.replace(settings, google_token_url=url))
    assert os.environ.get(INSECURE) == insecure
    assert os.environ[RELAXED] == "1"
    platform.google.close()
    await platform.database.dispose()


@pytest.mark.parametrize("name", ["database_url", "database_service_url", "secret_key", "encryption_keys"])
def test_what_is_missing_is_named(settings: Settings, name: str) -> None:
    missing: dict[str, Any] = {name: ""}
    with pytest.raises(SettingsError, match=name.upper()):
        wiring.build(dataclasses.replace(settings, **missing))
