"""Google's error answers: the Calendar interface's body, and OAuth's flat one."""

from __future__ import annotations

from typing import Any

from sandbox.vendors import Answer

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    410: "FAILED_PRECONDITION",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
FAULTS = {
    403: ("usageLimits", "rateLimitExceeded", "Rate Limit Exceeded"),
    429: ("usageLimits", "rateLimitExceeded", "Rate Limit Exceeded"),
}


class GoogleError(Exception):
    """An error answer of the Calendar interface; `location` names the parameter or header at fault."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        location: str = "",
        location_type: str = "parameter",
        domain: str = "global",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.domain = domain
        self.location = (location_type, location) if location else None

    def answer(self) -> Answer:
        """The answer that carries this error."""
        detail = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            detail |= {"locationType": self.location[0], "location": self.location[1]}
        headers: tuple[tuple[str, str], ...] = ()
        if self.status == 401:
            headers = (
                ("www-authenticate", 'Bearer realm="https://accounts.google.com/", error="invalid_token"'),
            )
        return Answer(self.status, envelope(self.status, self.message, [detail]), headers)


class OAuthError(Exception):
    """An error answer of the token, revocation and userinfo endpoints."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description

    def answer(self) -> Answer:
        """The answer that carries this error."""
        return Answer(self.status, {"error": self.error, "error_description": self.description})


def envelope(status: int, message: str, details: list[dict[str, str]]) -> dict[str, Any]:
    """The body of a Calendar error."""
    error = {
        "code": status,
        "message": message,
        "errors": details,
        "status": STATUS_NAMES.get(status, "UNKNOWN"),
    }
    return {"error": error}


def invalid(message: str, location: str = "", reason: str = "invalid") -> GoogleError:
    """A 400 for a value that can't be used; `location` names the query parameter, if it is one."""
    return GoogleError(400, reason, message, location=location)


def not_found() -> GoogleError:
    """The 404 for calendars and events that don't exist or aren't the account's."""
    return GoogleError(404, "notFound", "Not Found")


def fault(status: int, path: str) -> Answer:
    """What Google says when it fails by itself."""
    headers = (("retry-after", "1"),) if status in (429, 503) else ()
    if not path.startswith("/calendar/"):
        error = "temporarily_unavailable" if status == 503 else "internal_failure"
        return Answer(status, {"error": error, "error_description": "Backend Error"}, headers)
    domain, reason, message = FAULTS.get(status, ("global", "backendError", "Backend Error"))
    detail = {"domain": domain, "reason": reason, "message": message}
    return Answer(status, envelope(status, message, [detail]), headers)
