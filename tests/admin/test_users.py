"""`/admin/users/{id}` and what can be done there: another role, deletion, restoration; and what stands against it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from app.accounts import access_tokens, web_sessions
from app.admin import accounts
from app.core.db import Database
from app.core.errors import AppError, Refused
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.packs import service as packs
from app.packs import waitlist
from app.settings import Settings
from tests import cast as casting
from tests.accounts.browser import Browser, target
from tests.admin.conftest import Visit
from tests.admin.people import entries, let_go, run, user
from tests.cast import Cast
from tests.support.queries import counted

API = f"/api/sessions/{uuid4()}"  # of nobody: 404 for who may ask, 401 for who may not


async def calling(browser: Browser, token: str) -> int:
    """What a program with the token is told."""
    bearer = {"authorization": f"Bearer {token}"}
    return (await browser.http.patch(API, json={"status": "canceled"}, headers=bearer)).status_code


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


@pytest.fixture
async def free(database: Database, cast: Cast) -> Cast:
    """The cast, where nothing is owed to the student any more."""
    await let_go(database, cast, "student")
    return cast


async def test_a_person_with_everything_about_them(admin: Browser, cast: Cast) -> None:
    page = (await admin.get(f"/admin/users/{cast['student']}")).text
    assert "student@example.test" in page
    assert f'href="/packs/{cast.packs["student"]}"' in page
    assert "Sign in as Student" in page
    mentor = (await admin.get(f"/admin/users/{cast['mentor']}")).text
    assert 'href="/instructors/mentor"' in mentor
    mine = (await admin.get(f"/admin/users/{cast['admin']}")).text
    assert "This is you" in mine
    assert "Sign in as" not in mine


async def test_a_page_takes_as_many_queries_for_anybody(admin: Browser, cast: Cast) -> None:
    await admin.get(f"/admin/users/{cast['student']}")
    counts = []
    for name in ("student", "new_student", "mentor"):
        with counted() as statements:
            await admin.get(f"/admin/users/{cast[name]}")
        counts.append(len(statements))
    assert len(set(counts)) == 1
    assert counts[0] <= 12


@pytest.mark.parametrize("id_", ["00000000-0000-7000-8000-000000000000", "nonsense", "0"])
async def test_nobody_has_that_id(admin: Browser, id_: str) -> None:
    assert (await admin.get(f"/admin/users/{id_}")).status_code == 404
    assert (await admin.get(f"/admin/users/{id_}/role")).status_code == 404
    for act in ("role", "deletion", "restoration", "impersonation", "invitation", "withdrawal"):
        answer = await admin.post(f"/admin/users/{id_}/{act}", {"role": "mentor", "reason": "why"})
        assert answer.status_code == 404, act


async def test_a_student_becomes_an_instructor(
    admin: Browser, visit: Visit, database: Database, open_settings: Settings, free: Cast
) -> None:
    student = await visit("student")
    async with database.service(ServiceDoor.SEED) as uow:
        token = await access_tokens.issue_token(uow, free["student"], "a script", 30)
        await uow.commit()
    answer = await admin.post(f"/admin/users/{free['student']}/role", {"role": "mentor"})
    assert target(answer) == f"/admin/users/{free['student']}"
    assert admin.flashes() == ["Now an instructor; they were signed out everywhere."]
    assert target(await student.get("/settings")) == "/sign-in?next=/settings"
    assert await calling(admin, token) == 401
    ((slug, zone, seats, hours),) = await run(
        database,
        "select slug, time_zone, max_active_students, working_hours from mentors where id = :id",
        id=free["student"],
    )
    assert (slug, zone, seats, hours) == ("student", "America/New_York", 5, None)
    (entry,) = await entries(database, "change_role")
    assert (entry.actor_id, entry.actor_role) == (free["admin"], "admin")
    assert (entry.subject_id, entry.before, entry.after) == (
        free["student"],
        {"role": "student"},
        {"role": "mentor"},
    )
    assert entry.address == "127.0.0.1"
    assert "/instructors/student" in (await admin.get("/instructors")).text


async def test_a_name_that_is_taken_gets_a_number(admin: Browser, database: Database, free: Cast) -> None:
    await run(database, "update users set name = 'Mentor' where id = :id", id=free["student"])
    await admin.post(f"/admin/users/{free['student']}/role", {"role": "mentor"})
    ((slug,),) = await run(database, "select slug from mentors where id = :id", id=free["student"])
    assert slug == "mentor-2"


async def test_there_and_back_again_keeps_the_profile(
    admin: Browser, visit: Visit, database: Database, free: Cast
) -> None:
    path = f"/admin/users/{free['student']}/role"
    await admin.post(path, {"role": "mentor"})
    await run(database, "update mentors set headline = 'Ink' where id = :id", id=free["student"])
    await admin.post(path, {"role": "student"})
    stranger = await visit("anonymous")
    assert "Ink" not in (await stranger.get("/instructors")).text
    assert (await stranger.get("/instructors/student")).status_code == 404
    await admin.post(path, {"role": "mentor"})
    assert "Ink" in (await stranger.get("/instructors")).text
    assert len(await entries(database, "change_role")) == 3


async def test_the_same_role_again_changes_nothing(admin: Browser, database: Database, cast: Cast) -> None:
    await admin.post(f"/admin/users/{cast['student']}/role", {"role": "student"})
    assert admin.flashes() == ["They are a student already."]
    assert await entries(database) == []


@pytest.mark.parametrize(
    ("who", "code"), [("student", "packs_live"), ("mentor", "packs_live"), ("admin", "last_admin")]
)
@pytest.mark.parametrize("htmx", [False, True])
async def test_a_role_that_has_to_stay(
    admin: Browser, database: Database, cast: Cast, who: str, code: str, htmx: bool
) -> None:
    role = "student" if who != "student" else "mentor"
    answer = await admin.post(f"/admin/users/{cast[who]}/role", {"role": role}, htmx=htmx)
    assert answer.status_code == 409
    assert f'data-code="{code}"' in answer.text
    assert ("<html" in answer.text) is not htmx
    assert (await user(database, cast[who])).role != role
    assert await entries(database) == []


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_a_seat_alone_keeps_a_role(admin: Browser, database: Database, cast: Cast, who: str) -> None:
    await run(database, "update session_packs set status = 'expired'")
    answer = await admin.post(f"/admin/users/{cast[who]}/role", {"role": "admin"})
    assert 'data-code="seats_live"' in answer.text
    await run(database, "update seat_reservations set status = 'released'")
    assert (await admin.post(f"/admin/users/{cast[who]}/role", {"role": "admin"})).status_code == 303


@pytest.mark.parametrize("role", ["", "owner", "STUDENT"])
async def test_a_role_that_is_none(admin: Browser, cast: Cast, role: str) -> None:
    answer = await admin.post(f"/admin/users/{cast['new_student']}/role", {"role": role})
    assert answer.status_code == 422
    assert "Please choose one of the list." in answer.text


async def test_nobody_changes_or_deletes_themselves(admin: Browser, database: Database, cast: Cast) -> None:
    await admin.post(f"/admin/users/{cast['new_student']}/role", {"role": "admin"})
    for act in ("role", "deletion"):
        answer = await admin.post(f"/admin/users/{cast['admin']}/{act}", {"role": "student"})
        assert 'data-code="own_account"' in answer.text
    assert (await user(database, cast["admin"])).role is Role.ADMIN


async def test_deletion_and_restoration(
    admin: Browser, visit: Visit, database: Database, open_settings: Settings, free: Cast
) -> None:
    student = await visit("student")
    async with database.service(ServiceDoor.SEED) as uow:
        token = await access_tokens.issue_token(uow, free["student"], "a script", 30)
        await uow.commit()
    for _ in range(2):  # the second time changes nothing
        answer = await admin.post(f"/admin/users/{free['student']}/deletion")
        assert target(answer) == f"/admin/users/{free['student']}"
    assert target(await student.get("/settings")) == "/sign-in?next=/settings"
    assert await calling(admin, token) == 401
    page = (await admin.get(f"/admin/users/{free['student']}")).text
    assert "Restore the account" in page
    assert "Sign in as" not in page
    for _ in range(2):
        answer = await admin.post(f"/admin/users/{free['student']}/restoration")
        assert target(answer) == f"/admin/users/{free['student']}"
    assert await calling(admin, token) == 404
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        student.carry(await web_sessions.start(uow, open_settings, free["student"], web_sessions.Browser()))
        await uow.commit()
    assert (await student.get(f"/packs/{free.packs['student']}")).status_code == 200
    assert [entry.action for entry in await entries(database)] == ["delete_user", "restore_user"]


async def test_a_deleted_instructor_is_nowhere_in_public(
    admin: Browser, visit: Visit, database: Database, cast: Cast
) -> None:
    await run(database, "update session_packs set status = 'expired'")
    await run(
        database,
        "insert into mentorship_products (id, mentor_id, title, price_minor, currency, sessions_per_pack,"
        " validity_days, active, description, created_at)"
        " values (:id, :mentor, 'Four', 4000, 'EUR', 4, 45, true, '', now())",
        id=(product := new_id()),
        mentor=cast["mentor"],
    )
    new = await visit("new_student")
    assert (await new.get(f"/checkout?product_id={product}")).status_code == 200
    assert (await admin.post(f"/admin/users/{cast['mentor']}/deletion")).status_code == 303
    for browser in (await visit("anonymous"), new, admin):
        assert "/instructors/mentor" not in (await browser.get("/instructors")).text
        assert "/instructors/mentor" not in (await browser.get("/")).text
        assert (await browser.get("/instructors/mentor")).status_code == 404
    assert (await new.get(f"/checkout?product_id={product}")).status_code == 404
    await admin.post(f"/admin/users/{cast['mentor']}/restoration")
    assert "/instructors/mentor" in (await new.get("/instructors")).text
    assert (await new.get(f"/checkout?product_id={product}")).status_code == 200


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_nobody_is_deleted_while_something_is_owed(
    admin: Browser, database: Database, cast: Cast, who: str
) -> None:
    answer = await admin.post(f"/admin/users/{cast[who]}/deletion", htmx=True)
    assert answer.status_code == 409
    assert "A pack still has sessions left." in answer.text
    assert (await user(database, cast[who])).deleted_at is None


async def test_an_erased_account_is_gone(admin: Browser, database: Database, cast: Cast) -> None:
    await run(
        database,
        "update users set deleted_at = now(), forgotten_at = now() where id = :id",
        id=cast["new_student"],
    )
    await admin.post(f"/admin/users/{cast['new_student']}/restoration")
    assert admin.flashes() == ["This account was erased and can't be restored."]
    assert "erased for good" in (await admin.get(f"/admin/users/{cast['new_student']}")).text


@pytest.mark.parametrize(
    "act",
    [
        lambda uow, of, by: accounts.change_role(uow, of, Role.STUDENT, by=by),
        lambda uow, of, by: accounts.delete(uow, of, by=by),
    ],
    ids=["demoting", "deleting"],
)
@pytest.mark.parametrize("people", [2, 3, 5])
async def test_admins_who_end_each_other_at_the_same_moment_leave_one(
    database: Database, cast: Cast, act: Callable[..., Awaitable[bool]], people: int
) -> None:
    admins = [cast["admin"], *(new_id() for _ in range(people - 1))]
    async with database.service(ServiceDoor.SEED) as uow:
        for number, id_ in enumerate(admins[1:]):
            await casting.add_user(uow, id_, f"admin{number}@example.test", "Admin", Role.ADMIN)
        await uow.commit()

    async def end(by: int) -> bool:
        principal = Principal(admins[by], Role.ADMIN)
        try:
            async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
                return await act(uow, admins[(by + 1) % people], principal)
        except AppError:
            return False

    done = await asyncio.gather(*(end(by) for by in range(people)))
    left = await run(database, "select id from users where role = 'admin' and deleted_at is null order by id")
    assert 1 <= len(left) == people - sum(done)
    assert any(done)


@pytest.mark.parametrize(
    "act",
    [
        lambda uow, of, by: accounts.change_role(uow, of, Role.MENTOR, by=by),
        lambda uow, of, by: accounts.delete(uow, of, by=by),
    ],
    ids=["another role", "deletion"],
)
@pytest.mark.timeout(60)
async def test_a_pack_that_is_given_at_the_same_moment_is_seen(
    database: Database, free: Cast, act: Callable[..., Awaitable[bool]]
) -> None:
    async def end() -> None:
        async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
            await act(uow, free["student"], free.principal("admin"))

    blocked = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await packs.grant(
            uow, mentor_id=free["mentor"], student_id=free["student"], sessions=4, validity_days=30
        )
        task = asyncio.create_task(end())
        while not (task.done() or await run(database, blocked)):
            await asyncio.wait([task], timeout=0.02)
    with pytest.raises(Refused) as caught:
        await task
    assert caught.value.code == "packs_live"
    assert (await user(database, free["student"])).deleted_at is None


async def places(database: Database) -> list[tuple[str, str | None]]:
    rows = await run(
        database,
        "select u.name, w.outcome from waitlist w join users u on u.id = w.student_id order by u.name",
    )
    return [tuple(row) for row in rows]


async def test_another_role_ends_the_waiting(admin: Browser, database: Database, free: Cast) -> None:
    """Nobody waits for who teaches no more, and who doesn't learn any more waits for nobody."""
    await let_go(database, free, "other_student")
    await run(database, "update mentors set max_active_students = 0")
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        for who, mentor in (
            ("new_student", "other_mentor"),
            ("student", "other_mentor"),
            ("student", "mentor"),
        ):
            await waitlist.join(uow, free[mentor], free[who])
    await admin.post(f"/admin/users/{free['student']}/role", {"role": "mentor"})
    assert await places(database) == [("New Student", None), ("Student", "left"), ("Student", "left")]
    await admin.post(f"/admin/users/{free['other_mentor']}/role", {"role": "student"})
    assert (await places(database))[0] == ("New Student", "removed")
    told = await run(database, "select 1 from outbox where payload->>'kind' = 'waitlist_removed'")
    assert len(told) == 1


async def test_a_restored_instructors_line_moves_on(admin: Browser, database: Database, free: Cast) -> None:
    await admin.post(f"/admin/users/{free['mentor']}/deletion")
    await run(database, "delete from outbox")
    await admin.post(f"/admin/users/{free['mentor']}/restoration")
    (event,) = await run(database, "select payload from outbox where type = 'seats/offer'")
    assert event.payload == {"mentor_id": str(free["mentor"])}
