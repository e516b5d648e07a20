"""Discord's error answers: the interface's body with its own code, and OAuth's flat one."""

from __future__ import annotations

from typing import Any

from sandbox.vendors import Answer

UNKNOWN = {
    "channel": (10003, "Unknown Channel"),
    "guild": (10004, "Unknown Guild"),
    "member": (10007, "Unknown Member"),
    "message": (10008, "Unknown Message"),
    "role": (10011, "Unknown Role"),
    "user": (10013, "Unknown User"),
    "webhook": (10015, "Unknown Webhook"),
    "interaction": (10062, "Unknown interaction"),
}


class DiscordError(Exception):
    """An error answer: HTTP status, Discord's code and sentence; `errors` says which members are at fault."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: dict[str, Any] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.headers = headers
        self.more = more or {}

    def answer(self) -> Answer:
        """The answer that carries this error."""
        body = {"message": self.message, "code": self.code, **self.more}
        return Answer(self.status, body | ({"errors": self.errors} if self.errors else {}), self.headers)


class OAuthError(Exception):
    """An error answer of the token endpoints."""

    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(description or error)
        self.status = status
        self.error = error
        self.description = description

    def answer(self) -> Answer:
        """The answer that carries this error."""
        told = {"error_description": self.description} if self.description else {}
        return Answer(self.status, {"error": self.error, **told})


def unknown(thing: str) -> DiscordError:
    """The 404 for a thing that is not there, or not for the one who asks."""
    return DiscordError(404, *UNKNOWN[thing])


def unauthorized() -> DiscordError:
    """The 401 for a token that is missing, malformed or not ours."""
    return DiscordError(401, 0, "401: Unauthorized")


def limited(retry_after: float, scope: str, headers: tuple[tuple[str, str], ...] = ()) -> DiscordError:
    """The 429 of a bucket (scope "user" or "shared") or of all requests (scope "global")."""
    told = {"retry_after": round(retry_after, 3), "global": scope == "global"}
    names: tuple[tuple[str, str], ...]
    names = (("retry-after", str(max(1, round(retry_after)))), ("x-ratelimit-scope", scope))
    if scope == "global":
        names = (*names, ("x-ratelimit-global", "true"))
    return DiscordError(429, 0, "You are being rate limited.", headers=(*headers, *names), more=told)


def fault(status: int, path: str) -> Answer:
    """What Discord says when it fails by itself or has had enough."""
    if path.startswith("/api/v10/oauth2/token") and status != 429:
        return OAuthError(status, "server_error").answer()
    if status == 429:
        return limited(0.5, "shared").answer()
    return DiscordError(
        status, 0, f"{status}: {'Internal Server Error' if status == 500 else 'Error'}"
    ).answer()
