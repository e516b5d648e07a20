"""The application on this worker's database, the cast and their browsers, a desk and a studio."""

from __future__ import annotations

from tests.booking.conftest import app, cast, desk, google, open_settings, visit
from tests.testimonials.conftest import studio

__all__ = ["app", "cast", "desk", "google", "open_settings", "studio", "visit"]
