"""Invitations: an account made for somebody, the link that lets them in once, and what ends it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from app.accounts import identities, invitations, links, web_sessions
from app.accounts.models import EmailToken, Purpose
from app.accounts.notices import NOTICES
from app.core import clock
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.packs import service as packs
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.admin.conftest import Visit
from tests.admin.people import entries, run, user
from tests.cast import Cast

GUEST = {
    "name": "Grace Hopper",
    "email": "grace@example.test",
    "role": "student",
    "time_zone": "",
    "seats": "5",
}
PASSWORD = {"password": "nanoseconds and wire", "time_zone": "America/New_York"}


class Post:
    """What is mailed, and the links in it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings

    async def links(self) -> list[str]:
        """The paths that invitations written so far would carry now, the oldest first; those that ended are left out."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(OutboxEvent.payload).where(OutboxEvent.type == "notification/send")
            payloads = (await uow.session.execute(query.order_by(OutboxEvent.id))).scalars().all()
            mails = [
                mail
                for payload in payloads
                if payload["kind"] == "invitation"
                for mail in await NOTICES["invitation"](uow, self.settings, payload)
                if mail.skip is None
            ]
        return [mail.context["link"].removeprefix(self.settings.public_url) for mail in mails]

    async def all_links(self) -> list[str]:
        """The paths of every invitation ever made, ended or not."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(EmailToken).where(EmailToken.purpose == Purpose.INVITATION)
            tokens = (await uow.session.execute(query.order_by(EmailToken.id))).scalars().all()
        return [links.address(self.settings, t).removeprefix(self.settings.public_url) for t in tokens]


@pytest.fixture
def post(database: Database, open_settings: Settings) -> Post:
    return Post(database, open_settings)


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


async def invite(admin: Browser, **form: str) -> UUID:
    """Invite somebody through the form; the new account's id."""
    there = target(await admin.post("/admin/invitations", GUEST | form))
    return UUID(there.removeprefix("/admin/users/"))


async def mentor_row(database: Database, id_: UUID) -> list[tuple[object, ...]]:
    rows = await run(
        database, "select slug, max_active_students, time_zone from mentors where id = :id", id=id_
    )
    return [tuple(row) for row in rows]


async def test_a_student_takes_their_place(
    admin: Browser, visit: Visit, database: Database, post: Post, cast: Cast
) -> None:
    id_ = await invite(admin)
    guest = await user(database, id_)
    assert (guest.role, guest.password_hash, guest.email_verified_at) == (Role.STUDENT, None, None)
    page = (await admin.get(f"/admin/users/{id_}")).text
    assert "Send the invitation again" in page
    assert "Delete the account" not in page
    (link,) = await post.links()
    browser = await visit("anonymous")
    shown = (await browser.get(link)).text
    assert "Welcome, Grace Hopper" in shown
    assert "grace@example.test" in shown
    assert target(await browser.post(link, PASSWORD)) == "/dashboard"
    assert "grace@example.test" in (await browser.get("/settings")).text
    guest = await user(database, id_)
    assert guest.email_verified_at is not None
    assert guest.time_zone == "America/New_York"
    again = await visit("anonymous")
    form = {"email": "Grace@Example.test", "password": PASSWORD["password"]}
    assert target(await again.post("/sign-in", form)) == "/dashboard"
    said = [(entry.action, entry.actor_id, entry.after) for entry in await entries(database)]
    assert said == [
        ("invite", cast["admin"], {"role": "student"}),
        ("accept_invitation", id_, None),
    ]
    assert "grace" not in str([(e.before, e.after) for e in await entries(database)]).lower()


