"""The sections of `/instructor/settings` as their templates take them: as saved, or as posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whenever import Date, Instant, Time

from app.calendars import service as calendars
from app.core.templating import day_in
from app.core.unit_of_work import UnitOfWork
from app.core.web import Viewer
from app.core.zones import zone_choices
from app.mentors import rules
from app.mentors import service as mentors
from app.mentors.hours import WallInterval
from app.mentors.rules import Availability, Form, Override
from app.settings import Settings
from app.site.offer_preview import preview

Section = dict[str, Any]


async def whole_page(uow: UnitOfWork, settings: Settings, viewer: Viewer) -> Section:
    """Every section as saved, with the preview."""
    saved = await mentors.settings(uow, viewer.id)
    return {
        "mentor": {"slug": saved.slug, "name": viewer.name},
        **await google_section(uow, settings, viewer),
        **availability_section(saved.availability),
        **overrides_section(saved.overrides),
        **profile_section(saved),
        "preview": await preview(uow, viewer.id),
    }


async def google_section(uow: UnitOfWork, settings: Settings, viewer: Viewer) -> Section:
    """The card of the Google Calendar."""
    return {"google": await calendars.card(uow, settings, viewer.id), "zone": viewer.time_zone}


def availability_section(saved: Availability) -> Section:
    """The form of hours and rules as saved."""
    hours = saved.hours or {}
    days = [
        {"key": key, "name": key.title(), "intervals": [shown(pair) for pair in hours.get(number, [])]}
        for number, key in enumerate(rules.DAYS, 1)
    ]
    form = {name: getattr(saved, name) for name in ("time_zone", *rules.NUMBERS)}
    return {"form": form, "days": days, "zones": zone_choices()}


def posted_availability(form: Form) -> Section:
    """The form of hours and rules as it was posted, right or wrong."""
    days = [
        {"key": key, "name": key.title(), "intervals": _posted(form, f"{key}_start", f"{key}_end")}
        for key in rules.DAYS
    ]
    fields = {name: rules.first(form, name) for name in ("time_zone", *rules.NUMBERS)}
    return {"form": fields, "days": days, "zones": zone_choices()}


def overrides_section(overrides: Sequence[Override]) -> Section:
    """The days that differ."""
    return {
        "overrides": [
            {
                "date": override.date.isoformat(),
                "label": _label(override),
                "closed": not override.intervals,
                "intervals": [shown(pair) for pair in override.intervals],
            }
            for override in overrides
        ]
    }


def posted_override(form: Form) -> Section:
    """The form of a day that differs, as it was posted."""
    fields = {
        "date": rules.first(form, "date"),
        "closed": rules.first(form, "closed"),
        "intervals": _posted(form, "start", "end"),
    }
    return {"override_form": fields}


def profile_section(saved: mentors.Settings) -> Section:
    """The form of seats and introduction as saved."""
    form = {
        "headline": saved.profile.headline,
        "bio": saved.profile.bio,
        "max_active_students": str(saved.profile.max_active_students),
    }
    return {"profile_form": form, "seats_used": saved.seats_used}


def posted_profile(form: Form) -> Section:
    """The form of seats and introduction as it was posted."""
    return {
        "profile_form": {name: rules.first(form, name) for name in ("headline", "bio", "max_active_students")}
    }


def shown(interval: WallInterval) -> Mapping[str, str]:
    """A wall interval as the time fields take it: midnight at the day's end is 00:00 again."""
    start, end = (f"{minute // 60 % 24:02}:{minute % 60:02}" for minute in interval)
    return {"start": start, "end": end}


def _posted(form: Form, starts: str, ends: str) -> list[Mapping[str, str]]:
    found = rules.pairs(form.get(starts, ()), form.get(ends, ()))
    return [{"start": start, "end": end} for start, end in found]


def _label(override: Override) -> str:
    noon: Instant = Date(override.date).at(Time(12)).assume_utc()
    return day_in(noon.to_stdlib(), "UTC")
