"""Stripe's error answers."""

from __future__ import annotations

from typing import Any

from sandbox.vendors import Answer

INVALID = "invalid_request_error"


class StripeError(Exception):
    """An error answer. `code` and `param` are left out where Stripe has none."""

    def __init__(
        self, status: int, message: str, *, type_: str = INVALID, code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type_
        self.code = code
        self.param = param

    def answer(self) -> Answer:
        """The answer that carries this error."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        error |= {name: text for name, text in (("code", self.code), ("param", self.param)) if text}
        if self.code:
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        return Answer(self.status, {"error": error})


def invalid(message: str, param: str = "", code: str = "") -> StripeError:
    """A 400 for a parameter that can't be used, or for something that can't be done."""
    return StripeError(400, message, code=code, param=param)


def missing(kind: str, id_: str, param: str) -> StripeError:
    """What Stripe says of an id that is not there: 404 for one in the address, 400 for one in a parameter."""
    status = 404 if param == "id" else 400
    return StripeError(status, f"No such {kind}: '{id_}'", code="resource_missing", param=param)


def fault(status: int, path: str) -> Answer:
    """What Stripe says when it fails by itself or has had enough; a 500 asks not to be tried again."""
    if status == 429:
        message = "Request rate limit exceeded. Learn more about rate limits at https://stripe.com/docs/rate-limits."
        return StripeError(429, message, code="rate_limit").answer()
    if status < 500:
        return StripeError(status, "The request could not be served.").answer()
    answer = StripeError(status, "An unknown error occurred", type_="api_error").answer()
    headers = (("stripe-should-retry", "false"),) if status == 500 else ()
    return Answer(status, answer.body, headers)
