"""Whatever happens in the mentor's calendar: mirror and live check say what Google's free/busy says.

`MIRROR_EXAMPLES` sets how many histories are tried.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.calendars import service
from app.calendars.google import SCOPES, Google
from app.core import clock
from app.core.db import Database
from tests.calendars.happenings import ZONES, Twins, happen, rfc
from tests.calendars.world import Span, World
from tests.cast import Cast
from tests.sandbox.google import calendar, connected
from tests.support.sandbox import RunningSandbox

# Summer time begins or ends somewhere in the weeks after each of them.
TODAYS = (datetime(2027, 3, 9, 13, 20, tzinfo=UTC), datetime(2027, 10, 1, 6, 5, tzinfo=UTC))
SEEN = timedelta(days=60)


def merged(spans: Iterable[Span], window: Span) -> list[Span]:
    """The spans within the window, cut to it, overlapping and adjoining ones joined."""
    found: list[Span] = []
    for start, end in sorted((max(a, window[0]), min(b, window[1])) for a, b in spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def truth(sandbox: RunningSandbox, twin: str, window: Span) -> list[Span]:
    """What Google's free/busy says about the twin, asked with Google's own client."""
    body = {"timeMin": rfc(window[0]), "timeMax": rfc(window[1]), "items": [{"id": twin}]}
    answer = calendar(sandbox, connected(sandbox, twin)).freebusy().query(body=body).execute()
    busy = answer["calendars"][twin]["busy"]
    return [(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])) for one in busy]


async def arrange(world: World, zone: str, today: datetime) -> Twins:
    """Two empty calendars in the zone, the first one connected."""
    control = world.sandbox.control
    address, twin = f"mentor-{uuid4().hex}@example.test", f"twin-{uuid4().hex}@example.test"
    for one in (address, twin):
        control.account(one, time_zone=zone)
    tokens = world.sandbox.google_tokens(address, SCOPES)
    await service.connect(
        world.database,
        world.google,
        world.mentor_id,
        google_email=address,
        refresh_token=tokens["refresh_token"],
        scopes=tokens["scope"].split(),
    )
    return Twins(control, address, twin, today)


@settings(
    max_examples=int(os.environ.get("MIRROR_EXAMPLES", "15")),
    deadline=None,
    phases=(Phase.generate,),  # each example talks to Google and the database: shrinking would take minutes
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data(), zone=st.sampled_from(ZONES), today=st.sampled_from(TODAYS))
async def test_the_mirror_equals_free_busy(
    database: Database,
    google: Google,
    sandbox: RunningSandbox,
    cast: Cast,
    data: st.DataObject,
    zone: str,
    today: datetime,
) -> None:
    world = World(database, google, sandbox, cast)
    with clock.standing_at(today):
        twins = await arrange(world, zone, today)
        window = today, today + SEEN
        for _ in range(3):
            for _ in range(data.draw(st.sampled_from((2, 4, 6)), label="happenings")):
                happen(data, twins)
            if data.draw(st.booleans(), label="token too old"):
                sandbox.control.call("POST", f"/google/calendars/{twins.address}/stale")
            hour = today + timedelta(hours=data.draw(st.integers(0, 1400), label="hour looked at live"))
            glance = hour, hour + timedelta(hours=2)
            live = await world.busy_live(*glance)
            assert merged(live, glance) == truth(sandbox, twins.twin, glance)
            await world.mirror(full=data.draw(st.booleans(), label="full"))
            windows = await world.windows()
            assert merged(windows.values(), window) == truth(sandbox, twins.twin, window)
