"""`GET /metrics`: the watchdog's reading for Prometheus, in its text format.

Read by programs on this computer; with METRICS_TOKEN set, by whoever shows it as a bearer token and nobody else. Every
value is read from the database, so that it doesn't matter which web process is asked.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Final

from litestar import Request, Response, get

from app.core import watchdog
from app.core.db import Database
from app.core.limits import address_of
from app.core.rls import ServiceDoor
from app.core.watchdog import Reading
from app.settings import Settings

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED: Final = ("forwarded", "x-forwarded-for")
Sample = tuple[Mapping[str, str], float]
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@get("/metrics", include_in_schema=False)
async def metrics(request: Request[Any, Any, Any]) -> Response[str]:
    """The reading as gauges."""
    settings: Settings = request.app.state.platform.settings
    if settings.metrics_token:
        if not _shows(request, settings.metrics_token):
            challenge = {"www-authenticate": 'Bearer realm="metrics"'}
            return Response("METRICS_TOKEN is asked for.\n", status_code=401, headers=challenge)
    elif not is_from_here(request):
        return Response("Only for programs on this computer; or set METRICS_TOKEN.\n", status_code=403)
    database: Database = request.app.state.database
    async with database.service(ServiceDoor.HEALTH) as uow:
        reading = await watchdog.read(uow)
    text = written(reading, timedelta(minutes=settings.alert_after_minutes))
    return Response(text, headers={"content-type": CONTENT_TYPE})


def _shows(request: Request[Any, Any, Any], token: str) -> bool:
    shown = request.headers.get("authorization", "")
    return hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())


def is_from_here(request: Request[Any, Any, Any]) -> bool:
    """True for a program on this computer that speaks for itself: what a proxy passes on comes from elsewhere."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(address_of(request.scope) or "").is_loopback
    except ValueError:
        return False


def written(reading: Reading, alert_after: timedelta) -> str:
    """The reading in Prometheus' text format, version 0.0.4."""
    swept = reading.swept_at.timestamp() if reading.swept_at else 0
    return "".join(
        [
            *_gauge(
                "workers_alive", "Workers that have spoken in the last seconds.", [({}, reading.workers)]
            ),
            *_gauge("last_sweep_timestamp_seconds", "When a relay last swept; 0: never.", [({}, swept)]),
            *_gauge("outbox_waiting_events", "Events that are due and not done.", [({}, reading.waiting)]),
            *_gauge(
                "outbox_oldest_age_seconds",
                "For how long the one that waits longest does (business time).",
                [({}, max(0.0, reading.waited.total_seconds()))],
            ),
            *_gauge(
                "sending_stuck",
                "1 while the oldest has waited for longer than ALERT_AFTER_MINUTES.",
                [({}, float(reading.is_stuck(alert_after)))],
            ),
            *_gauge(
                "outbox_dead_events",
                "Events that gave up and wait for an admin, by type.",
                [({"type": type_}, count) for type_, count in sorted(reading.dead.items())],
            ),
            *_gauge(
                "deliveries",
                "Messages under way (pending, sending), and failed, uncertain or skipped in the last 24 hours.",
                [
                    (
                        {"state": one.state, "kind": one.kind, "channel": one.channel, "reason": one.reason},
                        one.messages,
                    )
                    for one in reading.deliveries
                ],
            ),
        ]
    )


def _gauge(name: str, about: str, samples: Iterable[Sample]) -> Iterable[str]:
    yield f"# HELP mentorships_{name} {about}\n# TYPE mentorships_{name} gauge\n"
    for labels, value in samples:
        inner = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
        yield f"mentorships_{name}{f'{{{inner}}}' if inner else ''} {value:.17g}\n"


HANDLERS = [metrics]
