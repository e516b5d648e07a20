"""`/admin/onboarding`: students from before the platform, one by one or from a file: shown first, then brought over."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.accounts.http.common import service_door, settings_of
from app.admin import holdings
from app.admin.onboarding import file, service
from app.admin.onboarding.file import COLUMNS, Cells, Sheet
from app.admin.onboarding.plan import Report
from app.core.errors import Invalid
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, page, posted, see_other

PATH: Final = "/admin/onboarding"
LARGEST: Final = 4_000_000
"""Bytes of a form with a file of 1 MB in it, as text in whatever encoding."""
Uow = NamedDependency[UnitOfWork]
Form = dict[str, str]


@get(PATH, guards=[requires_admin], include_in_schema=False)
async def show(request: AppRequest, uow: Uow) -> Response[str]:
    """Both ways in."""
    return await _page(request, uow, {})


@get(PATH + "/sample", guards=[requires_admin], include_in_schema=False, sync_to_thread=False)
def sample() -> Response[str]:
    """A file to fill in."""
    headers = {"content-disposition": 'attachment; filename="students.csv"'}
    return Response(file.SAMPLE, media_type="text/csv; charset=utf-8", headers=headers)


@post(PATH, guards=[requires_admin], include_in_schema=False)
async def add_one(request: AppRequest, uow: Uow) -> Response[str]:
    """One student, from the form."""
    form = await posted(request, *COLUMNS)
    report = await _bring_over(request, uow, [Cells(1, form)])
    (line,) = report.lines
    if line.outcome == "wrong":
        errors = dict(line.fields) or {"form": line.said}
        return await _page(request, uow, form, errors, status=422)
    if line.outcome == "there":
        said = "This pack was imported before; nothing was changed. A reference tells two packs apart."
        return await _page(request, uow, form, {"form": said}, status=409)
    return see_other(request, PATH, Flash("done", f"{line.said} They have been written to."))


@post(PATH + "/preview", guards=[requires_admin], include_in_schema=False, request_max_body_size=LARGEST)
async def preview(request: AppRequest, uow: Uow) -> Response[str]:
    """What importing the file would do, row by row; nothing is kept."""
    upload = (await request.form()).get("file")
    content = await upload.read() if isinstance(upload, UploadFile) else b""
    try:
        sheet = file.read(content)
    except Invalid as error:
        return await _page(request, uow, {}, error.fields, status=422)
    report = await service.preview(uow, sheet.rows)
    return _report(request, sheet, report, 422 if report.count("wrong") else 200)


@post(PATH + "/import", guards=[requires_admin], include_in_schema=False, request_max_body_size=LARGEST)
async def bring_over(request: AppRequest, uow: Uow) -> Response[str]:
    """Import what was shown, looked at again; all of it or nothing."""
    text = (await posted(request, "text"))["text"]
    try:
        sheet = file.read_text(text)
    except Invalid as error:
        return await _page(request, uow, {}, error.fields, status=422)
    report = await _bring_over(request, uow, sheet.rows)
    if report.count("wrong"):
        return _report(request, sheet, report, 409)
    return see_other(request, PATH, Flash("done" if report.planned else "note", _said(report)))


async def _bring_over(request: AppRequest, uow: UnitOfWork, rows: list[Cells]) -> Report:
    async with service_door(request, ServiceDoor.ADMIN) as door:
        return await service.bring_over(door, settings_of(request), rows, by=uow.principal)


def _said(report: Report) -> str:
    new, there = report.count("new"), report.count("there")
    if not new:
        return "Every row was imported before: nothing was changed."
    said = f"{_many(new, 'pack')} imported"
    if report.accounts:
        said += f", {_many(report.accounts, 'account')} made"
    if there:
        said += f", {_many(there, 'row')} skipped that {'was' if there == 1 else 'were'} there already"
    return f"{said}. Students and instructors are being written to."


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


async def _page(
    request: AppRequest,
    uow: UnitOfWork,
    form: Form,
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response[str]:
    context: dict[str, Any] = {
        "form": form,
        "errors": errors or {},
        "mentors": await holdings.mentors(uow),
        "columns": COLUMNS,
        "most_rows": file.MOST_ROWS,
    }
    return page(request, "admin/onboarding.html", status=status, **context)


def _report(request: AppRequest, sheet: Sheet, report: Report, status: int) -> Response[str]:
    return page(
        request,
        "admin/onboarding_report.html",
        status=status,
        sheet=sheet,
        report=report,
        wrong=[line for line in report.lines if line.outcome == "wrong"],
    )


HANDLERS: list[ControllerRouterHandler] = [show, sample, add_one, preview, bring_over]
