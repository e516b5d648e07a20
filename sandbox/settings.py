"""What the sandbox reads from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

GOOGLE_CLIENT_ID = "sandbox-google-client"
GOOGLE_CLIENT_SECRET = "sandbox-google-secret"
STRIPE_SECRET_KEY = "sk_test_sandbox"
STRIPE_WEBHOOK_SECRET = "whsec_sandbox"
PAYPAL_CLIENT_ID = "sandbox-paypal-client"
PAYPAL_CLIENT_SECRET = "sandbox-paypal-secret"
PAYPAL_WEBHOOK_ID = "sandbox-paypal-webhook"
RESEND_WEBHOOK_SECRET = "whsec_c2FuZGJveC1yZXNlbmQtd2ViaG9vaw=="
DISCORD_CLIENT_ID = "1000000000000000001"
DISCORD_CLIENT_SECRET = "sandbox-discord-secret"
DISCORD_BOT_TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.sandbox.discord-bot"
DISCORD_GUILD_ID = "1000000000000000002"
DISCORD_MENTEE_ROLE_ID = "1000000000000000003"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the sandbox listens and keeps its state; `clock_file` is written by the sandbox only.

    `database_url` (the platform's service role) lets the clock stop where something becomes due; empty: it just
    moves. `idle_seconds`: how long the platform may take to get idle at a stop. `push_http` lets push channels have plain http addresses, which Google refuses.
    `discord_answer_seconds`: how long a bot may take to answer an interaction; Discord waits 3 s.
    """

    data_dir: Path
    clock_file: Path
    host: str = "127.0.0.1"
    port: int = 8001
    public_url: str = "http://127.0.0.1:8000"
    database_url: str = ""
    push_http: bool = False
    idle_seconds: float = 60.0
    google_client_id: str = GOOGLE_CLIENT_ID
    google_client_secret: str = GOOGLE_CLIENT_SECRET
    stripe_secret_key: str = STRIPE_SECRET_KEY
    stripe_webhook_secret: str = STRIPE_WEBHOOK_SECRET
    paypal_client_id: str = PAYPAL_CLIENT_ID
    paypal_client_secret: str = PAYPAL_CLIENT_SECRET
    paypal_webhook_id: str = PAYPAL_WEBHOOK_ID
    resend_webhook_secret: str = RESEND_WEBHOOK_SECRET
    discord_client_id: str = DISCORD_CLIENT_ID
    discord_client_secret: str = DISCORD_CLIENT_SECRET
    discord_bot_token: str = DISCORD_BOT_TOKEN
    discord_guild_id: str = DISCORD_GUILD_ID
    discord_mentee_role_id: str = DISCORD_MENTEE_ROLE_ID
    discord_answer_seconds: float = 3.0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Settings from `env` (default: the process environment). Raises ValueError for a port that is no number."""
        source = os.environ if env is None else env
        data_dir = Path(source.get("DATA_DIR") or ".data")
        clock_file = source.get("CLOCK_FILE")
        return cls(
            data_dir=data_dir,
            clock_file=Path(clock_file) if clock_file else data_dir / "clock.json",
            host=source.get("SANDBOX_HOST") or "127.0.0.1",
            port=int(source.get("SANDBOX_PORT") or 8001),
            public_url=source.get("PUBLIC_URL") or "http://127.0.0.1:8000",
            database_url=source.get("SANDBOX_DATABASE_URL") or "",
            push_http=source.get("SANDBOX_PUSH_HTTP") == "1",
            google_client_id=source.get("GOOGLE_CLIENT_ID") or GOOGLE_CLIENT_ID,
            google_client_secret=source.get("GOOGLE_CLIENT_SECRET") or GOOGLE_CLIENT_SECRET,
            stripe_secret_key=source.get("STRIPE_SECRET_KEY") or STRIPE_SECRET_KEY,
            stripe_webhook_secret=source.get("STRIPE_WEBHOOK_SECRET") or STRIPE_WEBHOOK_SECRET,
            paypal_client_id=source.get("PAYPAL_CLIENT_ID") or PAYPAL_CLIENT_ID,
            paypal_client_secret=source.get("PAYPAL_CLIENT_SECRET") or PAYPAL_CLIENT_SECRET,
            paypal_webhook_id=source.get("PAYPAL_WEBHOOK_ID") or PAYPAL_WEBHOOK_ID,
            resend_webhook_secret=source.get("RESEND_WEBHOOK_SECRET") or RESEND_WEBHOOK_SECRET,
            discord_client_id=source.get("DISCORD_CLIENT_ID") or DISCORD_CLIENT_ID,
            discord_client_secret=source.get("DISCORD_CLIENT_SECRET") or DISCORD_CLIENT_SECRET,
            discord_bot_token=source.get("DISCORD_BOT_TOKEN") or DISCORD_BOT_TOKEN,
            discord_guild_id=source.get("DISCORD_GUILD_ID") or DISCORD_GUILD_ID,
            discord_mentee_role_id=source.get("DISCORD_MENTEE_ROLE_ID") or DISCORD_MENTEE_ROLE_ID,
        )

    @property
    def state_file(self) -> Path:
        """The SQLite file that keeps the vendors' state over a restart."""
        return self.data_dir / "sandbox" / "state.sqlite3"

    @property
    def paypal_authority_file(self) -> Path:
        """Where the certificate is written of the authority that vouches for PayPal's stand-in."""
        return self.data_dir / "sandbox" / "paypal-authority.pem"
