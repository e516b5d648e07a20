"""`python -m sandbox` as a process of its own: settings from the environment, killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sandbox.settings import Settings
from tests.sandbox.test_resend import KEY_HEADER, MAIL

PROJECT = Path(__file__).resolve().parents[2]


@contextmanager
def process(port: int, data_dir: Path, ending: signal.Signals) -> Iterator[httpx.Client]:
    """The running process, ended by a signal; the client tries to connect until it listens."""
    env = {**os.environ, "SANDBOX_PORT": str(port), "DATA_DIR": str(data_dir)}
    running = subprocess.Popen([sys.executable, "-m", "sandbox"], cwd=PROJECT, env=env)
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
            yield client
    finally:
        running.send_signal(ending)
        assert running.wait(10) in (0, -ending)


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with process(port, tmp_path, signal.SIGKILL) as client:
        sent = client.post("/resend/emails", json=MAIL, headers=KEY_HEADER).json()
        client.post("/control/clock", json={"advance": "PT1H"})
    with process(port, tmp_path, signal.SIGTERM) as client:
        assert (
            client.get(f"/resend/emails/{sent['id']}", headers=KEY_HEADER).json()["subject"]
            == MAIL["subject"]
        )
        assert client.get("/control/clock").json()["offset_seconds"] == pytest.approx(3600, abs=1)
    assert (tmp_path / "clock.json").is_file()


def test_settings_come_from_the_environment() -> None:
    plain = Settings.from_env({})
    assert (plain.port, plain.data_dir, plain.clock_file) == (8001, Path(".data"), Path(".data/clock.json"))
    assert (plain.push_http, plain.database_url) == (False, "")
    given = Settings.from_env(
        {
            "SANDBOX_PORT": "9001",
            "DATA_DIR": "state",
            "CLOCK_FILE": "elsewhere/clock.json",
            "SANDBOX_DATABASE_URL": "postgresql://x",
            "SANDBOX_PUSH_HTTP": "1",
            "PUBLIC_URL": "http://127.0.0.1:9000",
            "GOOGLE_CLIENT_ID": "id",
            "GOOGLE_CLIENT_SECRET": "secret",
        }
    )
    assert given == Settings(
        port=9001,
        data_dir=Path("state"),
        clock_file=Path("elsewhere/clock.json"),
        database_url="postgresql://x",
        push_http=True,
        public_url="http://127.0.0.1:9000",
        google_client_id="id",
        google_client_secret="secret",
    )
