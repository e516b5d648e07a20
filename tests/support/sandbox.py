"""A running sandbox for tests: served on a free loopback port by a thread of this process, and a client to control it.

    with running_sandbox(tmp_path) as sandbox:
        sandbox.url                    # http://127.0.0.1:54321
        sandbox.control.mailbox()      # what was mailed
        sandbox.google_tokens("mentor@example.test", CALENDAR)   # a real consent and code exchange

The control client blocks: in an async test call what waits for the platform (`advance`) by `asyncio.to_thread`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import uvicorn

from app.core import tls
from sandbox.asgi import create_app
from sandbox.settings import Settings

MENTOR = "mentor@example.test"
CALENDAR = ("https://www.googleapis.com/auth/calendar",)
IDENTITY = ("openid", "email", "profile")
REDIRECT = "http://127.0.0.1:8000/auth/google/callback"


class Control:
    """The control interface, one method a call; raises httpx.HTTPStatusError for refusals."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/control", timeout=90, verify=tls.outgoing())

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The decoded answer of a control call, None if it has no body."""
        answer = self.http.request(method, path, json=body, params=query)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def requests(self, vendor: str = "", after: int = 0) -> list[dict[str, Any]]:
        """What the vendors received, oldest first."""
        items: list[dict[str, Any]] = self.call("GET", "/requests", vendor=vendor, after=after)["items"]
        return items

    def webhooks(self, vendor: str = "") -> list[dict[str, Any]]:
        """What the vendors tried to deliver, oldest first."""
        items: list[dict[str, Any]] = self.call("GET", "/webhooks", vendor=vendor)["items"]
        return items

    def mailbox(self, to: str = "") -> list[dict[str, Any]]:
        """Mails, oldest first."""
        items: list[dict[str, Any]] = self.call("GET", "/mailbox", to=to)["items"]
        return items

    def discord_messages(self, recipient: str = "") -> list[dict[str, Any]]:
        """The bot's messages to a member (empty: all), oldest first."""
        items: list[dict[str, Any]] = self.call("GET", "/discord/messages", recipient=recipient)["items"]
        return items

    def discord_member(self, user_id: str = "", **values: Any) -> dict[str, Any]:
        """Make a member of Discord's server, or change one: `open` (direct messages), `here` (on the server)."""
        member: dict[str, Any] = self.call("POST", "/discord/members", {"user_id": user_id, **values})
        return member

    def discord_consent(self, url: str, user_id: str, *, allow: bool = True) -> str:
        """Decide on Discord's authorize address as a member would; gives where the browser would be sent."""
        wish = {"url": url, "user_id": user_id, "allow": allow}
        location: str = self.call("POST", "/discord/consent", wish)["location"]
        return location

    def discord_command(
        self, user_id: str, command: str, options: dict[str, Any] | None = None, *, private: bool = False
    ) -> dict[str, Any]:
        """Type a command as a member; gives {interaction, pending, messages}: what the bot answered."""
        wish = {"user_id": user_id, "command": command, "options": options or {}, "private": private}
        done: dict[str, Any] = self.call("POST", "/discord/interactions", wish)
        return done

    def discord_click(self, user_id: str, message_id: str, custom_id: str, *values: str) -> dict[str, Any]:
        """Click a button, or choose values in a menu, as a member; gives what `discord_command` does."""
        wish = {"user_id": user_id, "message_id": message_id, "custom_id": custom_id, "values": list(values)}
        done: dict[str, Any] = self.call("POST", "/discord/interactions", wish)
        return done

    def events(self, address: str = MENTOR, **query: Any) -> list[dict[str, Any]]:
        """What a calendar holds; takes the parameters of events.list."""
        items: list[dict[str, Any]] = self.call("GET", f"/google/calendars/{address}/events", **query)[
            "items"
        ]
        return items

    def add_event(self, body: dict[str, Any], address: str = MENTOR) -> dict[str, Any]:
        """Put an event in a calendar by its owner's hand."""
        event: dict[str, Any] = self.call("POST", f"/google/calendars/{address}/events", body)
        return event

    def change_event(self, event_id: str, body: dict[str, Any], address: str = MENTOR) -> dict[str, Any]:
        """Change an event by its owner's hand."""
        event: dict[str, Any] = self.call("PATCH", f"/google/calendars/{address}/events/{event_id}", body)
        return event

    def delete_event(self, event_id: str, address: str = MENTOR) -> None:
        """Delete an event by its owner's hand."""
        self.call("DELETE", f"/google/calendars/{address}/events/{event_id}")

    def empty_calendar(self, address: str = MENTOR) -> None:
        """Let a calendar hold nothing, as if it never had."""
        self.call("DELETE", f"/google/calendars/{address}/events")

    def consent(
        self, url: str, address: str, *, allow: bool = True, scopes: Iterable[str] | None = None
    ) -> str:
        """Decide on an authorize address as a person would; gives where the browser would be sent."""
        wish = {
            "url": url,
            "address": address,
            "allow": allow,
            "scopes": None if scopes is None else list(scopes),
        }
        location: str = self.call("POST", "/google/consent", wish)["location"]
        return location

    def account(self, address: str, **values: Any) -> dict[str, Any]:
        """Make or change a Google account."""
        account: dict[str, Any] = self.call("POST", "/google/accounts", {"address": address, **values})
        return account

    def chaos(self, vendor: str = "", **dial: Any) -> None:
        """Turn a vendor's dial; without any value reset it, without a vendor reset all."""
        self.call("POST", "/chaos", {vendor: dial} if vendor else {})

    def advance(self, duration: str, *, jump: bool = False) -> dict[str, Any]:
        """Advance business time by an ISO 8601 duration, and wait until the platform is idle."""
        moved: dict[str, Any] = self.call("POST", "/clock", {"advance": duration, "jump": jump})
        return moved

    def set_clock(self, instant: str, *, jump: bool = False) -> dict[str, Any]:
        """Advance business time to an RFC 3339 instant."""
        moved: dict[str, Any] = self.call("POST", "/clock", {"set": instant, "jump": jump})
        return moved

    def reset(self) -> None:
        """Vendors' state as after start; business time stays."""
        self.call("POST", "/reset")


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that is served at `url`."""

    url: str
    settings: Settings
    control: Control
    http: httpx.Client

    def authorize_url(self, scopes: Iterable[str], **more: str) -> str:
        """An authorize address for the sandbox's client."""
        query = {
            "response_type": "code",
            "client_id": self.settings.google_client_id,
            "redirect_uri": REDIRECT,
            "scope": " ".join(scopes),
            **more,
        }
        return f"{self.url}/google/o/oauth2/v2/auth?{urlencode(query)}"

    def google_tokens(self, address: str = MENTOR, scopes: Iterable[str] = CALENDAR) -> dict[str, Any]:
        """The token endpoint's answer after an account's consent, with PKCE and offline access."""
        verifier = secrets.token_urlsafe(48)
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        url = self.authorize_url(
            scopes,
            access_type="offline",
            prompt="consent",
            code_challenge=digest,
            code_challenge_method="S256",
        )
        code = parse_qs(urlsplit(self.control.consent(url, address)).query)["code"][0]
        answer = self.http.post(
            "/google/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": REDIRECT,
                "code_verifier": verifier,
                "client_id": self.settings.google_client_id,
                "client_secret": self.settings.google_client_secret,
            },
        )
        answer.raise_for_status()
        tokens: dict[str, Any] = answer.json()
        return tokens

    def platform_settings(self) -> dict[str, str]:
        """The environment that points the platform at this sandbox."""
        google = f"{self.url}/google"
        return {
            "GOOGLE_CLIENT_ID": self.settings.google_client_id,
            "GOOGLE_CLIENT_SECRET": self.settings.google_client_secret,
            "GOOGLE_AUTHORIZE_URL": f"{google}/o/oauth2/v2/auth",
            "GOOGLE_TOKEN_URL": f"{google}/token",
            "GOOGLE_REVOKE_URL": f"{google}/revoke",
            "GOOGLE_USERINFO_URL": f"{google}/userinfo",
            "GOOGLE_CALENDAR_URL": f"{google}/calendar/v3/",
            "RESEND_URL": f"{self.url}/resend",
            "RESEND_API_KEY": "re_sandbox",
            "RESEND_WEBHOOK_SECRET": self.settings.resend_webhook_secret,
            "PAYPAL_CLIENT_ID": self.settings.paypal_client_id,
            "PAYPAL_CLIENT_SECRET": self.settings.paypal_client_secret,
            "PAYPAL_WEBHOOK_ID": self.settings.paypal_webhook_id,
            "PAYPAL_URL": f"{self.url}/paypal",
            "PAYPAL_CERTIFICATE_HOSTS": "127.0.0.1",
            "PAYPAL_AUTHORITIES_FILE": str(self.settings.paypal_authority_file),
            "STRIPE_URL": f"{self.url}/stripe",
            "STRIPE_SECRET_KEY": self.settings.stripe_secret_key,
            "STRIPE_WEBHOOK_SECRET": self.settings.stripe_webhook_secret,
            "DISCORD_CLIENT_ID": self.settings.discord_client_id,
            "DISCORD_CLIENT_SECRET": self.settings.discord_client_secret,
            "DISCORD_BOT_TOKEN": self.settings.discord_bot_token,
            "DISCORD_GUILD_ID": self.settings.discord_guild_id,
            "DISCORD_MENTEE_ROLE_ID": self.settings.discord_mentee_role_id,
            "DISCORD_INVITE_URL": f"{self.url}/discord",
            "DISCORD_AUTHORIZE_URL": f"{self.url}/discord/oauth2/authorize",
            "DISCORD_URL": f"{self.url}/discord/api/v10",
            "CLOCK_FILE": str(self.settings.clock_file),
        }


