"""Getting started: what a new student is asked, once, in whatever order they like. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.accounts.student_profile import OwnProfile
from app.settings import Settings


def discord_href(settings: Settings) -> str | None:
    """Where a Discord account is linked, and back to the dashboard from there; None where Discord isn't configured.

    The one place that decides whether Discord is spoken of on the dashboard.
    """
    return "/auth/discord?next=/dashboard" if settings.discord_linking else None


def items(profile: OwnProfile, discord: str | None) -> list[dict[str, Any]]:
    """The steps in order: `name`, `title`, `done`; the first that isn't done is `open`."""
    steps = [
        ("about", "A few words about you", bool(profile.about)),
        ("time_zone", "Your time zone", profile.zone_confirmed_at is not None),
        ("goals", "What you would like to learn", bool(profile.goals)),
    ]
    if discord is not None:
        steps.append(("discord", "Discord", profile.discord))
    following = next((name for name, _, done in steps if not done), None)
    return [
        {"name": name, "title": title, "done": done, "open": name == following} for name, title, done in steps
    ]


def steps_left(profile: OwnProfile, settings: Settings) -> list[str]:
    """The titles of the steps that aren't done; none where they were put aside."""
    if profile.put_aside_at is not None:
        return []
    return [step["title"] for step in items(profile, discord_href(settings)) if not step["done"]]


def checklist(profile: OwnProfile, discord: str | None, wrong: Sequence[str] = ()) -> dict[str, Any] | None:
    """The list with its progress; None where it was finished or put aside. Steps that are `wrong` are shown, open."""
    if profile.put_aside_at is not None and not wrong:
        return None
    steps = items(profile, discord)
    if wrong:
        steps = [step | {"open": step["name"] in wrong} for step in steps]
    done = sum(step["done"] for step in steps)
    return {"steps": steps, "done": done, "total": len(steps), "discord_href": discord}
