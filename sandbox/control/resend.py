"""Control calls that act at Resend, or as the post offices and people behind the addresses."""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from sandbox.control.errors import ControlError, body_of
from sandbox.http import HttpRequest, HttpResponse, json_answer
from sandbox.resend.events import FATES
from sandbox.resend.service import Resend


class FateWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of mails to an address from now on; "" lets them arrive."""

    address: str
    fate: str


class Happening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a mail now."""

    email_id: str
    fate: str


class Redelivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often to deliver all past events again, freshly signed."""

    times: int = 1


def _known(fate: str) -> str:
    if fate not in FATES:
        raise ControlError(400, f"fate={fate} is none of {', '.join(FATES)}")
    return fate


@get("/resend/addresses")
async def show_fates(resend: NamedDependency[Resend]) -> HttpResponse:
    """The addresses that something was decided about: {"items": [{address, fate}]}."""
    items = [{"address": address, "fate": fate} for address, fate in resend.fates.items()]
    return json_answer({"items": items})


@post("/resend/addresses", status_code=200)
async def set_fate(request: HttpRequest, resend: NamedDependency[Resend]) -> HttpResponse:
    """`{address, fate}`: what becomes of mails to an address from now on."""
    wish = await body_of(request, FateWish)
    resend.set_fate(wish.address, _known(wish.fate) if wish.fate else "")
    return json_answer({})


@post("/resend/events", status_code=200)
async def befall(request: HttpRequest, resend: NamedDependency[Resend]) -> HttpResponse:
    """`{email_id, fate}`: what becomes of a mail now; gives the event as it is told."""
    wish = await body_of(request, Happening)
    mail = resend.mails.get(wish.email_id)
    if mail is None:
        raise ControlError(404, f"there is no mail {wish.email_id}")
    resend.befall(mail, _known(wish.fate))
    return json_answer(msgspec.to_builtins(resend.events.told.values()[-1]))


@get("/resend/events")
async def show_events(resend: NamedDependency[Resend]) -> HttpResponse:
    """What was told, delivered or not, oldest first: {"items": [{id, email_id, type, body}]}."""
    return json_answer({"items": msgspec.to_builtins(resend.events.told.values())})


@post("/resend/redeliver", status_code=200)
async def redeliver(request: HttpRequest, resend: NamedDependency[Resend]) -> HttpResponse:
    """`{times}`: every past event again; {"deliveries": n}."""
    wish = await body_of(request, Redelivery)
    if not 1 <= wish.times <= 100:
        raise ControlError(400, "times is 1 to 100")
    events = resend.events.told.values() * wish.times
    for event in events:
        resend.events.deliver(event)
    return json_answer({"deliveries": len(events)})


@post("/resend/keys/expire", status_code=200)
async def expire_keys(resend: NamedDependency[Resend]) -> HttpResponse:
    """Let every idempotency key be forgotten, as after 24 hours."""
    return json_answer({"expired": resend.expire_keys()})


HANDLERS = [show_fates, set_fate, befall, show_events, redeliver, expire_keys]
