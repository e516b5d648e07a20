"""Resend over HTTP: send a mail, look one up."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.chaos import Chaos
from sandbox.gate import PAUSE
from sandbox.http import HttpRequest, HttpResponse, json_answer
from sandbox.resend.errors import ResendError, unusable
from sandbox.resend.mails import Mail, check_key, checked
from sandbox.resend.service import Resend


def api_key(request: HttpRequest, chaos: Chaos) -> str:
    """The key of the Authorization header: any that begins like one. Raises ResendError 401 or 403."""
    header = request.headers.get("authorization", "")
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise ResendError(401, "missing_api_key", "Missing API Key")
    if not key.startswith("re_") or chaos.dial("resend").revoke:
        raise ResendError(403, "invalid_api_key", "API key is invalid")
    return key


async def wait(request: HttpRequest, chaos: Chaos) -> None:
    """Spend the latency that the chaos dial asks for."""
    scope: dict[str, Any] = dict(request.scope)
    await chaos.hold("resend", scope.get(PAUSE, 0.0))


@post("/emails", status_code=200)
async def send_email(
    request: HttpRequest, resend: NamedDependency[Resend], chaos: NamedDependency[Chaos]
) -> HttpResponse:
    """Take a mail. The chaos dial's latency is spent while the request holds its idempotency key."""
    account = api_key(request, chaos)
    key = check_key(request.headers.get("idempotency-key"))
    try:
        body: Any = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise unusable("The request body is not valid JSON.") from None
    known = resend.begin(account, key, body)
    if known:
        return json_answer({"id": known})
    try:
        await wait(request, chaos)
        mail = resend.finish(account, key, body, checked(body))
    finally:
        resend.abandon(account, key)
    return json_answer({"id": mail.id})


@get("/emails/{email_id:str}")
async def get_email(
    request: HttpRequest,
    resend: NamedDependency[Resend],
    chaos: NamedDependency[Chaos],
    email_id: FromPath[str],
) -> HttpResponse:
    """Look up a mail."""
    await wait(request, chaos)
    api_key(request, chaos)
    mail = resend.mails.get(email_id)
    if mail is None:
        raise ResendError(404, "not_found", "Email not found")
    return json_answer(shown(mail))


def shown(mail: Mail) -> dict[str, Any]:
    """The mail as Resend answers it; scheduled ones are never sent by themselves here."""
    body: dict[str, Any] = {
        "object": "email",
        "id": mail.id,
        "message_id": f"<{mail.id}@email.example.com>",
        "from": mail.sender,
        "to": mail.to,
        "cc": mail.cc,
        "bcc": mail.bcc,
        "reply_to": mail.reply_to,
        "subject": mail.subject,
        "created_at": mail.created_at,
        "last_event": "scheduled" if mail.scheduled_at else mail.last_event,
    }
    return body | {
        name: text for name, text in (("html", mail.html), ("text", mail.text)) if text is not None
    }


HANDLERS = [send_email, get_email]
