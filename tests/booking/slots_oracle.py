"""The slot rules said again, slowly: every minute is looked at on the mentor's clock. No code of the engine.

Of the engine it takes only the two records that hold its input. Zones come from `zoneinfo`.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.booking.slots import Rules, Snapshot


def verdicts(
    rules: Rules, snapshot: Snapshot, now: int, start: int, end: int, tick: int = 60
) -> dict[int, str | None]:
    """Each candidate start in [start, end): None if offered, else the reason.

    Looks every `tick` seconds of UTC; that finds every wall minute while offsets are multiples of it.
    """
    first = -(-start // tick) * tick
    length = rules.length_minutes * 60
    zone = ZoneInfo(rules.time_zone)
    shown = {at: datetime.fromtimestamp(at, zone) for at in range(first, end + length, tick)}
    working = {at: is_working_time(rules, local) for at, local in shown.items()}
    found: dict[int, str | None] = {}
    for at in range(first, end, tick):
        local = shown[at]
        in_era = 1970 <= datetime.fromtimestamp(at, UTC).year <= 2100
        if in_era and local.second == 0 and (local.hour * 60 + local.minute) % rules.step_minutes == 0:
            inside = all(working[minute] for minute in range(at, at + length, tick))
            away = any(is_away(rules, shown[minute]) for minute in range(at, at + length, tick))
            found[at] = verdict(rules, snapshot, now, at, inside, away)
    return found


def is_working_time(rules: Rules, local: datetime) -> bool:
    """Does the mentor work at this moment of the local clock?"""
    minute = local.hour * 60 + local.minute
    if local.date() in rules.overrides:
        intervals = rules.overrides[local.date()]
    elif rules.hours is None:
        return True
    else:
        intervals = rules.hours.get(local.isoweekday(), ())
    return any(opens <= minute < closes for opens, closes in intervals)


def is_away(rules: Rules, local: datetime) -> bool:
    """Does the local clock show a day on which the mentor is away?"""
    return any(first <= local.date() <= last for first, last in rules.away)


def verdict(rules: Rules, snapshot: Snapshot, now: int, at: int, inside: bool, away: bool) -> str | None:
    """The first reason against a session from `at` on, None if there is none."""
    end = at + rules.length_minutes * 60
    blocked_from = at - rules.buffer_before_minutes * 60
    blocked_to = end + rules.buffer_after_minutes * 60
    if rules.hours is None and not rules.calendar_connected:
        return "no_hours"
    if away:
        return "away"
    if not inside:
        return "outside_hours"
    if at < now + rules.notice_minutes * 60:
        return "too_soon"
    if at >= now + rules.horizon_days * 24 * 60 * 60:
        return "too_far"
    if snapshot.valid_until is not None and at >= snapshot.valid_until:
        return "past_pack_end"
    if any(share_a_second((blocked_from, blocked_to), taken) for taken in snapshot.blocked):
        return "booked"
    if any(share_a_second((at, end), window) for window in snapshot.busy):
        return "busy"
    if any(share_a_second((blocked_from, blocked_to), window) for window in snapshot.busy):
        return "buffer"
    if any(share_a_second((at, end), session) for session in snapshot.own):
        return "own_session"
    return None


def share_a_second(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Is there a second that lies in both half-open spans?"""
    return max(one[0], other[0]) < min(one[1], other[1])
