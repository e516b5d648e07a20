"""What tests may ask for. Only tests that ask for `settings` or something built on it start a database."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.core.db import Database
from app.dev.roles import DatabaseUrls
from app.settings import Settings
from tests.support.cleaning import Cleaner
from tests.support.postgres import TestServer

NOWHERE = "http://127.0.0.1:9"  # the discard port: a test that forgot its sandbox must not reach a vendor
VENDORS = {
    "GOOGLE_CLIENT_ID": "sandbox-google-client",
    "GOOGLE_CLIENT_SECRET": "sandbox-google-secret",
    "GOOGLE_AUTHORIZE_URL": f"{NOWHERE}/authorize",
    "GOOGLE_TOKEN_URL": f"{NOWHERE}/token",
    "GOOGLE_REVOKE_URL": f"{NOWHERE}/revoke",
    "GOOGLE_USERINFO_URL": f"{NOWHERE}/userinfo",
    "GOOGLE_CALENDAR_URL": f"{NOWHERE}/calendar/v3/",
    "RESEND_API_KEY": "re_sandbox",
    "RESEND_URL": NOWHERE,
    "RESEND_WEBHOOK_SECRET": "whsec_c2FuZGJveC1yZXNlbmQtd2ViaG9vaw==",
}


def pytest_collection_finish() -> None:
    """What was imported stays: the collector needn't look at it again after every few objects, a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """`gw0`, `gw1`, … under pytest-xdist, `main` without."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture
def within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's time stands in the middle of a minute.

    Rate limits estimate over windows that begin with each minute of it: where one begins amid the requests of a test,
    one more of them is let pass.
    """
    middle = time.time() // 60 * 60 + 30.0
    monkeypatch.setattr(time, "time", lambda: middle)


@pytest.fixture(scope="session")
def server() -> Iterator[TestServer]:
    """The tests' PostgreSQL server, running; TEST_DATABASE=debian15 takes PostgreSQL 15 instead of the embedded."""
    server = TestServer.of_kind(os.environ.get("TEST_DATABASE", "embedded"))
    with server.running():
        yield server


@pytest.fixture(scope="session")
def urls(server: TestServer, worker_id: str) -> Iterator[DatabaseUrls]:
    """This worker's own migrated database."""
    with server.clone(worker_id) as urls:
        yield urls


@pytest.fixture(scope="session")
def admin_url(server: TestServer, urls: DatabaseUrls) -> str:
    """The superuser's connection to this worker's database, to arrange what no role of the platform may."""
    return server.admin_url(urls)


@pytest.fixture(scope="session")
def settings(
    server: TestServer, urls: DatabaseUrls, cleaner: Cleaner, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings of this worker's platform: its own database, vendors' addresses that lead nowhere."""
    folder: Path = tmp_path_factory.mktemp("data")
    secrets = {"SECRET_KEY": server.secrets.secret_key, "ENCRYPTION_KEYS": server.secrets.encryption_keys}
    return Settings.from_env({**urls.as_env(), **secrets, **VENDORS, "DATA_DIR": str(folder)})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The platform's database object, on this worker's database."""
    database = Database(settings)
    yield database
    await database.dispose()


@pytest.fixture(scope="session")
def cleaner(admin_url: str) -> Iterator[Cleaner]:
    """Empties this worker's tables; made before anybody has `settings`, so that it sees which are empty at first."""
    cleaner = Cleaner(admin_url)
    yield cleaner
    cleaner.close()


@pytest.fixture(autouse=True)
def _leave_no_rows(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that used the database, directly or not, its tables are empty again."""
    yield
    if "settings" in request.fixturenames:
        cleaner: Cleaner = request.getfixturevalue("cleaner")
        cleaner.clean()
