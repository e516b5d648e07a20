"""What the vendors received and answered, without the secrets."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from sandbox.state import Store
from sandbox.vendors import Answer

KEEP = 20_000
SECRETS = frozenset(
    {"access_token", "client_secret", "code_verifier", "id_token", "key", "refresh_token", "token"}
)
AT_VENDOR = {
    name: SECRETS | {"code"} for name in ("discord", "google")
}  # elsewhere a code is what an error or a discount is called
HEADERS = frozenset(
    {"content-type", "idempotency-key", "if-match", "if-none-match", "prefer", "stripe-version", "user-agent"}
)
HEADER_FAMILIES = ("x-goog-", "paypal-")


def redacted(secret: str) -> str:
    """A stand-in for a secret by which two uses of the same one can be recognised."""
    return f"[redacted {hashlib.sha256(secret.encode()).hexdigest()[:10]}]"


def without_secrets(value: Any, secrets: frozenset[str]) -> Any:
    """A copy of decoded JSON or form values in which members that carry secrets are redacted."""
    if isinstance(value, dict):
        return {
            name: redacted(item)
            if name in secrets and isinstance(item, str)
            else without_secrets(item, secrets)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(item, secrets) for item in value]
    return value


def clean_query(query: str, secrets: frozenset[str]) -> str:
    """The query string as it came, unless it carries a secret."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if not secrets.intersection(name for name, _ in pairs):
        return query
    return "&".join(
        f"{quote(name)}={quote(redacted(value) if name in secrets else value)}" for name, value in pairs
    )


def clean_headers(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers a test would ask about; of a credential only its scheme and a mark of its value."""
    kept: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in HEADERS or name.startswith(HEADER_FAMILIES):
            kept[name] = value
        elif name == "authorization":
            scheme, _, secret = value.partition(" ")
            kept[name] = f"{scheme} {redacted(secret)}"
    return kept


def decoded(body: bytes, content_type: str) -> Any:
    """The body as JSON, as a form's members, or as text; None if there is none."""
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return text


class Recorder:
    """The newest 20,000 requests of all vendors with their answers."""

    def __init__(self, store: Store) -> None:
        self._journal = store.journal("requests", KEEP)

    def add(
        self, vendor: str, scope: dict[str, Any], path: str, body: bytes, answer: Answer, note: str
    ) -> None:
        """Keep one exchange; `path` is the vendor's own, `note` says what chaos did to it."""
        headers, secrets = clean_headers(scope["headers"]), AT_VENDOR.get(vendor, SECRETS)
        entry = {
            "at": datetime.now(UTC).isoformat(),
            "vendor": vendor,
            "method": scope["method"],
            "path": path,
            "query": clean_query(scope["query_string"].decode("latin-1"), secrets),
            "headers": headers,
            "body": without_secrets(decoded(body, headers.get("content-type", "")), secrets),
            "status": answer.status,
            "answer": without_secrets(answer.body, secrets),
            "chaos": note,
        }
        self._journal.append(vendor, entry)

    def read(self, vendor: str = "", after: int = 0) -> list[dict[str, Any]]:
        """Recorded exchanges with an `id` above `after`, oldest first."""
        return self._journal.read(vendor, after)

    def clear(self) -> None:
        """Forget all of them."""
        self._journal.clear()
