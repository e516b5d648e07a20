"""`/settings/deletion`: leaving for good."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.accounts.guards import requires_user
from app.accounts.http.common import forget_browser
from app.accounts.themselves import require_themselves
from app.core.errors import Invalid, Refused
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other
from app.site import forgetting

GONE = "Your account is erased. Thank you for the time you spent here."
WRONG = "That isn't the address of this account."


@get("/settings/deletion", guards=[requires_user], include_in_schema=False, sync_to_thread=False)
def deletion_page(request: AppRequest) -> Response[str]:
    """Ask, with the address to be typed."""
    return _ask(request, 200)


@post("/settings/deletion", guards=[requires_user], include_in_schema=False)
async def delete(
    request: AppRequest, uow: NamedDependency[UnitOfWork], viewer: NamedDependency[Viewer]
) -> Response[str]:
    """Erase the account, if nothing is owed any more."""
    require_themselves(uow.principal)
    form = await posted(request, "confirmation")
    state = request.app.state
    try:
        _check(form["confirmation"], viewer)
        await uow.commit()
        await forgetting.leave(state.database, state.platform.google, uow.principal, viewer.id)
    except Invalid as error:
        return _ask(request, 422, form=form, errors=error.fields)
    except Refused as error:
        refusal = {
            "code": error.code,
            "title": "Not yet",
            "detail": error.detail,
            "next": "Nothing was erased.",
        }
        return _ask(request, error.status, form=form, refusal=refusal)
    return forget_browser(see_other(request, "/", Flash("done", GONE)))


def _check(confirmation: str, viewer: Viewer) -> None:
    if confirmation.strip().casefold() != viewer.email.casefold():
        raise Invalid({"confirmation": WRONG})


def _ask(request: AppRequest, status: int, **context: Any) -> Response[str]:
    shown = {"form": {}, "errors": {}, "refusal": None} | context
    if is_htmx(request):
        return fragment(request, "accounts/_delete.html", status=status, **shown)
    return page(request, "accounts/delete.html", status=status, **shown)


HANDLERS = [deletion_page, delete]