class _Server(uvicorn.Server):
    """Says when it listens, so that nobody has to poll."""

    def __init__(self, config: uvicorn.Config, listening: threading.Event) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        self._listening.set()


@contextmanager
def serving(app: Callable[..., Any]) -> Iterator[str]:
    """Serve an ASGI application on a free loopback port; gives its base address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=3,
            timeout_keep_alive=75,
        )
        listening = threading.Event()
        server = _Server(config, listening)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert listening.wait(20), "the application does not start"
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(15)
            assert not thread.is_alive(), "the application does not stop"


@contextmanager
def running_sandbox(
    data_dir: Path,
    *,
    clock_file: Path | None = None,
    database_url: str = "",
    push_http: bool = True,
    idle_seconds: float = 60.0,
    public_url: str = "http://127.0.0.1:9",
    discord_answer_seconds: float = 30.0,
) -> Iterator[RunningSandbox]:
    """A sandbox with its state in `data_dir`; what the folder already holds is kept."""
    settings = Settings(
        data_dir=data_dir,
        clock_file=clock_file or data_dir / "clock.json",
        database_url=database_url,
        push_http=push_http,
        idle_seconds=idle_seconds,
        public_url=public_url,
        discord_answer_seconds=discord_answer_seconds,
    )
    with serving(create_app(settings)) as url:
        control = Control(url)
        with control.http, httpx.Client(base_url=url, verify=tls.outgoing()) as http:
            yield RunningSandbox(url, settings, control, http)
