"""The JSON interface of the video room: its tokens. Instants are RFC 3339 in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_user
from app.core.ids import identifier
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest
from app.video import tokens
from app.video.tokens import CallToken, Video


class CallProblem(msgspec.Struct, frozen=True):
    """Why the room isn't open for the asker (RFC 9457); `opens_at` where it will be."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    opens_at: datetime | msgspec.UnsetType = msgspec.UNSET


_REFUSALS: Final = {
    status: ResponseSpec(CallProblem, description=text, media_type="application/problem+json")
    for status, text in {
        400: "no id of a session",
        401: "nobody is signed in",
        403: "`not_yours`: not one of the two, or there is no such session",
        409: "`canceled`, `not_scheduled`, `no_session_left`, `too_early`, `too_late`",
    }.items()
}


@post(
    "/api/video/{session_id:str}/token",
    operation_id="video_token",
    guards=[requires_user],
    status_code=201,
    responses=_REFUSALS,
)
async def issue(
    request: AppRequest, uow: NamedDependency[UnitOfWork], session_id: FromPath[str]
) -> CallToken:
    """A token for the video room of a session of one's own; every coming in needs a new one."""
    video: Video = request.app.state.platform.video
    return await tokens.issue(uow, video, identifier(session_id))


HANDLERS: list[ControllerRouterHandler] = [issue]
