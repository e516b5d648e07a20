"""The rules for a mail's members, as Resend applies them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from sandbox.resend.errors import ResendError, unusable

MEMBERS = frozenset(
    [
        "from",
        "to",
        "subject",
        "cc",
        "bcc",
        "reply_to",
        "html",
        "text",
        "headers",
        "attachments",
        "tags",
        "scheduled_at",
        "topic_id",
        "template",
    ]
)
ATTACHMENT_MEMBERS = frozenset({"content", "filename", "path", "content_type", "content_id"})
TOTAL_BYTES = 40 * 1024 * 1024
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_BARE = r"[^\s@<>,\"]+@[^\s@<>,\"]+"
_ADDRESS = re.compile(rf"{_BARE}|[^<>]*<{_BARE}>")
_FORMAT = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."


class Attachment(msgspec.Struct, frozen=True):
    """A file in a mail; `content` is base64, empty when only a `path` was given."""

    filename: str
    content_type: str
    content: str
    path: str = ""
    content_id: str = ""


class Mail(msgspec.Struct, frozen=True):
    """A mail that was accepted. `created_at` and `scheduled_at` are machine time, ISO 8601."""

    id: str
    sender: str
    to: list[str]
    subject: str
    created_at: str
    idempotency_key: str
    cc: list[str] = []
    bcc: list[str] = []
    reply_to: list[str] = []
    html: str | None = None
    text: str | None = None
    headers: dict[str, str] = {}
    tags: list[dict[str, str]] = []
    attachments: list[Attachment] = []
    scheduled_at: str = ""
    last_event: str = "delivered"


def checked(body: Any) -> dict[str, Any]:
    """The members of a `Mail` that a request carries. Raises ResendError 422 naming what is wrong."""
    if not isinstance(body, dict):
        raise unusable("The request body must be a JSON object.")
    unknown = sorted(body.keys() - MEMBERS)
    if unknown:
        raise unusable(f"Unknown field `{unknown[0]}`.")
    if "template" in body or "topic_id" in body:
        raise unusable("There are no templates and no topics in this account.", "not_found")
    for name in ("from", "to", "subject"):
        if not body.get(name):
            raise unusable(f"Missing `{name}` field.", "missing_required_field")
    if not body.get("html") and not body.get("text"):
        raise unusable("Missing `html` or `text` field.", "missing_required_field")
    for name in ("from", "subject", "html", "text", "scheduled_at"):
        if not isinstance(body.get(name), str | None):
            raise unusable(f"The `{name}` field must be a `string`.")
    return {
        "sender": _sender(body["from"]),
        "to": _people(body, "to"),
        "cc": _people(body, "cc"),
        "bcc": _people(body, "bcc"),
        "reply_to": _people(body, "reply_to"),
        "subject": _one_line(body["subject"]),
        "html": body.get("html"),
        "text": body.get("text"),
        "headers": _headers(body.get("headers")),
        "tags": _tags(body.get("tags")),
        "attachments": _attachments(body.get("attachments")),
        "scheduled_at": body.get("scheduled_at") or "",
    }


def _sender(address: str) -> str:
    if not _ADDRESS.fullmatch(address.strip()):
        raise unusable(f"Invalid `from` field. {_FORMAT}", "invalid_from_address")
    return address


def _people(body: dict[str, Any], name: str) -> list[str]:
    given = body.get(name) or []
    people = [given] if isinstance(given, str) else given
    if not isinstance(people, list) or not all(isinstance(person, str) for person in people):
        raise unusable(f"The `{name}` field must be a `string` or an `array` of strings.")
    if len(people) > 50:
        raise unusable(f"The `{name}` field can have at most 50 addresses.")
    if not all(_ADDRESS.fullmatch(person.strip()) for person in people):
        raise unusable(f"Invalid `{name}` field. {_FORMAT}")
    return people


def _one_line(subject: str) -> str:
    if "\n" in subject or "\r" in subject:
        raise unusable("The `\\n` is not allowed in the `subject` field.")
    return subject


def _headers(headers: Any) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise unusable("The `headers` field must be an `object` of strings.")
    if any("\n" in part or "\r" in part for pair in headers.items() for part in pair):
        raise unusable("Line breaks are not allowed in the `headers` field.")
    return headers


def _tags(tags: Any) -> list[dict[str, str]]:
    if tags is None:
        return []
    if not isinstance(tags, list):
        raise unusable("The `tags` field must be an `array`.")
    for tag in tags:
        if not isinstance(tag, dict) or tag.keys() != {"name", "value"}:
            raise unusable("Tags should have a `name` and a `value`.")
        if not all(isinstance(part, str) and _TAG.fullmatch(part) for part in tag.values()):
            raise unusable(
                "Tags should only contain ASCII letters, numbers, underscores, or dashes, at most 256 of them."
            )
    return tags


def _attachments(files: Any) -> list[Attachment]:
    if files is None:
        return []
    if not isinstance(files, list):
        raise unusable("The `attachments` field must be an `array`.")
    kept = [_attachment(file) for file in files]
    if sum(len(file.content) for file in kept) > TOTAL_BYTES:
        raise unusable("The attachments are larger than 40 MB.", "invalid_attachment")
    return kept


def _attachment(file: Any) -> Attachment:
    if not isinstance(file, dict) or not (file.get("content") or file.get("path")):
        raise unusable("Attachment must have either a `content` or `path`.", "invalid_attachment")
    unknown = sorted(file.keys() - ATTACHMENT_MEMBERS)
    if unknown:
        raise unusable(f"Unknown field `{unknown[0]}` in an attachment.", "invalid_attachment")
    if file.get("content") and not file.get("filename"):
        raise unusable("Attachment must have a `filename`.", "invalid_attachment")
    return Attachment(
        filename=str(file.get("filename") or file["path"].rsplit("/", 1)[-1]),
        content_type=str(file.get("content_type") or ""),
        content=_base64(file.get("content")),
        path=str(file.get("path") or ""),
        content_id=str(file.get("content_id") or ""),
    )


def _base64(content: Any) -> str:
    """Base64 of the content, which comes as that or as a list of bytes. Raises ResendError 422."""
    if content is None:
        return ""
    try:
        if isinstance(content, list):
            return base64.b64encode(bytes(content)).decode()
        base64.b64decode(content, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise unusable("The attachment's `content` is no base64.", "invalid_attachment") from None
    return str(content)


def check_key(key: str | None) -> str:
    """An Idempotency-Key header, empty if there is none. Raises ResendError 400."""
    if key is not None and not 1 <= len(key) <= 256:
        raise ResendError(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
    return key or ""
