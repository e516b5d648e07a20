"""The jobs page: what gave up, another try for it, and nothing personal in between."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from app.admin import jobs
from app.core import clock, outbox
from app.core.db import Database
from app.core.ids import new_id
from app.core.outbox import MAX_STARTS, Event
from app.core.rls import ServiceDoor
from tests.accounts.browser import Browser
from tests.admin.conftest import Visit
from tests.admin.work import dead, delivery, sql
from tests.cast import Cast
from tests.support.queries import counted


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


async def state(database: Database, event_id: object) -> object:
    (row,) = await sql(database, "select state, attempts, starts from outbox where id = :id", id=event_id)
    return tuple(row)


async def audited(database: Database) -> list[tuple[str, object, object]]:
    rows = await sql(
        database,
        "select action, subject_id, after from audit_log where action in ('retry_job', 'retry_jobs') order by id",
    )
    return [tuple(row) for row in rows]


async def test_one_that_gave_up_is_tried_again_once(database: Database, admin: Browser) -> None:
    event_id = await dead(database, starts=12)
    path = f"/admin/jobs/{event_id}/retries"
    answers = await asyncio.gather(*(admin.post(path, htmx=True) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sum("It is being tried again" in answer.text for answer in answers) == 1
    assert await state(database, event_id) == ("new", 0, 12)
    assert await audited(database) == [("retry_job", event_id, None)]


async def test_the_next_worker_performs_it(database: Database, admin: Browser) -> None:
    event_id = await dead(database, payload={"number": 7}, available_at=clock.now() + timedelta(hours=1))
    await admin.post(f"/admin/jobs/{event_id}/retries")
    async with database.service(ServiceDoor.JOB) as uow:
        claimed = await outbox.claim_due(uow, clock.now())
        await uow.commit()
    assert event_id in claimed
    seen: list[Event] = []

    async def handle(event: Event) -> None:
        seen.append(event)

    await outbox.perform(database, event_id, handle)
    assert [(event.payload, event.attempts) for event in seen] == [({"number": 7}, 1)]
    assert (await state(database, event_id))[0] == "done"  # type: ignore[index]


async def test_one_that_was_started_too_often_begins_anew(database: Database, admin: Browser) -> None:
    event_id = await dead(database, starts=MAX_STARTS, attempts=0)
    await admin.post(f"/admin/jobs/{event_id}/retries")
    assert await state(database, event_id) == ("new", 0, 0)


async def test_all_of_a_type_and_no_others(database: Database, admin: Browser) -> None:
    tea = [await dead(database) for _ in range(3)]
    coffee = await dead(database, "test/coffee")
    answer = await admin.post("/admin/jobs/retries", {"type": "test/tea"})
    assert answer.status_code == 303
    assert admin.flashes() == ["3 jobs are being tried again; reload in a moment to see what became of it."]
    assert {(await state(database, id_))[0] for id_ in tea} == {"new"}  # type: ignore[index]
    assert (await state(database, coffee))[0] == "dead"  # type: ignore[index]
    assert await audited(database) == [("retry_jobs", None, {"type": "test/tea", "events": 3})]
    again = await admin.post("/admin/jobs/retries", {"type": "test/tea"}, htmx=True)
    assert "somebody had it tried again already" in again.text
    assert len(await audited(database)) == 1


@pytest.mark.parametrize("live", ["new", "queued", "done"])
async def test_what_lives_is_left_alone(database: Database, admin: Browser, live: str) -> None:
    event_id = await dead(database, state=live, attempts=3)
    await admin.post(f"/admin/jobs/{event_id}/retries")
    assert await state(database, event_id) == (live, 3, 10)


@pytest.mark.parametrize("who", ["student", "mentor", "anonymous"])
async def test_the_database_lets_nobody_else_retry(database: Database, cast: Cast, who: str) -> None:
    event_id = await dead(database)
    async with database.unit_of_work(cast.principal(who)) as uow:
        assert not await outbox.retry(uow, event_id)
        await uow.commit()
    assert (await state(database, event_id))[0] == "dead"  # type: ignore[index]


@pytest.mark.parametrize("who", ["student", "mentor", "anonymous"])
async def test_the_database_counts_for_nobody_else(database: Database, cast: Cast, who: str) -> None:
    async with database.unit_of_work(cast.principal(who)) as uow:
        with pytest.raises(ProgrammingError, match="for admins"):
            await jobs.queue(uow)


async def test_an_admin_makes_nothing_else_of_an_event(database: Database, cast: Cast) -> None:
    event_id = await dead(database)
    changes = ("state = 'done'", "payload = '{}'", "type = 'x'", "state = 'new', last_error = null")
    for change in changes:
        async with database.unit_of_work(cast.principal("admin")) as uow:
            with pytest.raises(ProgrammingError):
                await uow.session.execute(sa.text(f"update outbox set {change} where id = '{event_id}'"))


async def test_the_page_counts_what_there_is(database: Database, admin: Browser, cast: Cast) -> None:
    await sql(database, "update outbox set state = 'done', done_at = now()")
    now = clock.now()
    for name in ("new", "queued", "queued"):
        await dead(database, state=name, available_at=now - timedelta(hours=2))
    await dead(database, state="new", available_at=now + timedelta(hours=2))
    await dead(database)
    async with database.unit_of_work(cast.principal("admin")) as uow:
        found = await jobs.queue(uow)
    assert (found.waiting, found.handed_over, found.later, found.dead, found.workers) == (1, 2, 1, 1, 0)
    assert found.oldest is not None
    assert abs((now - found.oldest) - timedelta(hours=2)) < timedelta(minutes=1)
    page = (await admin.get("/admin/jobs")).text
    assert "2 hours ago" in page
    assert "No worker is alive" in page


async def test_errors_are_told_without_peoples_addresses(
    database: Database, admin: Browser, cast: Cast
) -> None:
    await dead(database, error="ResendError: 422 invalid `to`: <maya.brooks@example.test>, again")
    await delivery(database, cast["student"], error="bounced: student@example.test is unknown")
    page = (await admin.get("/admin/jobs")).text
    assert "maya.brooks" not in page
    assert "student@example.test" not in page
    assert "422 invalid" in page
    assert "bounced: … is unknown" in page


async def test_ids_lead_to_pages_where_there_are_any(database: Database, admin: Browser) -> None:
    id_ = new_id()
    payload = {"session_id": id_, "user_id": id_, "seat_id": id_, "pack_id": "nonsense", "order_id": None}
    await dead(database, "notification/send", payload | {"kind": "pack_granted"})
    page = (await admin.get("/admin/jobs")).text
    assert f'href="/admin/sessions/{id_}"' in page
    assert f'href="/admin/users/{id_}"' in page
    assert "/packs/nonsense" not in page
    assert "Sessions were added for you" in page


async def test_undelivered_mails_are_listed(database: Database, admin: Browser, cast: Cast) -> None:
    await delivery(database, cast["student"], "failed")
    await delivery(database, cast["mentor"], "uncertain")
    await delivery(database, cast["other_mentor"], "sent")
    page = (await admin.get("/admin/jobs")).text
    listed = page[page.index('id="undelivered"') :]
    assert re.findall(r"/admin/users/([0-9a-f-]{36})", listed) == [str(cast["mentor"]), str(cast["student"])]


async def test_pages_of_fifty_in_a_constant_number_of_queries(database: Database, admin: Browser) -> None:
    await admin.get("/admin/jobs")
    numbers = []
    for more in (1, 51):
        for number in range(more):
            await dead(database, f"test/{number % 5}")
        with counted() as statements:
            page = await admin.get("/admin/jobs")
        numbers.append(len(statements))
    assert numbers == [7, 7], statements
    assert len(re.findall(r'id="job-', page.text)) == 50
    second = await admin.get("/admin/jobs?page=2")
    assert len(re.findall(r'id="job-', second.text)) == 2
    few = await admin.fragment("/admin/jobs?type=test/3")
    assert len(re.findall(r'id="job-', few.text)) == 10
    assert (await admin.get("/admin/jobs?type=nonsense")).status_code == 200
    assert (await admin.get("/admin/jobs?page=999")).status_code == 200
    for odd in ("page=x", "page=0", "page=00000199999999999999999999", "type=nonsense"):
        answer = await admin.get(f"/admin/jobs?{odd}")
        assert answer.status_code == 200
        assert "so this is the first page" in answer.text


def test_what_is_discreet() -> None:
    assert jobs.discreet("to: a.b+c@x.example; 'z@y.test'") == "to: …; '…'"
    assert jobs.discreet(None) == jobs.discreet("") == "Nothing was said."
