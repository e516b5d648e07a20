"""The environment of a platform that runs on this machine: what `make run` gives its processes.

A variable that is set already wins. Vendor by vendor: a real key talks to the vendor, no key to the sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.dev import data_folder
from app.dev.data_folder import Secrets
from app.dev.postgres import Cluster, embedded_binaries
from app.dev.roles import database_urls
from app.settings import SettingsError

DATABASE = "mentorship"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Vendor:
    """A vendor: the variable that holds its key, and the variables that point at the sandbox without one."""

    name: str
    key: str
    sandbox: dict[str, str]


VENDORS = (
    Vendor(
        "Google",
        "GOOGLE_CLIENT_ID",
        {
            "GOOGLE_CLIENT_ID": "sandbox-google-client",
            "GOOGLE_CLIENT_SECRET": "sandbox-google-secret",
            "GOOGLE_AUTHORIZE_URL": "{sandbox}/google/o/oauth2/v2/auth",
            "GOOGLE_TOKEN_URL": "{sandbox}/google/token",
            "GOOGLE_REVOKE_URL": "{sandbox}/google/revoke",
            "GOOGLE_USERINFO_URL": "{sandbox}/google/userinfo",
            "GOOGLE_CALENDAR_URL": "{sandbox}/google/calendar/v3/",
            "OAUTHLIB_INSECURE_TRANSPORT": "1",
        },
    ),
    Vendor(
        "Stripe",
        "STRIPE_SECRET_KEY",
        {
            "STRIPE_SECRET_KEY": "sk_test_sandbox",
            "STRIPE_WEBHOOK_SECRET": "whsec_sandbox",
            "STRIPE_URL": "{sandbox}/stripe",
            "CHECKOUT_ORIGINS": "{sandbox}",
        },
    ),
    Vendor(
        "PayPal",
        "PAYPAL_CLIENT_ID",
        {
            "PAYPAL_CLIENT_ID": "sandbox-paypal-client",
            "PAYPAL_CLIENT_SECRET": "sandbox-paypal-secret",
            "PAYPAL_WEBHOOK_ID": "sandbox-paypal-webhook",
            "PAYPAL_URL": "{sandbox}/paypal",
            "PAYPAL_CERTIFICATE_HOSTS": "127.0.0.1",
            "PAYPAL_AUTHORITIES_FILE": "{folder}/sandbox/paypal-authority.pem",
            "CHECKOUT_ORIGINS": "{sandbox}",
        },
    ),
    Vendor(
        "Resend",
        "RESEND_API_KEY",
        {
            "RESEND_API_KEY": "re_sandbox",
            "RESEND_URL": "{sandbox}/resend",
            "RESEND_WEBHOOK_SECRET": "whsec_c2FuZGJveC1yZXNlbmQtd2ViaG9vaw==",
        },
    ),
    Vendor(
        "Discord",
        "DISCORD_BOT_TOKEN",
        {
            "DISCORD_CLIENT_ID": "1000000000000000001",
            "DISCORD_CLIENT_SECRET": "sandbox-discord-secret",
            "DISCORD_BOT_TOKEN": "MTAwMDAwMDAwMDAwMDAwMDAwMQ.sandbox.discord-bot",
            "DISCORD_GUILD_ID": "1000000000000000002",
            "DISCORD_MENTEE_ROLE_ID": "1000000000000000003",
            "DISCORD_INVITE_URL": "{sandbox}/discord",
            "DISCORD_AUTHORIZE_URL": "{sandbox}/discord/oauth2/authorize",
            "DISCORD_URL": "{sandbox}/discord/api/v10",
        },
    ),
)


@dataclass(frozen=True)
class LocalPlatform:
    """One copy of the platform on this machine: its folder, secrets, ports and the environment it was given."""

    folder: Path
    secrets: Secrets
    given: Mapping[str, str]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> LocalPlatform:
        """The copy that DATA_DIR in `env` names (default `.data`), its secrets made the first time."""
        folder = data_folder.make(Path(env.get("DATA_DIR") or ".data"))
        return cls(folder, data_folder.load_secrets(folder), env)

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.given.get("HOST") or LOOPBACK

    @property
    def port(self) -> int:
        """The web's port."""
        return self._number("PORT", 8000)

    @property
    def sandbox_port(self) -> int:
        """The sandbox's port."""
        return self._number("SANDBOX_PORT", 8001)

    @property
    def url(self) -> str:
        """Where the web is reached from this machine."""
        return f"http://{LOOPBACK if self.host in {'0.0.0.0', '::'} else self.host}:{self.port}"  # noqa: S104

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox is reached."""
        return f"http://{LOOPBACK}:{self.sandbox_port}"

    @property
    def cluster(self) -> Cluster | None:
        """The embedded server; None when DATABASE_URL names another."""
        if self.given.get("DATABASE_URL"):
            return None
        return Cluster(self.folder / "postgres", self.secrets.superuser_password, True, embedded_binaries())

    @property
    def sandboxed(self) -> list[Vendor]:
        """The vendors without a key."""
        return [vendor for vendor in VENDORS if not self.given.get(vendor.key)]

    def _number(self, name: str, default: int) -> int:
        given = self.given.get(name) or str(default)
        if not given.isdecimal() or not 0 < int(given) < 65536:
            raise SettingsError(f"{name}={given!r} is no port")
        return int(given)

    def environment(self) -> dict[str, str]:
        """The environment of this copy's processes."""
        made = {
            "HOST": self.host,
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "PUBLIC_URL": self.url,
            "SECRET_KEY": self.secrets.secret_key,
            "ENCRYPTION_KEYS": self.secrets.encryption_keys,
        }
        cluster = self.cluster
        if cluster:
            made |= database_urls(cluster.admin_url, DATABASE, self.secrets.passwords).as_env()
        for vendor in self.sandboxed:
            places = {"sandbox": self.sandbox_url, "folder": self.folder}
            made |= {name: value.format(**places) for name, value in vendor.sandbox.items()}
        if len(self.sandboxed) == len(VENDORS):
            made["CLOCK_FILE"] = str(self.folder / "clock.json")
        given = {name: value for name, value in self.given.items() if value}
        environment = {**made, **given, "DATA_DIR": str(self.folder), "PYTHONUNBUFFERED": "1"}
        return environment | {"SANDBOX_DATABASE_URL": environment.get("DATABASE_SERVICE_URL", "")}


def web_command(host: str, port: int) -> list[str]:
    """The arguments for Python that make it one web process."""
    listen = ["--host", host, "--port", str(port)]
    speed = ["--loop", "uvloop", "--http", "httptools", "--timeout-graceful-shutdown", "2"]
    # Frames of video rooms are short (app.video.frames); a line that went dead is noticed within 20 s.
    sockets = ["--ws-max-size", "65536", "--ws-ping-interval", "10", "--ws-ping-timeout", "10"]
    quiet = ["--no-access-log", "--no-server-header", "--log-level", "warning"]
    return ["-m", "uvicorn", "app.asgi:create_app", "--factory", *listen, *speed, *sockets, *quiet]
