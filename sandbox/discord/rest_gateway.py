"""Where the gateway is."""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency

from sandbox.chaos import Chaos
from sandbox.discord.http import as_bot
from sandbox.discord.service import Discord
from sandbox.http import HttpRequest, HttpResponse, json_answer


def gateway_address(request: HttpRequest) -> str:
    """The gateway's address for whoever made this request."""
    scheme = "wss" if request.url.scheme == "https" else "ws"
    return f"{scheme}://{request.url.netloc}/discord/gateway"


@get("/gateway")
async def show_gateway(request: HttpRequest) -> HttpResponse:
    """The gateway's address."""
    return json_answer({"url": gateway_address(request)})


@get("/gateway/bot")
async def show_gateway_for_bot(
    request: HttpRequest, discord: NamedDependency[Discord], chaos: NamedDependency[Chaos]
) -> HttpResponse:
    """The gateway's address, and how many connections are advised."""
    leave = as_bot(request, discord, chaos, "gateway")
    starts = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return leave.answer({"url": gateway_address(request), "shards": 1, "session_start_limit": starts})


HANDLERS = [show_gateway, show_gateway_for_bot]