async def test_an_instructor_gets_a_profile_that_nobody_sees_until_they_come(
    admin: Browser, visit: Visit, database: Database, post: Post
) -> None:
    id_ = await invite(admin, role="mentor", seats="12", time_zone="Asia/Tokyo")
    assert await mentor_row(database, id_) == [("grace-hopper", 12, "Asia/Tokyo")]
    browser = await visit("anonymous")
    assert "Grace Hopper" not in (await browser.get("/instructors")).text
    assert (await browser.get("/instructors/grace-hopper")).status_code == 404
    (link,) = await post.links()
    assert target(await browser.post(link, PASSWORD)) == "/instructor/dashboard"
    assert await mentor_row(database, id_) == [("grace-hopper", 12, "America/New_York")]
    assert "Grace Hopper" in (await browser.get("/instructors")).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"email": "grace"}, "email"),
        ({"role": "admin"}, "role"),
        ({"role": ""}, "role"),
        ({"time_zone": "Mars/Olympus"}, "time-zone"),
        ({"role": "mentor", "seats": "many"}, "seats"),
        ({"role": "mentor", "seats": "-1"}, "seats"),
        ({"role": "mentor", "seats": "1e9"}, "seats"),
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
async def test_a_form_that_says_too_little(
    admin: Browser, database: Database, post: Post, wrong: dict[str, str], field: str, htmx: bool
) -> None:
    answer = await admin.post("/admin/invitations", GUEST | wrong, htmx=htmx)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert ("<html" in answer.text) is not htmx
    assert await post.all_links() == []
    assert await run(database, "select 1 from users where email = 'grace@example.test'") == []


async def test_an_address_that_has_an_account(
    admin: Browser, database: Database, post: Post, cast: Cast
) -> None:
    await run(database, "update users set deleted_at = now() where id = :id", id=cast["new_student"])
    for who in ("student", "new_student", "mentor"):
        answer = await admin.post("/admin/invitations", GUEST | {"email": cast.email(who).upper()})
        assert answer.status_code == 422
        assert "Nothing was sent." in answer.text
        assert f'href="/admin/users/{cast[who]}"' in answer.text
    assert await post.all_links() == []
    assert await entries(database) == []


@pytest.mark.parametrize(
    ("wrong", "field"), [({"password": "short"}, "password"), ({"time_zone": "nowhere"}, "time-zone")]
)
async def test_what_is_refused_leaves_the_link_good(
    admin: Browser, visit: Visit, post: Post, wrong: dict[str, str], field: str
) -> None:
    await invite(admin)
    (link,) = await post.links()
    browser = await visit("anonymous")
    answer = await browser.post(link, PASSWORD | wrong, htmx=True)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert target(await browser.post(link, PASSWORD)) == "/dashboard"


async def test_a_link_works_once(admin: Browser, visit: Visit, post: Post) -> None:
    await invite(admin)
    (link,) = await post.links()
    first, second = await visit("anonymous"), await visit("anonymous")
    assert (await first.get(link)).status_code == 200
    assert (await first.post(link, PASSWORD)).status_code == 303
    assert (await second.get(link)).status_code == 410
    answer = await second.post(link, PASSWORD | {"password": "somebody else entirely"})
    assert answer.status_code == 410
    assert second.cookie("session") is None


