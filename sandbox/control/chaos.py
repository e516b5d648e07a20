"""Control calls of the chaos dial."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from sandbox.chaos import Chaos, Dial
from sandbox.control.errors import ControlError, body_of
from sandbox.control.watch import Vendors, vendor_asked
from sandbox.discord.gateway import Gateway
from sandbox.google.service import Google
from sandbox.http import HttpRequest, HttpResponse, json_answer


@get("/chaos")
async def dials(chaos: NamedDependency[Chaos], vendors: NamedDependency[Vendors]) -> HttpResponse:
    """Every vendor's dial: {"google": {…}, "resend": {…}}."""
    return json_answer({name: chaos.dial(name) for name in vendors})


@post("/chaos", status_code=200)
async def turn(
    request: HttpRequest,
    chaos: NamedDependency[Chaos],
    gateway: NamedDependency[Gateway],
    google: NamedDependency[Google],
    vendors: NamedDependency[Vendors],
) -> HttpResponse:
    """Replace dials: `{"google": {…}}`, `{"vendor": "google", …}`, or `?vendor=google` with `{…}`.

    `{}` resets: every vendor, or the one that is named.
    """
    wanted = _by_vendor(await body_of(request, dict[str, Any]), vendor_asked(request, vendors), vendors)
    dials = {name: _dial(name, settings) for name, settings in wanted.items()}
    for name, dial in dials.items():
        if dial == Dial():
            chaos.calm(name)
        else:
            chaos.turn(name, dial)
        if name == "google" and dial.revoke:
            google.revoke("" if dial.revoke is True else dial.revoke)
        if name == "discord" and dial.revoke:
            gateway.refuse_all()
    return json_answer({name: chaos.dial(name) for name in vendors})


def _by_vendor(body: dict[str, Any], named: str, vendors: Vendors) -> dict[str, Any]:
    if "vendor" in body:
        named = body.pop("vendor")
        if not isinstance(named, str) or named not in vendors:
            raise ControlError(400, f"vendor {named!r} is none of {', '.join(vendors)}")
    if named:
        return {named: body}
    if not body:
        return {name: {} for name in vendors}
    unknown = sorted(body.keys() - vendors.keys())
    if unknown:
        raise ControlError(400, f"{unknown[0]!r} is none of the vendors {', '.join(vendors)}")
    return body


def _dial(name: str, settings: Any) -> Dial:
    try:
        return msgspec.convert(settings, Dial)
    except msgspec.ValidationError as error:
        raise ControlError(400, f"{name}: {error}") from error


HANDLERS = [dials, turn]
