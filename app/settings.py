"""Every environment variable the platform reads, typed, with its default.

Durations carry their unit in the name. `Settings.from_env()` is the only place that looks at the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints


class SettingsError(Exception):
    """A variable is missing or malformed; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The platform's configuration; each field is the environment variable of the same name in capitals."""

    # Where it runs
    environment: str = "development"
    data_dir: Path = Path(".data")
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    brand_name: str = "Huckleberry Mentorships"
    log_level: str = "INFO"

    # Storage: three login roles of one database (docs/operators.md); direct = past a pooler, for the queue and LISTEN
    database_url: str = ""
    database_service_url: str = ""
    database_owner_url: str = ""
    database_direct_url: str = ""
    database_pool_size: int = 6
    redis_url: str = ""

    # Secrets
    secret_key: str = ""
    encryption_keys: str = ""

    # Business time (sandbox only): a file with {"offset_seconds": n}
    clock_file: str = ""

    # Google
    google_client_id: str = ""
    google_client_secret: str = ""
    google_authorize_url: str = "https://accounts.google.com/o/oauth2/v2/auth"
    google_token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105
    google_revoke_url: str = "https://oauth2.googleapis.com/revoke"
    google_userinfo_url: str = "https://openidconnect.googleapis.com/v1/userinfo"
    google_calendar_url: str = "https://www.googleapis.com/calendar/v3/"
    google_timeout_seconds: float = 3.0
    calendar_poll_minutes: int = 5

    # Mail
    resend_api_key: str = ""
    resend_url: str = "https://api.resend.com"
    resend_webhook_secret: str = ""
    resend_timeout_seconds: float = 5.0
    email_from: str = "Huckleberry Mentorships <hello@example.test>"
    email_reply_to: str = ""

    # Discord
    discord_client_id: str = ""
    discord_client_secret: str = ""
    discord_bot_token: str = ""
    discord_guild_id: str = ""
    discord_mentee_role_id: str = ""
    # Where people join the server; without it nobody is told how
    discord_invite_url: str = ""
    discord_authorize_url: str = "https://discord.com/oauth2/authorize"
    discord_url: str = "https://discord.com/api/v10"
    discord_timeout_seconds: float = 5.0

    # Video: Agora where both are set, else straight from browser to browser; servers that help them to find each other,
    # as a JSON list of RTCIceServer
    agora_app_id: str = ""
    agora_app_certificate: str = ""
    ice_servers: str = ""

    # Payments
    stripe_secret_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_url: str = "https://api.stripe.com"
    stripe_timeout_seconds: float = 5.0
    paypal_client_id: str = ""
    paypal_client_secret: str = ""
    paypal_webhook_id: str = ""
    paypal_url: str = "https://api-m.paypal.com"
    paypal_timeout_seconds: float = 8.0
    # Hosts whose certificates may sign webhooks; a file with further authorities to trust, beside the usual ones
    paypal_certificate_hosts: str = (
        "api.paypal.com api-m.paypal.com api.sandbox.paypal.com api-m.sandbox.paypal.com"
    )
    paypal_authorities_file: str = ""
    # Where a form may send a buyer to pay
    checkout_origins: str = (
        "https://checkout.stripe.com https://www.paypal.com https://www.sandbox.paypal.com"
    )
    grandfathered_before_date: str = ""
    grandfathered_coupon_id: str = ""

    # Seats: how long one is held for a checkout, kept after the last session, and offered from the waitlist
    hold_minutes: int = 35
    grace_hours: int = 72
    offer_hours: int = 24

    # Accounts
    sign_in_days: int = 30
    email_token_hours: int = 24
    reset_token_hours: int = 1
    invitation_days: int = 7
    argon2_memory_kib: int = 65_536
    # Least time of an answer that must not tell whether an account exists
    even_answer_ms: int = 250

    # Jobs
    outbox_sweep_seconds: float = 20.0
    job_heartbeat_seconds: int = 30
    job_sweep_seconds: int = 30
    job_concurrency: int = 10
    # How long something may wait to be sent before people are alerted
    alert_after_minutes: int = 10
    # Who may read /metrics: whoever shows it as a bearer token; empty: programs on this computer
    metrics_token: str = ""

    # Rate limits: multiplies every limit (benchmarks and crawls)
    limits_scale: float = 1.0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Settings read from `env` (default: the process environment).

        Raises SettingsError naming the variable that can't be read.
        """
        source = os.environ if env is None else env
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        for field in fields(cls):
            raw = source.get(field.name.upper())
            if raw is None or raw == "":
                continue
            try:
                values[field.name] = hints[field.name](raw)
            except ValueError as error:
                raise SettingsError(
                    f"{field.name.upper()}={raw!r} is not a {hints[field.name].__name__}"
                ) from error
        return cls(**values)

    def require_for_start(self) -> None:
        """Raise SettingsError unless the platform can start safely with these settings."""
        for name in ("database_url", "database_service_url", "secret_key", "encryption_keys"):
            if not getattr(self, name):
                raise SettingsError(f"{name.upper()} is not set")
        if self.environment == "production" and not self.public_url.startswith("https://"):
            raise SettingsError("PUBLIC_URL must be an https address in production")
        if self.clock_file and self.has_real_vendor:
            raise SettingsError(
                "CLOCK_FILE moves business time and is refused together with a real vendor's address"
            )

    @property
    def has_real_vendor(self) -> bool:
        """True if any vendor with a key is addressed at its real host (not the sandbox)."""
        google = bool(self.google_client_id) and "googleapis.com" in self.google_calendar_url
        resend = bool(self.resend_api_key) and "resend.com" in self.resend_url
        stripe = self.stripe_enabled and "stripe.com" in self.stripe_url
        paypal = self.paypal_enabled and "paypal.com" in self.paypal_url
        discord = self.discord_enabled and "discord.com" in self.discord_url
        return google or resend or stripe or paypal or discord or self.agora_enabled

    @property
    def google_enabled(self) -> bool:
        """True if mentors can connect Google and people can continue with Google."""
        return bool(self.google_client_id and self.google_client_secret)

    @property
    def discord_enabled(self) -> bool:
        """True if messages can be sent on Discord and the bot can run."""
        return bool(self.discord_bot_token)

    @property
    def discord_linking(self) -> bool:
        """True if people can link their Discord accounts."""
        return bool(self.discord_bot_token and self.discord_client_id and self.discord_client_secret)

    @property
    def agora_enabled(self) -> bool:
        """True if sessions meet over Agora."""
        return bool(self.agora_app_id and self.agora_app_certificate)

    @property
    def stripe_enabled(self) -> bool:
        """True if packs can be bought with Stripe."""
        return bool(self.stripe_secret_key and self.stripe_webhook_secret)

    @property
    def paypal_enabled(self) -> bool:
        """True if packs can be bought with PayPal."""
        return bool(self.paypal_client_id and self.paypal_client_secret and self.paypal_webhook_id)

    @property
    def direct_url(self) -> str:
        """The service role's connection past a pooler, for the queue and LISTEN."""
        return self.database_direct_url or self.database_service_url
