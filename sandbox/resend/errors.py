"""Resend's error answers."""

from __future__ import annotations

from sandbox.vendors import Answer


class ResendError(Exception):
    """An error answer: HTTP status, Resend's name for it, and a sentence."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message

    def answer(self) -> Answer:
        """The answer that carries this error."""
        return Answer(self.status, {"statusCode": self.status, "name": self.name, "message": self.message})


def unusable(message: str, name: str = "validation_error") -> ResendError:
    """A 422 for a member that can't be used."""
    return ResendError(422, name, message)


def fault(status: int, path: str) -> Answer:
    """What Resend says when it fails by itself or has had enough."""
    if status == 429:
        body = {
            "statusCode": 429,
            "name": "rate_limit_exceeded",
            "message": "Too many requests. You can only make 2 requests per second.",
        }
        limits = (("ratelimit-limit", "2"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "1"))
        return Answer(429, body, (("retry-after", "1"), *limits))
    name = "internal_server_error" if status >= 500 else "application_error"
    return Answer(status, {"statusCode": status, "name": name, "message": "An unexpected error occurred."})
