"""Errors of control calls, and reading their bodies."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from sandbox.http import HttpRequest

T = TypeVar("T")


class ControlError(Exception):
    """A control call that can't be carried out; the reason is told to the caller."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def body_of(request: HttpRequest, kind: type[T]) -> T:
    """The JSON body as `kind`. Raises ControlError 400 saying what is wrong with it."""
    raw = await request.body()
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ControlError(400, str(error)) from error


def whole_number(request: HttpRequest, name: str) -> int:
    """A query parameter as a number of 0 or more, 0 if it is missing. Raises ControlError 400."""
    text = request.query_params.get(name) or "0"
    if not text.isdecimal():
        raise ControlError(400, f"{name}={text} is no whole number")
    return int(text)
