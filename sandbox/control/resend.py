"""Control calls that act at Resend."""

from __future__ import annotations

from litestar import post
from litestar.di import NamedDependency

from sandbox.http import HttpResponse, json_answer
from sandbox.resend.service import Resend


@post("/resend/keys/expire", status_code=200)
async def expire_keys(resend: NamedDependency[Resend]) -> HttpResponse:
    """Let every idempotency key be forgotten, as after 24 hours."""
    return json_answer({"expired": resend.expire_keys()})


HANDLERS = [expire_keys]
