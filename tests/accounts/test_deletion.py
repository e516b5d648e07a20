"""Leaving for good: refused while something is owed, then nothing personal is left anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range

from app.accounts import mail_pauses
from app.accounts.models import MailPause, User, UserIdentity
from app.booking.models import Session, SessionStatus
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.models import AuditEntry
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.mentors.models import Mentor, Product
from app.notifications import preferences
from app.notifications.models import Channel, NotificationOptOut
from app.packs import waitlist
from app.packs.models import SeatReservation, WaitlistEntry
from tests.accounts.browser import target
from tests.accounts.conftest import Open
from tests.cast import Cast, add_mentor, add_user, link_discord


async def one(database: Database, query: Any) -> Any:
    async with database.service(ServiceDoor.SEED) as uow:
        return (await uow.session.execute(query)).scalar_one()


async def run(database: Database, *statements: Any) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        for statement in statements:
            await uow.session.execute(statement)
        await uow.commit()


def meeting(cast: Cast, status: SessionStatus, *, days: int) -> Any:
    """A session of the student with the mentor, `days` from now, with notes."""
    start = clock.now() + timedelta(days=days)
    end = start + timedelta(hours=1)
    return sa.insert(Session).values(
        id=new_id(),
        mentor_id=cast["mentor"],
        student_id=cast["student"],
        pack_id=cast.packs["student"],
        status=status,
        scheduled_at=start,
        ends_at=end,
        blocked=Range(start, end),
        booked_at=clock.now(),
        completed_at=end if status is SessionStatus.COMPLETED else None,
        notes="shy about hands",
    )


def expire_packs() -> Any:
    """Let every pack be past its end."""
    return sa.text("update session_packs set expires_at = purchased_at")


async def test_somebody_without_obligations_leaves(browsers: Open, database: Database, cast: Cast) -> None:
    browser = await browsers(cast["new_student"])
    page = await browser.get("/settings/deletion")
    assert cast.email("new_student") in page.text
    answer = await browser.post("/settings/deletion", {"confirmation": cast.email("new_student").upper()})
    assert target(answer) == "/"
    assert browser.cookie("session") is None
    user = await one(database, sa.select(User).where(User.id == cast["new_student"]))
    assert user.forgotten_at is not None
    assert "new" not in user.email
    entry = await one(database, sa.select(AuditEntry).where(AuditEntry.action == "forget_user"))
    assert (entry.actor_id, entry.subject_id) == (cast["new_student"], cast["new_student"])


async def test_nothing_tells_how_they_could_be_reached(
    browsers: Open, database: Database, cast: Cast
) -> None:
    who = cast["new_student"]
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await link_discord(uow, who, "100000000000000003")
        await preferences.turn_off(uow, who, [("session_booked", Channel.EMAIL)])
        await mail_pauses.pause(uow, who, MailPause.BOUNCED)
    browser = await browsers(who)
    await browser.post("/settings/deletion", {"confirmation": cast.email("new_student")})
    user = await one(database, sa.select(User).where(User.id == who))
    assert (user.mail_paused_at, user.mail_paused_reason) == (None, None)
    for table in (NotificationOptOut, UserIdentity):
        left = sa.select(sa.func.count()).select_from(table).where(table.user_id == who)
        assert await one(database, left) == 0


async def test_the_dialog(browsers: Open, cast: Cast) -> None:
    browser = await browsers(cast["new_student"])
    fragment = await browser.fragment("/settings/deletion")
    assert "<html" not in fragment.text
    assert 'id="dialog-title"' in fragment.text
    wrong = await browser.post("/settings/deletion", {"confirmation": "x"}, htmx=True)
    assert wrong.status_code == 422
    assert 'id="confirmation-error"' in wrong.text
    assert "<html" not in wrong.text
    done = await browser.post("/settings/deletion", {"confirmation": cast.email("new_student")}, htmx=True)
    assert done.headers["hx-redirect"] == "/"


@pytest.mark.parametrize("typed", ["", "yes", "student@example.test "])
async def test_the_address_has_to_be_typed(
    browsers: Open, database: Database, cast: Cast, typed: str
) -> None:
    browser = await browsers(cast["new_student"])
    answer = await browser.post("/settings/deletion", {"confirmation": typed})
    assert answer.status_code == 422
    assert 'id="confirmation-error"' in answer.text
    user = await one(database, sa.select(User).where(User.id == cast["new_student"]))
    assert user.deleted_at is None


@pytest.mark.parametrize("name", ["student", "mentor"])
async def test_not_while_a_session_is_scheduled(
    browsers: Open, database: Database, cast: Cast, name: str
) -> None:
    await run(database, meeting(cast, SessionStatus.SCHEDULED, days=3))
    browser = await browsers(cast[name])
    answer = await browser.post("/settings/deletion", {"confirmation": cast.email(name)})
    assert answer.status_code == 409
    assert 'data-code="sessions_scheduled"' in answer.text
    assert (await browser.get("/settings")).status_code == 200
    assert await one(database, sa.select(Session.notes)) == "shy about hands"


@pytest.mark.parametrize("name", ["student", "mentor"])
async def test_not_while_a_pack_is_live(browsers: Open, database: Database, cast: Cast, name: str) -> None:
    browser = await browsers(cast[name])
    form = {"confirmation": cast.email(name)}
    answer = await browser.post("/settings/deletion", form, htmx=True)
    assert answer.status_code == 409
    assert 'data-code="packs_live"' in answer.text
    assert "<html" not in answer.text
    await run(database, expire_packs())
    assert target(await browser.post("/settings/deletion", form)) == "/"


async def test_a_student_leaves_no_notes_and_takes_no_seat(
    browsers: Open, database: Database, cast: Cast
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(sa.update(Mentor).values(max_active_students=1))
        await waitlist.join(uow, cast["other_mentor"], cast["student"])
        await uow.commit()
    await run(database, meeting(cast, SessionStatus.COMPLETED, days=-3), expire_packs())
    browser = await browsers(cast["student"])
    await browser.post("/settings/deletion", {"confirmation": cast.email("student")})
    assert await one(database, sa.select(Session.notes)) == ""
    seat = sa.select(SeatReservation.status).where(SeatReservation.student_id == cast["student"])
    assert await one(database, seat) == "released"
    assert await one(database, sa.select(WaitlistEntry.left_at)) is not None
    other = sa.select(SeatReservation.status).where(SeatReservation.student_id == cast["other_student"])
    assert await one(database, other) == "active"
    mentor = await browsers(cast["mentor"])
    assert "Student" not in (await mentor.get("/settings")).text


async def test_a_mentor_leaves_no_profile(browsers: Open, database: Database, cast: Cast) -> None:
    mentor = new_id()
    async with database.service(ServiceDoor.SEED) as uow:
        await add_user(uow, mentor, "leaving@example.test", "Leaving", Role.MENTOR)
        await add_mentor(uow, mentor, "leaving", "Asia/Tokyo", {"1": [[540, 720]]})
        product = {"id": new_id(), "title": "Pack", "price_minor": 1, "currency": "EUR", "active": True}
        created = {"mentor_id": mentor, "created_at": clock.now()}
        await uow.session.execute(sa.insert(Product).values(**product, **created))
        await uow.commit()
    anybody, browser = await browsers(), await browsers(mentor)
    assert (await anybody.get("/instructors/leaving")).status_code == 200
    answer = await browser.post("/settings/deletion", {"confirmation": "leaving@example.test"})
    assert target(answer) == "/"
    assert (await anybody.get("/instructors/leaving")).status_code == 404
    assert "Leaving" not in (await anybody.get("/instructors")).text
    row = await one(database, sa.select(Mentor).where(Mentor.id == mentor))
    assert (row.slug, row.working_hours, row.max_active_students) == (f"former-{mentor.hex}", None, 0)
    assert await one(database, sa.select(Product.active)) is False


async def test_the_last_admin_stays(browsers: Open, cast: Cast) -> None:
    browser = await browsers(cast["admin"])
    answer = await browser.post("/settings/deletion", {"confirmation": cast.email("admin")})
    assert answer.status_code == 409
    assert 'data-code="last_admin"' in answer.text
    assert (await browser.get("/settings")).status_code == 200


async def test_anonymous_people_have_nothing_to_delete(browsers: Open) -> None:
    browser = await browsers()
    assert target(await browser.get("/settings/deletion")) == "/sign-in?next=/settings/deletion"
    assert (await browser.post("/settings/deletion", {"confirmation": "x"})).status_code == 401
