"""Pages and endpoints over HTTP, each beside the bare page, the two taking turns: `python -m bench http`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import uvloop

from app.accounts.authentication import SESSION_COOKIE
from app.core.templating import iso
from bench import load
from bench.audience import Audience
from bench.load import Tally, UnexpectedAnswer
from bench.people import DAYS, Looker, Pair
from bench.result import Effort, Result, compared, say
from bench.stage import Stage

PLATFORM, BARE = "app.asgi:create_app", "bench.bare:create_app"


@dataclass(frozen=True)
class Measure:
    """Requests of one kind, as many as wanted, and the status that each must be answered with."""

    name: str
    requests: Callable[[], Iterator[bytes]]
    expected: int = 200


def measures(audience: Audience) -> list[Measure]:
    """What is measured."""
    looker = audience.looker
    day = (audience.now + timedelta(days=7)).date()
    return [
        Measure(
            f"GET /api/mentors/{{id}}/availability, {DAYS} days", lambda: _availability(looker, audience.now)
        ),
        Measure("GET /calendar, a day's fragment", _again(_calendar(looker, f"day={day:%Y-%m-%d}"))),
        Measure("GET /calendar, a month's fragment", _again(_calendar(looker, f"month={day:%Y-%m}"))),
        Measure("POST /api/sessions", lambda: map(_booking, audience.hours.over(audience.pairs)), 201),
    ]


def run(stage: Stage, audience: Audience, effort: Effort) -> Iterator[Result]:
    """One result a measure and concurrency: answers a second beside the bare page's.

    Raises load.UnexpectedAnswer where any answer isn't what the measure is about.
    """
    bare = Measure("bare", _again(load.get(f"/users/{audience.looker.student_id}")))
    with stage.web(PLATFORM) as platform, stage.web(BARE) as yardstick:
        for measure in measures(audience):
            for concurrency in effort.concurrencies:
                try:
                    yield _beside((platform, measure), (yardstick, bare), concurrency, effort)
                except UnexpectedAnswer as error:
                    raise UnexpectedAnswer(f"{measure.name}: {error}\n{stage.said(PLATFORM)}") from error


def _beside(ours: tuple[int, Measure], bare: tuple[int, Measure], concurrency: int, effort: Effort) -> Result:
    """Warm both up, then let them take turns."""
    for port, measure in (ours, bare):
        _ask(port, measure, concurrency, effort.warm_up)
    values, baselines = [], []
    for _ in range(effort.rounds):
        values.append(_ask(*ours, concurrency, effort.seconds))
        baselines.append(_ask(*bare, concurrency, effort.seconds))
    name = ours[1].name
    say(f"{name}, {concurrency} connections: {_medians(values)}; bare {_medians(baselines)}")
    return compared(
        name,
        "requests/s",
        [tally.per_second for tally in values],
        [tally.per_second for tally in baselines],
        n=sum(tally.count for tally in values),
        concurrency=concurrency,
    )


def _ask(port: int, measure: Measure, concurrency: int, seconds: float) -> Tally:
    asking = load.run(
        port, measure.requests(), expected=measure.expected, connections=concurrency, seconds=seconds
    )
    return uvloop.run(asking)


def _medians(tallies: Sequence[Tally]) -> str:
    return " ".join(f"{tally.median_ms:.1f}" for tally in tallies) + " ms"


def _availability(looker: Looker, now: datetime) -> Iterator[bytes]:
    """Each a second later than the one before, as the window moves on with those who ask."""
    for seconds in itertools.count():
        start = now + timedelta(seconds=seconds)
        window = f"start={iso(start)}&end={iso(start + timedelta(days=DAYS))}"
        yield load.get(f"/api/mentors/{looker.mentor_id}/availability?{window}", _bearer(looker.token))


def _calendar(looker: Looker, shown: str) -> bytes:
    cookies = f"{SESSION_COOKIE}={looker.cookie}; csrftoken={looker.csrf_token}"
    headers = {"cookie": cookies, "hx-request": "true"}
    return load.get(f"/calendar?mentor_id={looker.mentor_id}&{shown}", headers)


def _booking(wish: tuple[Pair, datetime]) -> bytes:
    pair, start = wish
    headers = {**_bearer(pair.token), "content-type": "application/json"}
    body = {"mentor_id": str(pair.mentor_id), "start": iso(start)}
    return load.post("/api/sessions", headers, json.dumps(body).encode())


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _again(request: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.repeat(request)
