"""What the picker says in words: why a time is closed, why a day is empty, how far the mentor's clock is ahead. Pure."""

from __future__ import annotations

from typing import Any

from whenever import Date, ZonedDateTime

from app.booking import dates, rules
from app.booking.offers import REVOKED, Offers, instant
from app.booking.situation import MentorView
from app.packs.models import PackStatus


def closed_sentence(reason: str, mentor: MentorView) -> str:
    """Why a time with this mentor is closed."""
    sentences = {
        "no_hours": f"{mentor.name} has no hours set yet.",
        "away": f"{mentor.name} is away.",
        "outside_hours": f"Outside {mentor.name}’s hours.",
        "too_soon": f"Too soon: {mentor.name} needs {_hours(mentor.notice_minutes)} of notice.",
        "too_far": f"More than {mentor.horizon_days} days ahead.",
        "past_pack_end": "After your pack ends.",
        "booked": "Somebody has this time, or it is too close to theirs.",
        "busy": f"{mentor.name} is busy then.",
        "buffer": f"{mentor.name} needs a break around another appointment.",
        "own_session": "You have a session then.",
        REVOKED: f"{mentor.name}’s calendar is disconnected.",
    }
    return sentences[reason]


def nothing_left(date: Date, today: Date, last: Date, offers: Offers, reasons: set[str]) -> str:
    """Why a day without free times has none, if it is about the whole day; `reasons`: those of its times."""
    if date < today:
        return "This day is over."
    if date > last:
        return f"{offers.mentor.name} opens times {offers.mentor.horizon_days} days ahead."
    if reasons == {"away"}:
        return f"{offers.mentor.name} is away."
    return "No times are left on this day."


def unavailable(offers: Offers) -> dict[str, str] | None:
    """Why this mentor has no times at all."""
    mentor = offers.mentor
    if offers.revoked:
        detail = "Their calendar is disconnected, so free times can’t be checked. We have asked them to reconnect it."
        return {"title": f"{mentor.name} can’t be booked for the moment", "detail": detail}
    if mentor.rules.never_open:
        detail = "Free times will be here as soon as there are any."
        return {"title": f"{mentor.name} has no hours set yet", "detail": detail}
    return None


def zone_note(offers: Offers, zone: str, date: Date) -> str | None:
    """How far the mentor's clock is ahead of the viewer's on that date; None if it isn't."""
    noon = sum(dates.bounds(date, zone)) // 2
    there = dates.zoned(noon, offers.mentor.time_zone).offset.total("minutes")
    minutes = round(there - dates.zoned(noon, zone).offset.total("minutes"))
    if minutes == 0:
        return None
    return f"{_city(offers.mentor.time_zone)} is {_hours(abs(minutes))} {'ahead of' if minutes > 0 else 'behind'} you."


def spoken_day(date: Date, free: int, *, today: bool) -> str:
    """`Tuesday 24 November, today, 5 free times`."""
    times = "1 free time" if free == 1 else f"{free or 'no'} free times"
    return f"{dates.label(date)}, {'today, ' if today else ''}{times}"


def wall_time(local: ZonedDateTime) -> str:
    """`14:30`."""
    return f"{local.hour:02}:{local.minute:02}"


def rfc3339(local: ZonedDateTime) -> str:
    """The instant as programs write it, in UTC."""
    return local.to_instant().format_iso()


def elsewhere(here: ZonedDateTime, there: ZonedDateTime, zone: str) -> str | None:
    """`19:30 in Lisbon`, with the weekday where it is another day there; None where the zone is the same."""
    if here.tz_id == zone:
        return None
    weekday = (
        "" if here.date() == there.date() else f" {dates.WEEKDAYS[there.date().day_of_week().value - 1][0]}"
    )
    return f"{wall_time(there)}{weekday} in {_city(zone)}"


def repeated_note(local: ZonedDateTime, zone: str) -> str | None:
    """Which of the two it is, where the clock shows this time twice."""
    if not local.is_repeated():
        return None
    first = local.to_plain().assume_tz(zone, disambiguation="earlier")
    which = "first" if local.strict_eq(first) else "second"
    return f"the {which} {local.hour:02}:{local.minute:02}, as the clock goes back"


def balance(offers: Offers) -> dict[str, Any]:
    """The context of booking/_balance.html: the packs that still count together, or the last one."""
    packs = offers.situation.packs
    live = [
        pack
        for pack in packs
        if pack.expires_at > offers.now and pack.status in (PackStatus.ACTIVE, PackStatus.DEPLETED)
    ]
    shown = live or sorted(packs, key=lambda pack: pack.purchased_at)[-1:]
    paying = rules.usable(shown, offers.now)
    seat, refusal = offers.situation.seat, offers.refusal
    ends = min((pack.expires_at for pack in paying or shown), default=None)
    return {
        "remaining": sum(pack.remaining for pack in shown),
        "scheduled": sum(pack.scheduled for pack in shown),
        "total": sum(pack.total for pack in shown),
        "expires_at": instant(ends) if ends else None,
        "seat_status": seat.status if seat else None,
        "seat_expires_at": instant(seat.expires_at) if seat and seat.expires_at else None,
        "blocked": {"title": refusal.title, "detail": refusal.detail} if refusal else None,
        "packs": [{"id": pack.id, "expires_at": instant(pack.expires_at)} for pack in shown],
    }


def _city(zone: str) -> str:
    """`New York` of `America/New_York`."""
    return zone.rpartition("/")[2].replace("_", " ")


def _hours(minutes: int) -> str:
    """`24 hours`, `1 hour`, `5 h 30 min`, `45 minutes`."""
    hours, rest = divmod(minutes, 60)
    if rest == 0:
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{hours} h {rest} min" if hours else f"{rest} minutes"
