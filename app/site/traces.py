"""SQL over all slices about one person: what they leave behind."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import StudentProfile
from app.booking.models import RecordingConsent, Session
from app.disputes.models import Dispute, DisputeStatus
from app.mentees.models import MenteeNote
from app.mentors.models import DateOverride, Mentor, Product
from app.notifications.models import NotificationOptOut
from app.packs.models import SeatReservation, SeatStatus, WaitlistEntry, WaitOutcome
from app.testimonials.models import Testimonial
from app.video.models import CallToken


async def erase(session: AsyncSession, user_id: UUID, now: datetime) -> list[tuple[UUID, UUID]]:
    """Empty notes, profiles and the words of disputes, take products from sale, free seats and places. Testimonials by
    and about them are deleted, and which notifications they turned off; with their consent go the links to recordings.

    Returns whose seats are free now: (mentor, student). Sessions, who was there, packs and their ledger stay: they belong
    to the other person, too, and hold ids only.
    """
    theirs = sa.or_(Session.student_id == user_id, Session.mentor_id == user_id)
    pair = sa.or_(SeatReservation.student_id == user_id, SeatReservation.mentor_id == user_id)
    waiting = sa.or_(WaitlistEntry.student_id == user_id, WaitlistEntry.mentor_id == user_id)
    profile = {"slug": f"former-{user_id.hex}", "headline": "", "bio": "", "working_hours": None}
    disputed = sa.or_(Dispute.student_id == user_id, Dispute.mentor_id == user_id)
    undecided = Dispute.student_id == user_id, Dispute.status == DisputeStatus.OPEN
    released = {
        "status": SeatStatus.RELEASED,
        "seat_expires_at": None,
        "offered_until": None,
        "held_until": None,
        "changed_at": now,
    }
    seats = sa.update(SeatReservation).where(pair, SeatReservation.status != SeatStatus.RELEASED)
    freed = await session.execute(
        seats.values(**released)
        .returning(SeatReservation.mentor_id, SeatReservation.student_id)
        .execution_options(synchronize_session=False)
    )
    pairs = [(row.mentor_id, row.student_id) for row in freed.all()]
    for statement in (
        sa.update(Mentor).where(Mentor.id == user_id).values(**profile, max_active_students=0),
        sa.update(Session).where(theirs, Session.notes != "").values(notes=""),
        sa.delete(RecordingConsent).where(RecordingConsent.user_id == user_id),
        sa.delete(CallToken).where(CallToken.user_id == user_id),
        sa.update(Dispute).where(*undecided).values(status=DisputeStatus.WITHDRAWN, decided_at=now),
        sa.update(Dispute).where(disputed).values(reason="", answer=""),
        sa.update(WaitlistEntry)
        .where(waiting, WaitlistEntry.left_at.is_(None))
        .values(left_at=now, outcome=WaitOutcome.LEFT),
        sa.update(Product).where(Product.mentor_id == user_id).values(active=False),
        sa.delete(DateOverride).where(DateOverride.mentor_id == user_id),
        sa.delete(MenteeNote).where(
            sa.or_(MenteeNote.mentor_id == user_id, MenteeNote.student_id == user_id)
        ),
        sa.delete(StudentProfile).where(StudentProfile.user_id == user_id),
        sa.delete(NotificationOptOut).where(NotificationOptOut.user_id == user_id),
        sa.delete(Testimonial).where(
            sa.or_(Testimonial.student_id == user_id, Testimonial.mentor_id == user_id)
        ),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))
    return pairs
