"""The mailbox for people."""

from __future__ import annotations

import base64
import mimetypes
from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.http import HTML, HttpRequest, HttpResponse, form, see_other
from sandbox.pages import Pages
from sandbox.resend.events import FATES
from sandbox.resend.service import Resend

# A mail's own HTML: its styles, and pictures it carries in itself; no script, no forms, links open outside.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'self'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
PER_PAGE = 50


@get("/mailbox")
async def mailbox(
    request: HttpRequest, resend: NamedDependency[Resend], pages: NamedDependency[Pages]
) -> HttpResponse:
    """The newest mails first, those to one address with `?to=`, in pages of 50."""
    to, page = request.query_params.get("to") or "", request.query_params.get("page") or "1"
    number = int(page) if page.isdecimal() and 0 < int(page) < 10**6 else 1
    found = [mail for mail in reversed(resend.mails.values()) if not to or to in mail.to]
    return pages.show(
        "resend/mailbox.html",
        mails=found[PER_PAGE * (number - 1) : PER_PAGE * number],
        total=len(found),
        to=to,
        number=number,
        more=len(found) > PER_PAGE * number,
        people=sorted({person for mail in resend.mails.values() for person in mail.to}),
    )


@get("/mailbox/{mail_id:str}")
async def show_mail(
    resend: NamedDependency[Resend], pages: NamedDependency[Pages], mail_id: FromPath[str]
) -> HttpResponse:
    """One mail."""
    mail = resend.mails.get(mail_id)
    if mail is None:
        return pages.show("resend/missing.html", 404)
    return pages.show("resend/mail.html", mail=mail, fates=[resend.fate_of(address) for address in mail.to])


@get("/mailbox/{mail_id:str}/html")
async def show_html(
    resend: NamedDependency[Resend], pages: NamedDependency[Pages], mail_id: FromPath[str]
) -> HttpResponse:
    """The mail's HTML by itself, unable to run anything or to load anything from elsewhere."""
    mail = resend.mails.get(mail_id)
    if mail is None or mail.html is None:
        return pages.show("resend/missing.html", 404)
    content = f'<base target="_blank">{mail.html}'
    return Response(content, media_type=HTML, headers=_guarded(MAIL_POLICY))


@get("/mailbox/{mail_id:str}/attachments/{place:int}")
async def attachment(
    resend: NamedDependency[Resend],
    pages: NamedDependency[Pages],
    mail_id: FromPath[str],
    place: FromPath[int],
) -> Response[Any]:
    """An attached file, to be saved."""
    mail = resend.mails.get(mail_id)
    if mail is None or not 0 <= place < len(mail.attachments):
        return pages.show("resend/missing.html", 404)
    file = mail.attachments[place]
    kind = file.content_type or mimetypes.guess_type(file.filename)[0] or "application/octet-stream"
    headers = _guarded("default-src 'none'; sandbox")
    headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(file.filename)}"
    headers["content-type"] = kind if kind.isascii() and kind.isprintable() else "application/octet-stream"
    return Response(base64.b64decode(file.content), media_type=headers["content-type"], headers=headers)


def _guarded(policy: str) -> dict[str, str]:
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }


@post("/mailbox/{mail_id:str}/fate")
async def befall(
    request: HttpRequest,
    resend: NamedDependency[Resend],
    pages: NamedDependency[Pages],
    mail_id: FromPath[str],
) -> HttpResponse:
    """Let the mail come back, or its reader call it spam; with `always` every later one to that address, too."""
    mail, values = resend.mails.get(mail_id), await form(request)
    if mail is None or values.get("fate") not in FATES:
        return pages.show("resend/missing.html", 404)
    if "always" in values:
        for address in mail.to:
            resend.set_fate(address, values["fate"])
    resend.befall(mail, values["fate"])
    return see_other(f"/mailbox/{mail_id}")


HANDLERS = [mailbox, show_mail, show_html, attachment, befall]
