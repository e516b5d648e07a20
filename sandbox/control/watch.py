"""Control calls that look: requests, webhooks, the mailbox."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get
from litestar.di import NamedDependency

from sandbox.control.errors import ControlError, whole_number
from sandbox.http import HttpRequest, HttpResponse, json_answer
from sandbox.record import Recorder
from sandbox.resend.mails import Mail
from sandbox.resend.service import Resend
from sandbox.vendors import Vendor
from sandbox.webhooks import Courier

Vendors = dict[str, Vendor]


def vendor_asked(request: HttpRequest, vendors: Vendors) -> str:
    """The `vendor` parameter, empty for all. Raises ControlError 400 for one that is not here."""
    name = request.query_params.get("vendor") or ""
    if name and name not in vendors:
        raise ControlError(400, f"vendor={name} is none of {', '.join(vendors)}")
    return name


@get("/requests")
async def requests(
    request: HttpRequest, recorder: NamedDependency[Recorder], vendors: NamedDependency[Vendors]
) -> HttpResponse:
    """`?vendor=&after=`: {"items": [{id, at, vendor, method, path, query, headers, body, status, answer, chaos}]}."""
    items = recorder.read(vendor_asked(request, vendors), whole_number(request, "after"))
    return json_answer({"items": items})


@get("/webhooks")
async def webhooks(
    request: HttpRequest, courier: NamedDependency[Courier], vendors: NamedDependency[Vendors]
) -> HttpResponse:
    """`?vendor=&after=`: each attempt to deliver: {"items": [{id, at, vendor, url, headers, status, problem}]}."""
    items = courier.read(vendor_asked(request, vendors), whole_number(request, "after"))
    return json_answer({"items": items})


@get("/mailbox")
async def mailbox(request: HttpRequest, resend: NamedDependency[Resend]) -> HttpResponse:
    """`?to=`: every mail, oldest first, whole: attachments as base64 in `content`."""
    to = request.query_params.get("to") or ""
    return json_answer(
        {"items": [as_json(mail) for mail in resend.mails.values() if not to or to in mail.to]}
    )


def as_json(mail: Mail) -> dict[str, Any]:
    """A mail for programs; the sender is called `from`."""
    members: dict[str, Any] = msgspec.to_builtins(mail)
    return {"id": members.pop("id"), "from": members.pop("sender"), **members}


HANDLERS = [requests, webhooks, mailbox]
