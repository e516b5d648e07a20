"""The sandbox's front page: what is here, and business time."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency

from sandbox.clock import BusinessClock
from sandbox.control.clock import Move, Mover
from sandbox.control.errors import ControlError
from sandbox.google.service import Google
from sandbox.http import HttpRequest, HttpResponse, form, see_other
from sandbox.pages import Pages
from sandbox.resend.service import Resend

STEPS = (
    ("PT1H", "1 hour"),
    ("P1D", "1 day"),
    ("P3D", "3 days"),
    ("P7D", "1 week"),
    ("P30D", "30 days"),
)


@get("/")
async def home(
    pages: NamedDependency[Pages],
    clock: NamedDependency[BusinessClock],
    google: NamedDependency[Google],
    resend: NamedDependency[Resend],
) -> HttpResponse:
    """The vendors' pages, and the form that advances business time."""
    return _home(pages, clock, google, resend)


@post("/clock")
async def advance(
    request: HttpRequest,
    pages: NamedDependency[Pages],
    clock: NamedDependency[BusinessClock],
    mover: NamedDependency[Mover],
    google: NamedDependency[Google],
    resend: NamedDependency[Resend],
) -> HttpResponse:
    """Advance business time by the form's `advance`; shows the page again with the reason if that fails."""
    values = await form(request)
    try:
        await mover.move(Move(advance=values.get("advance", "").strip(), jump="jump" in values))
    except ControlError as error:
        return _home(pages, clock, google, resend, error.reason, error.status)
    return see_other("/")


def _home(
    pages: Pages, clock: BusinessClock, google: Google, resend: Resend, problem: str = "", status: int = 200
) -> HttpResponse:
    return pages.show(
        "home.html",
        status,
        now=clock.now(),
        ahead=clock.offset,
        steps=STEPS,
        problem=problem,
        people=[
            (person, google.accounts.calendars_of(person.address))
            for person in google.accounts.people.values()
        ],
        mails=len(resend.mails),
    )


HANDLERS = [home, advance]
