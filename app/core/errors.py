"""What services raise. The web maps them to problem+json or a page; the bot to a sentence; jobs retry or give up."""

from __future__ import annotations

from collections.abc import Mapping


class AppError(Exception):
    """An expected failure: `code` for programs, `detail` a sentence for people, `status` the HTTP status."""

    status = 500
    code = "error"
    detail = "Something went wrong on our side. Nothing was changed."

    def __init__(self, detail: str | None = None, *, code: str | None = None) -> None:
        self.detail = detail or self.detail
        self.code = code or self.code
        super().__init__(f"{self.code}: {self.detail}")


class BadRequest(AppError):
    """The request can't be understood: malformed date, zone or range."""

    status = 400
    code = "bad_request"
    detail = "That request could not be understood. Nothing was changed."


class Unauthenticated(AppError):
    """Nobody is signed in where somebody must be."""

    status = 401
    code = "unauthenticated"
    detail = "Please sign in first."


class Forbidden(AppError):
    """The role may not do this at all. Never used for rows: those are NotFound."""

    status = 403
    code = "forbidden"
    detail = "Your account can't do that. Nothing was changed."


class NotFound(AppError):
    """It doesn't exist, or isn't the asker's: both look the same."""

    status = 404
    code = "not_found"
    detail = "There is nothing at this address."


class Refused(AppError):
    """A rule of the domain says no: its own code and sentence. 409 when trying again may help, else 422."""

    status = 409
    code = "refused"

    def __init__(self, code: str, detail: str, *, status: int = 409) -> None:
        self.status = status
        super().__init__(detail, code=code)


class Invalid(AppError):
    """Input that can't be accepted: one sentence for each field, shown beside it."""

    status = 422
    code = "invalid"
    detail = "Some fields need another look. Nothing was changed."

    def __init__(self, fields: Mapping[str, str], detail: str | None = None) -> None:
        self.fields = dict(fields)
        super().__init__(detail)


class TooManyRequests(AppError):
    """A rate limit is used up."""

    status = 429
    code = "too_many_requests"
    detail = "That was a lot of requests at once. Please wait a moment and try again."

    def __init__(self, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__()


class Unavailable(AppError):
    """Something outside can't be reached now; nothing was done."""

    status = 503
    code = "unavailable"
    detail = "That can't be done right now. Nothing was changed; please try again in a few minutes."
