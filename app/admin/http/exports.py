"""`/admin/instructors/csv` and its twin below `/api`: every relation as a file, streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import get
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.admin import relations_csv
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest

FILE = "instructors-and-mentees.csv"
Uow = NamedDependency[UnitOfWork]
Words = Annotated[
    str, QueryParameter(description="only instructors whose name or e-mail holds this", max_length=100)
]
Bom = Annotated[
    bool, QueryParameter(description="begin with a byte order mark, for spreadsheets that look for one")
]


@get("/admin/instructors/csv", guards=[requires_admin], include_in_schema=False)
async def download(request: AppRequest, uow: Uow, q: Words = "", bom: Bom = False) -> Stream:
    """The file for a person."""
    return await _file(request, uow, q, bom)


@get(
    "/api/admin/instructors/csv",
    operation_id="admin_relations_csv",
    guards=[requires_admin],
    media_type="text/csv",
)
async def export(request: AppRequest, uow: Uow, q: Words = "", bom: Bom = False) -> Stream:
    """All instructor-mentee relations as CSV (RFC 4180, UTF-8, instants ISO 8601 in UTC)."""
    return await _file(request, uow, q, bom)


async def _file(request: AppRequest, uow: UnitOfWork, words: str, bom: bool) -> Stream:
    await uow.commit()  # the stream has a transaction of its own, which outlives the request's
    chunks = relations_csv.stream(request.app.state.database, uow.principal, words.strip(), bom=bom)

    first = await anext(chunks)  # what can't be asked is refused before the answer has begun

    async def whole() -> AsyncIterator[str]:
        yield first
        async for chunk in chunks:
            yield chunk

    async def close() -> None:
        await chunks.aclose()  # where the client went away it was left half read

    return Stream(
        whole(),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{FILE}"'},
        background=BackgroundTask(close),
    )


HANDLERS: list[ControllerRouterHandler] = [download, export]