async def test_of_many_who_have_the_link_one_gets_in(
    admin: Browser, visit: Visit, database: Database, post: Post
) -> None:
    id_ = await invite(admin)
    (link,) = await post.links()
    browsers = [await visit("anonymous") for _ in range(6)]
    for browser in browsers:
        await browser.get(link)

    async def try_(number: int) -> httpx.Response:
        form = PASSWORD | {"password": f"password number {number}"}
        return await browsers[number].post(link, form)

    answers = await asyncio.gather(*(try_(number) for number in range(6)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [303, 410, 410, 410, 410, 410]
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 303)
    sessions = await run(database, "select 1 from web_sessions where user_id = :id", id=id_)
    assert len(sessions) == 1
    form = {"email": GUEST["email"], "password": f"password number {winner}"}
    assert (await (await visit("anonymous")).post("/sign-in", form)).status_code == 303


async def test_sent_again_the_old_link_ends(
    admin: Browser, visit: Visit, database: Database, post: Post
) -> None:
    id_ = await invite(admin)
    assert target(await admin.post(f"/admin/users/{id_}/invitation")) == f"/admin/users/{id_}"
    old, new = await post.all_links()
    assert await post.links() == [new]
    browser = await visit("anonymous")
    assert (await browser.post(old, PASSWORD)).status_code == 410
    assert (await browser.post(new, PASSWORD)).status_code == 303
    assert [entry.action for entry in await entries(database)][:2] == ["invite", "send_invitation"]


async def test_five_an_hour_are_enough(admin: Browser, post: Post) -> None:
    id_ = await invite(admin)
    for _ in range(6):
        await admin.post(f"/admin/users/{id_}/invitation")
    assert "Please wait a while." in admin.flashes()[0]
    assert len(await post.all_links()) == 5
    assert len(await post.links()) == 1  # what was refused ended nothing


async def test_taken_back_nobody_gets_in(
    admin: Browser, visit: Visit, database: Database, post: Post
) -> None:
    id_ = await invite(admin, role="mentor")
    (link,) = await post.links()
    assert target(await admin.post(f"/admin/users/{id_}/withdrawal")) == f"/admin/users/{id_}"
    assert (await user(database, id_)).deleted_at is not None
    browser = await visit("anonymous")
    assert (await browser.get(link)).status_code == 410
    assert (await browser.post(link, PASSWORD)).status_code == 410
    await admin.post(f"/admin/users/{id_}/restoration")
    assert (await browser.get(link)).status_code == 410
    await admin.post(f"/admin/users/{id_}/invitation")
    (new,) = await post.links()
    assert (await browser.post(new, PASSWORD)).status_code == 303
    actions = [entry.action for entry in await entries(database)]
    assert actions[:4] == ["invite", "withdraw_invitation", "restore_user", "send_invitation"]


async def test_an_account_in_use_has_no_invitation(admin: Browser, post: Post, cast: Cast) -> None:
    await admin.post(f"/admin/users/{cast['student']}/invitation")
    assert "in use already" in admin.flashes()[0]
    answer = await admin.post(f"/admin/users/{cast['student']}/withdrawal", htmx=True)
    assert 'data-code="not_invited"' in answer.text
    assert await post.all_links() == []


async def test_it_lasts_a_week(admin: Browser, visit: Visit, post: Post) -> None:
    await invite(admin)
    (link,) = await post.links()
    browser = await visit("anonymous")
    now = clock.now()
    with clock.standing_at(now + timedelta(days=7, seconds=-5)):
        assert (await browser.get(link)).status_code == 200
    with clock.standing_at(now + timedelta(days=7, seconds=5)):
        assert (await browser.get(link)).status_code == 410
        assert (await browser.post(link, PASSWORD)).status_code == 410


@pytest.mark.parametrize("token", ["x", "x.y", "%00", "a" * 3000, "é"])
async def test_a_link_that_is_none(visit: Visit, token: str) -> None:
    answer = await (await visit("anonymous")).get(f"/invitations/{token}")
    assert answer.status_code == 410


async def test_the_link_of_another_purpose_is_none(
    admin: Browser, visit: Visit, database: Database, post: Post, cast: Cast
) -> None:
    await invite(admin)
    (link,) = await post.links()
    browser = await visit("anonymous")
    for path in ("/verify/", "/reset-password/"):
        assert (await browser.get(link.replace("/invitations/", path))).status_code == 410


async def test_signing_up_with_an_invited_address_sends_the_invitation_again(
    admin: Browser, visit: Visit, database: Database, post: Post
) -> None:
    """Anybody could have typed that address, with a password of theirs."""
    id_ = await invite(admin, role="mentor")
    browser = await visit("anonymous")
    form = {"name": "Mallory", "email": GUEST["email"], "password": "mallory was here"}
    assert target(await browser.post("/sign-up", form | {"time_zone": "UTC"})) == "/check-mail"
    guest = await user(database, id_)
    assert (guest.name, guest.password_hash) == ("Grace Hopper", None)
    await browser.post("/check-mail", {"email": GUEST["email"]})
    assert len(await post.links()) == 3
    kinds = await run(
        database, "select distinct payload->>'kind' from outbox where payload ? 'email_token_id'"
    )
    assert [tuple(kind) for kind in kinds] == [("invitation",)]


async def test_a_reset_password_takes_the_invitation_up_too(
    admin: Browser, visit: Visit, database: Database, post: Post, open_settings: Settings
) -> None:
    id_ = await invite(admin)
    (link,) = await post.links()
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        await links.send(uow, open_settings, id_, Purpose.RESET_PASSWORD)
        await uow.commit()
        query = sa.select(EmailToken).where(EmailToken.purpose == Purpose.RESET_PASSWORD)
        token = (await uow.session.execute(query)).scalar_one()
    reset = links.address(open_settings, token).removeprefix(open_settings.public_url)
    browser = await visit("anonymous")
    assert target(await browser.post(reset, PASSWORD)) == "/sign-in"
    assert (await user(database, id_)).email_verified_at is not None
    assert (await browser.get(link)).status_code == 410


async def test_google_takes_the_invitation_up_too(
    admin: Browser, visit: Visit, database: Database, post: Post, open_settings: Settings
) -> None:
    id_ = await invite(admin, role="mentor")
    (link,) = await post.links()
    grace = identities.UserInfo("grace-at-google", "Grace@example.test", True, "Grace")
    async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
        person = await identities.sign_in_with_google(
            uow, open_settings, grace, time_zone="UTC", browser=web_sessions.Browser()
        )
    assert (person.user_id, person.role) == (id_, Role.MENTOR)
    assert (await user(database, id_)).email_verified_at is not None
    assert (await (await visit("anonymous")).get(link)).status_code == 410
    said = [(entry.action, entry.actor_id) for entry in await entries(database)]
    assert said[1:] == [("accept_invitation", id_), ("link_identity", id_)]


async def test_in_bulk_an_address_gets_one_account_and_one_mail(
    database: Database, open_settings: Settings, post: Post, cast: Cast
) -> None:
    async def one() -> invitations.Invited:
        async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
            return await invitations.invite(
                uow,
                open_settings,
                email="Bulk@example.test",
                name="Bulk",
                role=Role.STUDENT,
                time_zone="",
                by=cast.principal("admin"),
            )

    found = await asyncio.gather(*(one() for _ in range(5)))
    assert len({invited.user_id for invited in found}) == 1
    assert sum(invited.is_new for invited in found) == 1
    assert len(await post.links()) == 1


async def test_an_invitation_with_sessions_behind_it_is_not_taken_back(
    admin: Browser, database: Database, cast: Cast
) -> None:
    """Students who were brought over have packs before they have a password."""
    id_ = await invite(admin)
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await packs.grant(uow, mentor_id=cast["mentor"], student_id=id_, sessions=4, validity_days=30)
    answer = await admin.post(f"/admin/users/{id_}/withdrawal")
    assert answer.status_code == 409
    assert 'data-code="packs_live"' in answer.text
    assert (await user(database, id_)).deleted_at is None
    await run(database, "update session_packs set expires_at = now() where student_id = :id", id=id_)
    assert target(await admin.post(f"/admin/users/{id_}/withdrawal")) == f"/admin/users/{id_}"
    assert (await user(database, id_)).deleted_at is not None


async def test_nobody_becomes_an_admin_before_their_address_is_confirmed(
    admin: Browser, visit: Visit, database: Database, post: Post
) -> None:
    """Whoever typed the password of such an account may be somebody else than who reads its mail."""
    id_ = await invite(admin)
    answer = await admin.post(f"/admin/users/{id_}/role", {"role": "admin"})
    assert answer.status_code == 409
    assert 'data-code="unconfirmed"' in answer.text
    assert (await user(database, id_)).role is Role.STUDENT
    assert target(await admin.post(f"/admin/users/{id_}/role", {"role": "mentor"})) == f"/admin/users/{id_}"
    (link,) = await post.links()
    assert target(await (await visit("anonymous")).post(link, PASSWORD)) == "/instructor/dashboard"
    assert target(await admin.post(f"/admin/users/{id_}/role", {"role": "admin"})) == f"/admin/users/{id_}"
