"""Every slice's models in one place, for Alembic."""

from app.accounts import models as accounts
from app.booking import models as booking
from app.calendars import models as calendars
from app.core import models as core
from app.core.db import Base
from app.mentors import models as mentors
from app.notifications import models as notifications
from app.packs import models as packs
from app.payments import models as payments

__all__ = [
    "Base",
    "accounts",
    "booking",
    "calendars",
    "core",
    "mentors",
    "notifications",
    "packs",
    "payments",
]

metadata = Base.metadata
