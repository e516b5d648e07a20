"""From settings to the things that reach outside: used by web, jobs and bot alike."""

from __future__ import annotations

from dataclasses import dataclass

from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.notifications.mailer import Mailer
from app.settings import Settings


@dataclass(frozen=True)
class Platform:
    """Settings, database and vendors' adapters of one process."""

    settings: Settings
    database: Database
    mailer: Mailer
    google: Google


def build(settings: Settings) -> Platform:
    """Everything a process needs. Raises SettingsError where the settings don't allow a safe start."""
    settings.require_for_start()
    clock.follow(settings.clock_file)
    return Platform(
        settings=settings,
        database=Database(settings),
        mailer=Mailer.of(settings),
        google=Google(settings),
    )
