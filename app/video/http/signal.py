"""The room's socket. A browser's cookie says who comes, its `Origin` from which page; a token, said first, lets them in."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.authentication import SESSION_COOKIE
from app.core.errors import Forbidden, NotFound, Unauthenticated
from app.core.ids import parse_id
from app.core.limits import address_of
from app.core.sockets import comes_from_us, turn_away
from app.video import calls
from app.video.calls import Line, LineLost
from app.video.frames import Ending

Socket = WebSocket[Any, Any, Any]


@websocket("/sessions/{session_id:str}/signal")
async def signal(socket: Socket, session_id: FromPath[str]) -> None:
    """Serve one page for as long as it is in the room."""
    state = socket.app.state
    if not comes_from_us(socket.scope, state.platform.settings.public_url):
        await turn_away(socket.scope, socket.send, Forbidden("Only pages of this site open a room."))
        return
    if socket.scope.get("user") is None:
        await turn_away(socket.scope, socket.send, Unauthenticated())
        return
    try:
        id_ = parse_id(session_id)
    except NotFound as error:
        await turn_away(socket.scope, socket.send, error)
        return
    await socket.accept()
    line = Line(
        receive=lambda: _receive(socket),
        send=lambda text: _send(socket, text),
        secret=socket.cookies.get(SESSION_COOKIE),
        address=address_of(socket.scope),
    )
    await _end(socket, await calls.hold(state.database, state.rooms, id_, line))


async def _receive(socket: Socket) -> str:
    try:
        return await socket.receive_text()
    except WebSocketDisconnect as error:
        raise LineLost from error


async def _send(socket: Socket, text: str) -> None:
    try:
        await socket.send_text(text)
    except (WebSocketDisconnect, OSError) as error:
        raise LineLost from error


async def _end(socket: Socket, ending: Ending) -> None:
    """Say the last word and close; whoever is gone already needs neither."""
    try:
        if ending.frame is not None:
            await socket.send_text(msgspec.json.encode(ending.frame))
        await socket.close(ending.code)
    except (WebSocketDisconnect, OSError):
        return


HANDLERS: list[ControllerRouterHandler] = [signal]
