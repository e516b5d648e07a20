"""What the demo's students say: about themselves, and about their mentors once they know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from app.accounts import student_profile
from app.core import clock
from app.core.seen import digest
from app.core.unit_of_work import Principal, Role
from app.packs.models import SessionPack
from app.seeds import cast
from app.testimonials import service as testimonials
from app.testimonials.models import TestimonialStatus
from app.wiring import Platform


@dataclass(frozen=True)
class DemoProfile:
    """What a student told their instructors when they began; `finished`: all steps of getting started are done."""

    about: str
    goals: str
    finished: bool = True


@dataclass(frozen=True)
class DemoTestimonial:
    """Words about the pack that the student bought last of the mentor, and what became of them."""

    student: str
    mentor: str
    body: str
    days_ago: int
    approved: bool = True


PROFILES = {
    "student@example.test": DemoProfile(
        "I draw people on the subway, mostly asleep. Five sketchbooks so far, all of them too careful.",
        "Looser lines, and a portfolio of characters that I would dare to send to a studio by next spring.",
    ),
    "student-last@example.test": DemoProfile(
        "Illustrator for children’s magazines in Berlin; before that ten years of technical drawing.",
        "To forget the ruler. I would like my figures to stand on their feet without one.",
    ),
    "nils@example.test": DemoProfile(
        "I write a comic about my grandfather’s boat, forty pages in.",
        "To find out why page twelve is boring, and to finish the book this year.",
    ),
    "chloe@example.test": DemoProfile(
        "Graphic designer, drawing again after fifteen years.", "", finished=False
    ),
    "amara@example.test": DemoProfile(
        "Architect by day, comics by night. Nobody at the office knows.",
        "A short story of eight pages that works without a single word.",
    ),
    "hana@example.test": DemoProfile(
        "Potter. I paint on what I have thrown, and the ink behaves differently on clay.",
        "One brush stroke that I don’t regret.",
    ),
}
TESTIMONIALS = (
    DemoTestimonial(
        "leila@example.test",
        cast.LISBON,
        "Inês looks at a page for a long time before she says anything. Then she takes one line away, and suddenly it is"
        " alive. I draw half as much now, and it says twice as much.",
        140,
    ),
    DemoTestimonial(
        "aiko@example.test",
        cast.LISBON,
        "I brought work that I was ashamed of, as she had asked me to. It was the best hour of my year.",
        235,
    ),
    DemoTestimonial(
        "zoe@example.test",
        cast.LISBON,
        "The notes she leaves between sessions are worth the price alone: three sentences, and I know what to do all week.",
        40,
    ),
    DemoTestimonial(
        "daniel@example.test",
        cast.NAIROBI,
        "We read my pages aloud together. Wanjiru stopped at the third panel and asked why anybody would turn the page."
        " I had no answer; now I do.",
        85,
    ),
    DemoTestimonial(
        "isla@example.test",
        cast.ADELAIDE,
        "It rained, I complained, Ruby laughed and told me to paint the rain. It hangs in my kitchen.",
        2,
    ),
    DemoTestimonial(
        "marek@example.test",
        cast.LISBON,
        "Direct, warm, never in a hurry. She remembered a drawing of mine from two months before, and showed me that I had"
        " solved what I was stuck on already.",
        70,
    ),
    DemoTestimonial(
        "amara@example.test",
        cast.NAIROBI,
        "Three sessions, three panels moved, and my story suddenly breathes. I have told all my friends, who don’t draw.",
        1,
        approved=False,
    ),
)


async def tell_words(platform: Platform, ids: Mapping[str, UUID]) -> None:
    """Make PROFILES and TESTIMONIALS for the accounts in `ids` (by e-mail), each in its writer's name."""
    for email, profile in PROFILES.items():
        async with (
            platform.database.unit_of_work(Principal(ids[email], Role.STUDENT)) as uow,
            uow.transaction(),
        ):
            words = {"about": profile.about, "goals": profile.goals}
            await student_profile.change(uow, words)
            if profile.finished:
                zone = next(student.time_zone for student in cast.STUDENTS if student.email == email)
                await student_profile.confirm_zone(uow, zone)
                await student_profile.put_aside(uow)
    for said in TESTIMONIALS:
        with clock.standing_at(clock.now() - timedelta(days=said.days_ago)):
            await _write(platform, ids, said)


async def _write(platform: Platform, ids: Mapping[str, UUID], said: DemoTestimonial) -> None:
    student = Principal(ids[said.student], Role.STUDENT)
    latest = (
        sa.select(SessionPack.id)
        .where(SessionPack.mentor_id == ids[said.mentor], SessionPack.student_id == student.user_id)
        .order_by(SessionPack.purchased_at.desc())
        .limit(1)
    )
    async with platform.database.unit_of_work(student) as uow, uow.transaction():
        pack_id = (await uow.session.execute(latest)).scalar_one()
        written = await testimonials.write(uow, pack_id, said.body)
    if said.approved:
        admin = Principal(ids[cast.ADMIN[0]], Role.ADMIN)
        async with platform.database.unit_of_work(admin) as uow, uow.transaction():
            await testimonials.decide(uow, written, TestimonialStatus.APPROVED, seen=digest(said.body))
