"""The sandbox's front page: what is here, and business time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency

from sandbox.clock import BusinessClock
from sandbox.control.clock import Move, Mover
from sandbox.control.errors import ControlError
from sandbox.discord.service import Discord
from sandbox.google.service import Google
from sandbox.http import HttpRequest, HttpResponse, form, see_other
from sandbox.pages import Pages
from sandbox.paypal.service import PayPal
from sandbox.resend.service import Resend

STEPS = (
    ("PT1H", "1 hour"),
    ("P1D", "1 day"),
    ("P3D", "3 days"),
    ("P7D", "1 week"),
    ("P30D", "30 days"),
)


NEWEST = 5


@dataclass(frozen=True)
class Front:
    """What the page tells of."""

    clock: BusinessClock
    discord: Discord
    google: Google
    paypal: PayPal
    resend: Resend

    def values(self) -> dict[str, Any]:
        """What the template shows."""
        return {
            "now": self.clock.now(),
            "discord_messages": len(self.discord.messages),
            "ahead": self.clock.offset,
            "steps": STEPS,
            "people": [
                (person, self.google.accounts.calendars_of(person.address))
                for person in self.google.accounts.people.values()
            ],
            "mails": len(self.resend.mails),
            "paypal_orders": self.paypal.newest_orders(NEWEST),
        }


@get("/")
async def home(pages: NamedDependency[Pages], front: NamedDependency[Front]) -> HttpResponse:
    """The vendors' pages, and the form that advances business time."""
    return pages.show("home.html", problem="", **front.values())


@post("/clock")
async def advance(
    request: HttpRequest,
    pages: NamedDependency[Pages],
    mover: NamedDependency[Mover],
    front: NamedDependency[Front],
) -> HttpResponse:
    """Advance business time by the form's `advance`; shows the page again with the reason if that fails."""
    values = await form(request)
    try:
        await mover.move(Move(advance=values.get("advance", "").strip(), jump="jump" in values))
    except ControlError as error:
        return pages.show("home.html", error.status, problem=error.reason, **front.values())
    return see_other("/")


HANDLERS = [home, advance]
