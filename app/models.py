"""Every slice's models in one place, for Alembic."""

from app.absences import models as absences
from app.accounts import models as accounts
from app.booking import models as booking
from app.calendars import models as calendars
from app.core import models as core
from app.core.db import Base
from app.disputes import models as disputes
from app.mentees import models as mentees
from app.mentors import models as mentors
from app.notifications import models as notifications
from app.packs import models as packs
from app.payments import models as payments
from app.testimonials import models as testimonials
from app.video import models as video

__all__ = [
    "Base",
    "absences",
    "accounts",
    "booking",
    "calendars",
    "core",
    "disputes",
    "mentees",
    "mentors",
    "notifications",
    "packs",
    "payments",
    "testimonials",
    "video",
]

metadata = Base.metadata
