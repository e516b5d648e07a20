"""`/instructor/students/{id}/notes`: kept while they are typed; another window's version is shown, not overwritten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor
from app.core.errors import Invalid
from app.core.ids import parse_id
from app.core.seen import digest
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, posted_all, see_other
from app.mentees import listing, notes, pages, relations
from app.mentees.notes import plain

PATH = listing.PATH + "/{student_id:str}/notes"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@post(PATH, guards=[requires_mentor], include_in_schema=False)
async def keep(request: AppRequest, uow: Uow, viewer: Me, student_id: FromPath[str]) -> Response[str]:
    """Keep what was typed; the form's protocol is that of a session's notes.

    `seen` names the version that the writer read, `tried` are texts that were sent before and got no answer, `keep` names
    the other version that is to be overwritten; `take`: drop what was typed.
    """
    id_ = parse_id(student_id)
    form = await posted(request, "body", "seen", "keep", "take")
    if form["take"]:
        return await _taken(request, uow, viewer, id_)
    tried = await posted_all(request, "tried")
    known = {form["seen"], form["keep"], *(digest(plain(text)) for text in tried)}
    try:
        kept = await notes.keep(uow, viewer.id, id_, form["body"], known)
    except (notes.NotesDiffer, Invalid) as error:
        await uow.rollback()
        return await _not_kept(request, uow, viewer, id_, form, error)
    if not is_htmx(request):
        return see_other(request, f"{listing.PATH}/{id_}#notes", Flash("done", "Notes saved."))
    return _state(request, 200, {**pages.notes_section(kept, viewer), "notes_saved": True})


async def _taken(request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: UUID) -> Response[str]:
    """The text as it is kept, in place of what was typed."""
    await relations.one(uow, viewer.id, id_)
    if not is_htmx(request):
        said = "The other version stays; yours was put aside."
        return see_other(request, f"{listing.PATH}/{id_}#notes", Flash("note", said))
    section = pages.notes_section(await notes.of(uow, viewer.id, id_), viewer)
    return fragment(request, "mentees/_notes_taken.html", **section)


async def _not_kept(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    id_: UUID,
    form: dict[str, str],
    error: notes.NotesDiffer | Invalid,
) -> Response[str]:
    """What stands in the way, with what was typed left alone."""
    section: dict[str, Any] = {"notes_errors": error.fields if isinstance(error, Invalid) else {}}
    if isinstance(error, notes.NotesDiffer):
        section |= {"theirs": error.theirs, "keep": digest(error.theirs.body)}
    section |= {"notes_form": {"body": form["body"]}, "seen": form["seen"], "zone": viewer.time_zone}
    if is_htmx(request):
        return _state(request, error.status, section)
    context = await pages.student(uow, viewer, id_, "1")
    return page(request, "mentees/student.html", status=error.status, **(context | section))


def _state(request: AppRequest, status: int, section: dict[str, Any]) -> Response[str]:
    """Only what stands below the text: the text itself may have grown while this was on its way."""
    return fragment(request, "mentees/_notes_state.html", status=status, **section)


HANDLERS: list[ControllerRouterHandler] = [keep]
