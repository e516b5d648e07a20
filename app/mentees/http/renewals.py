"""`/instructor/students/{id}/renewal-request`: one click asks a mentee to renew."""

from __future__ import annotations

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor
from app.core.errors import Refused
from app.core.ids import parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, local_path, posted, see_other
from app.mentees import listing, relations, renewals


@post(listing.PATH + "/{student_id:str}/renewal-request", guards=[requires_mentor], include_in_schema=False)
async def ask(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    student_id: FromPath[str],
) -> Response[str]:
    """Ask, unless it was done today; `back`: where a page without scripts goes on."""
    id_ = parse_id(student_id)
    relation = await relations.one(uow, viewer.id, id_)
    back = local_path((await posted(request, "back"))["back"], f"{listing.PATH}/{id_}")
    refusal = None
    try:
        new = await renewals.ask(uow, id_)
        said = f"We have written to {relation.student_name}." if new else "You have asked today already."
        flash = Flash("done" if new else "note", said)
    except Refused as error:
        refusal, flash = error, Flash("problem", error.detail)
    if not is_htmx(request):
        return see_other(request, back, flash)
    return fragment(
        request,
        "mentees/_ask.html",
        status=refusal.status if refusal else 200,
        student={"id": id_, "name": relation.student_name},
        asked=refusal is None,
        refused=refusal.detail if refusal else None,
    )


HANDLERS: list[ControllerRouterHandler] = [ask]
