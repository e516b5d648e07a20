"""What the bot's log says of errors: never with what would let a reader answer for the bot."""

from __future__ import annotations

import hikari
import pytest

from bot.gateway import reason_of

TOKEN = "aW50ZXJhY3Rpb246MTIwMDAwMDAwMDAwMDAwMDAwMQ"


@pytest.mark.parametrize(
    "path", [f"interactions/12/{TOKEN}/callback", f"webhooks/1/{TOKEN}/messages/@original"]
)
def test_no_token_of_an_interaction(path: str) -> None:
    url = f"https://discord.com/api/v10/{path}"
    error = hikari.NotFoundError(url=url, headers={}, raw_body=b"", message="Unknown interaction", code=10062)
    assert TOKEN in str(error)
    assert reason_of(error) == "404 10062"
    assert reason_of(hikari.HTTPError(f"no answer from {url}")) == "HTTPError"
