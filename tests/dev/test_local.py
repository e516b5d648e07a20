"""What `make run` gives its processes, vendor by vendor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import COMMANDS, main
from app.core.crypto import cipher
from app.dev import data_folder, dotenv
from app.dev.data_folder import FolderInUseError
from app.dev.dotenv import DotenvError
from app.dev.local import VENDORS, LocalPlatform
from app.settings import Settings

Made = Callable[..., dict[str, str]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """The environment made from the variables given."""
    return lambda **given: LocalPlatform.from_env({"DATA_DIR": str(tmp_path / "data"), **given}).environment()


def test_without_keys_every_vendor_is_the_sandbox_and_the_clock_can_be_moved(made: Made) -> None:
    env = made(SANDBOX_PORT="9001")
    settings = Settings.from_env(env)
    settings.require_for_start()
    assert settings.google_calendar_url == "http://127.0.0.1:9001/google/calendar/v3/"
    assert settings.resend_url == "http://127.0.0.1:9001/resend"
    assert not settings.has_real_vendor
    assert settings.clock_file == str(Path(env["DATA_DIR"]) / "clock.json")


def test_a_vendor_with_a_key_is_the_real_one_and_the_clock_is_fixed(made: Made) -> None:
    settings = Settings.from_env(made(RESEND_API_KEY="re_real"))
    settings.require_for_start()
    assert settings.resend_api_key == "re_real"
    assert settings.resend_url == "https://api.resend.com"
    assert settings.google_client_id == "sandbox-google-client"
    assert settings.has_real_vendor
    assert settings.clock_file == ""


def test_a_server_of_ones_own_is_taken_as_it_is(made: Made, tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://a@db/x", "DATABASE_SERVICE_URL": "postgresql://s@db/x"}
    env = made(**given)
    assert {name: env[name] for name in given} == given
    assert "DATABASE_OWNER_URL" not in env
    assert LocalPlatform.from_env({"DATA_DIR": str(tmp_path / "data"), **given}).cluster is None


def test_secrets_are_made_once_and_for_their_owner_only(made: Made) -> None:
    first, second = made(), made()
    assert first == second
    file = Path(first["DATA_DIR"]) / "secrets.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert cipher(Settings.from_env(first)).encrypt("x") != b"x"


def test_only_known_variables_point_at_the_sandbox() -> None:
    known = {field.upper() for field in Settings.__dataclass_fields__} | {"OAUTHLIB_INSECURE_TRANSPORT"}
    assert {name for vendor in VENDORS for name in (vendor.key, *vendor.sandbox)} <= known


def test_a_folder_has_one_user_at_a_time(tmp_path: Path) -> None:
    with (
        data_folder.lock(tmp_path),
        pytest.raises(FolderInUseError, match="set DATA_DIR"),
        data_folder.lock(tmp_path),
    ):
        raise AssertionError("both got the folder")
    with data_folder.lock(tmp_path):
        assert (tmp_path / "lock").exists()


def test_dotenv_gives_what_the_environment_does_not_say(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# a comment\n\nPORT=9000\n EMAIL_FROM = Somebody <s@example.test>\nHOST=\n")
    env = {"ENV_FILE": str(file), "PORT": "8000"}
    dotenv.load(env)
    assert env == {
        "ENV_FILE": str(file),
        "PORT": "8000",
        "EMAIL_FROM": "Somebody <s@example.test>",
        "HOST": "",
    }
    file.write_text("PORT=9000\nexport X\n")
    with pytest.raises(DotenvError, match="line 2"):
        dotenv.load({"ENV_FILE": str(file)})


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_tells_what_it_does(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"], env={"ENV_FILE": ""})
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) > 3
