"""The demo: accounts, packs, a past and a few booked sessions, each made by the service that makes it in real life."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from app.accounts import discord, passwords
from app.accounts import service as accounts
from app.accounts.discord import DiscordAccount
from app.booking import mark
from app.booking.models import SessionStatus
from app.core import clock, outbox
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.mentors import enrollment, products
from app.mentors.product_rules import Offer
from app.packs import service as packs
from app.packs import waitlist
from app.seeds import cast
from app.seeds.cast import DemoMentor, DemoStory, DemoStudent
from app.seeds.demo_booking import book_around
from app.seeds.former import STUDENTS as FORMER
from app.seeds.former import tell_of_former
from app.seeds.google import connect_demo_calendar
from app.seeds.words import tell_words
from app.wiring import Platform

JOINED_DAYS_AGO = 400


async def seed_demo(platform: Platform) -> bool:
    """Make the demo in an empty database; returns False, and changes nothing, where its admin is there already."""
    async with platform.database.service(ServiceDoor.SEED) as uow:
        if await accounts.find_by_email(uow, cast.ADMIN[0]):
            return False
        with clock.standing_at(clock.now() - timedelta(days=JOINED_DAYS_AGO)):
            ids = await _people(uow)
        await uow.commit()
    await tell_of_former(platform, ids)
    for student in cast.STUDENTS:
        for story in student.stories:
            await _tell(platform, ids, student, story)
    await tell_words(platform, ids)
    async with platform.database.service(ServiceDoor.SEED) as uow:
        for student_email, mentor_email in cast.WAITING:
            await waitlist.join(uow, ids[mentor_email], ids[student_email])
        for email, id_, name in cast.DISCORD:
            await discord.link(uow, Principal(ids[email], Role.STUDENT), DiscordAccount(id_, name))
        await outbox.consider_told(uow)
        await uow.commit()
    for mentor in cast.MENTORS:
        if mentor.google:
            await connect_demo_calendar(platform, ids[mentor.email], mentor.email)
    return True


async def _people(uow: UnitOfWork) -> dict[str, UUID]:
    async def account(email: str, name: str, zone: str, role: Role) -> UUID:
        return await accounts.create_user(
            uow, name=name, email=email, role=role, time_zone=zone, password_hash=hashed
        )

    hashed = await passwords.hash_password(cast.PASSWORD)  # everybody's, and a hash takes its time
    ids = {cast.ADMIN[0]: await account(*cast.ADMIN, Role.ADMIN)}
    for mentor in cast.MENTORS:
        ids[mentor.email] = await account(mentor.email, mentor.name, mentor.time_zone, Role.MENTOR)
        await _enroll(uow, ids[mentor.email], mentor)
    for student in (*cast.STUDENTS, *FORMER):
        ids[student.email] = await account(student.email, student.name, student.time_zone, Role.STUDENT)
    return ids


async def _enroll(uow: UnitOfWork, id_: UUID, mentor: DemoMentor) -> None:
    await enrollment.enroll(
        uow,
        id_,
        name=mentor.name,
        time_zone=mentor.time_zone,
        headline=mentor.headline,
        bio=mentor.bio,
        working_hours=mentor.hours,
        max_active_students=mentor.seats,
    )
    for product in mentor.products:
        offer = Offer(
            title=product.title,
            price_minor=product.price_minor,
            currency=product.currency,
            sessions_per_pack=product.sessions,
            validity_days=product.validity_days,
        )
        await products.create(uow, id_, offer)


async def _tell(platform: Platform, ids: dict[str, UUID], student: DemoStudent, story: DemoStory) -> None:
    """A pack bought some days ago, its sessions held one after another, and those still ahead."""
    today = clock.now()
    bought = today - timedelta(days=story.days_ago)
    mentor_id, student_id = ids[story.mentor], ids[student.email]
    with clock.standing_at(bought):
        async with platform.database.service(ServiceDoor.SEED) as uow:
            await packs.grant(
                uow,
                mentor_id=mentor_id,
                student_id=student_id,
                sessions=story.sessions,
                validity_days=45,
                reason="Made for the demo",
            )
            await uow.commit()
    for held_around in _spread(bought + timedelta(days=2), today - timedelta(days=1), story.done):
        await _hold(platform, mentor_id, student_id, held_around, today)
    for ahead in range(story.booked):
        await book_around(platform, mentor_id, student_id, today + timedelta(days=3 + 4 * ahead))


def _spread(first: datetime, last: datetime, count: int) -> Iterator[datetime]:
    """`count` instants from `first` on, evenly before `last`."""
    step = (last - first) / max(count, 1)
    for number in range(count):
        yield first + step * number


async def _hold(
    platform: Platform, mentor_id: UUID, student_id: UUID, around: datetime, today: datetime
) -> None:
    with clock.standing_at(around - timedelta(days=2)):
        session = await book_around(platform, mentor_id, student_id, around)
    if session is None or session[1] >= today:
        return
    with clock.standing_at(session[1]):
        async with platform.database.unit_of_work(Principal(mentor_id, Role.MENTOR)) as uow:
            await mark.mark(uow, session[0], SessionStatus.COMPLETED)
