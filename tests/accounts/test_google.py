"""Continue with Google, against the sandbox's OAuth: one user a person, one use of a state, one browser a trip."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from litestar import Litestar

from app.accounts import oauth, service
from app.accounts.models import OAuthState, Provider, User, UserIdentity, WebSession
from app.asgi import create_app
from app.calendars.google import SCOPES as CALENDAR_SCOPES
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import EMAIL, PASSWORD
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox, running_sandbox

NEWCOMER = "newcomer@gmail.example"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("google")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: RunningSandbox) -> Iterator[RunningSandbox]:
    served.control.reset()
    served.control.chaos()
    served.control.account(NEWCOMER, name="Nora Newcomer")
    served.control.account(EMAIL, name="Ada at Google")
    yield served
    served.control.chaos()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def google_app(fast: Settings, served: RunningSandbox) -> AsyncIterator[Litestar]:
    urls = {name.lower(): url for name, url in served.platform_settings().items() if name != "CLOCK_FILE"}
    app = create_app(dataclasses.replace(fast, **urls, google_timeout_seconds=1.0))  # type: ignore[arg-type]
    yield app
    await app.state.database.dispose()


@pytest.fixture
async def browsers(google_app: Litestar, browsers: Any) -> Any:
    """As everywhere, but of an application whose Google is the sandbox."""

    async def open_(user_id: Any = None) -> Browser:
        browser: Browser = await browsers(user_id)
        browser.http._transport = httpx.ASGITransport(app=google_app)  # type: ignore[arg-type]
        return browser

    return open_


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return list((await uow.session.execute(sa.select(table))).scalars())


async def set_out(browser: Browser, query: str = "purpose=sign-in") -> str:
    """The address of Google's consent page."""
    answer = await browser.get(f"/auth/google?{query}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def consent(sandbox: RunningSandbox, url: str, address: str, **how: Any) -> str:
    """Path and query with which Google sends the browser back."""
    location = urlsplit(sandbox.control.consent(url, address, **how))
    return f"{location.path}?{location.query}"


async def travel(
    browser: Browser, sandbox: RunningSandbox, address: str, query: str = "purpose=sign-in"
) -> Any:
    """There, consent, and back."""
    return await browser.get(consent(sandbox, await set_out(browser, query), address))


async def test_the_first_time_makes_an_account(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    browser = await browsers()
    answer = await travel(browser, sandbox, NEWCOMER, "purpose=sign-in&time_zone=Asia/Tokyo")
    assert target(answer) == "/sessions"
    (user,) = await rows(database, User)
    assert (user.email, user.name, user.role, user.time_zone) == (
        NEWCOMER,
        "Nora Newcomer",
        "student",
        "Asia/Tokyo",
    )
    assert user.email_verified_at is not None
    assert user.password_hash is None
    (identity,) = await rows(database, UserIdentity)
    assert (identity.user_id, identity.provider, identity.email) == (user.id, Provider.GOOGLE, NEWCOMER)
    assert identity.subject.isdigit()
    assert "Asia/Tokyo" in browser.flashes()[0]
    assert NEWCOMER in (await browser.get("/settings")).text
    assert await rows(database, OAuthState) == []


async def test_the_second_time_signs_in(browsers: Any, sandbox: RunningSandbox, database: Database) -> None:
    first, second = await browsers(), await browsers()
    await travel(first, sandbox, NEWCOMER)
    assert target(await travel(second, sandbox, NEWCOMER, "purpose=sign-in&next=/settings")) == "/settings"
    assert second.flashes() == []
    assert len(await rows(database, User)) == 1
    assert len(await rows(database, WebSession)) == 2


async def test_the_subject_counts_not_the_address(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    await travel(await browsers(), sandbox, NEWCOMER)
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(sa.update(User).values(email="renamed@example.test"))
        await uow.commit()
    assert target(await travel(await browsers(), sandbox, NEWCOMER)) == "/sessions"
    assert len(await rows(database, User)) == 1


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "x" * 500])
async def test_an_unknown_zone_becomes_utc(
    browsers: Any, sandbox: RunningSandbox, database: Database, zone: str
) -> None:
    await travel(await browsers(), sandbox, NEWCOMER, f"purpose=sign-in&time_zone={zone}")
    assert (await rows(database, User))[0].time_zone == "UTC"


async def test_many_first_sign_ins_at_once_make_one_user(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    everyone = [await browsers() for _ in range(16)]
    ways_back = [consent(sandbox, await set_out(browser), NEWCOMER) for browser in everyone]
    answers = await asyncio.gather(
        *(browser.get(way) for browser, way in zip(everyone, ways_back, strict=True))
    )
    assert [target(answer) for answer in answers] == ["/sessions"] * 16
    assert len(await rows(database, User)) == 1
    assert len(await rows(database, UserIdentity)) == 1
    assert len(await rows(database, WebSession)) == 16


async def test_google_and_a_sign_up_at_once_make_one_user(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    form = {"name": "Nora", "email": NEWCOMER, "password": PASSWORD, "time_zone": "UTC"}
    googlers, others = [await browsers() for _ in range(6)], [await browsers() for _ in range(6)]
    ways_back = [consent(sandbox, await set_out(browser), NEWCOMER) for browser in googlers]
    await asyncio.gather(
        *(browser.get(way) for browser, way in zip(googlers, ways_back, strict=True)),
        *(browser.post("/sign-up", form) for browser in others),
    )
    (user,) = await rows(database, User)
    identities = await rows(database, UserIdentity)
    # Whoever came first, an address that nobody confirmed is never handed to Google's account.
    assert len(identities) <= 1
    assert (user.email_verified_at is not None) is (len(identities) == 1)


async def test_an_account_with_a_confirmed_address_is_connected(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    assert target(await travel(await browsers(), sandbox, EMAIL)) == "/sessions"
    (identity,) = await rows(database, UserIdentity)
    assert identity.user_id == ada
    (user,) = await rows(database, User)
    assert user.name == "Ada Byron"
    assert user.password_hash is not None


async def test_an_account_nobody_confirmed_is_not_handed_over(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await service.create_user(
            uow,
            name="Somebody",
            email=EMAIL,
            role=Role.STUDENT,
            time_zone="UTC",
            password=PASSWORD,
            verified=False,
        )
        await uow.commit()
    browser = await browsers()
    answer = await travel(browser, sandbox, EMAIL)
    assert answer.status_code == 422
    assert "connect Google in the settings" in answer.text
    assert browser.cookie("session") is None
    assert await rows(database, UserIdentity) == []


async def test_an_address_that_google_has_not_checked_is_refused(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    for address in (EMAIL, NEWCOMER):
        sandbox.control.account(address, email_verified=False)
        browser = await browsers()
        answer = await travel(browser, sandbox, address)
        assert answer.status_code == 422
        assert "confirmed" in answer.text
        assert browser.cookie("session") is None
    linking = await travel(await browsers(ada), sandbox, NEWCOMER, "purpose=link")
    assert linking.status_code == 422
    assert await rows(database, UserIdentity) == []
    assert len(await rows(database, User)) == 1


async def test_a_closed_account_is_not_opened(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    await travel(await browsers(), sandbox, EMAIL)
    async with database.service(ServiceDoor.SEED) as uow:
        await service.delete_user(uow, ada)
        await uow.commit()
    browser = await browsers()
    answer = await travel(browser, sandbox, EMAIL)
    assert answer.status_code == 422
    assert "closed" in answer.text
    assert browser.cookie("session") is None


async def test_connecting_in_the_settings(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    browser = await browsers(ada)
    for _ in range(2):  # again changes nothing
        assert target(await travel(browser, sandbox, NEWCOMER, "purpose=link")) == "/settings"
        (identity,) = await rows(database, UserIdentity)
        assert (identity.user_id, identity.email) == (ada, NEWCOMER)
    assert NEWCOMER in (await browser.get("/settings")).text
    assert target(await travel(await browsers(), sandbox, NEWCOMER)) == "/sessions"
    assert len(await rows(database, User)) == 1


async def test_one_google_account_a_user_and_one_user_a_google_account(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any, cast: Cast
) -> None:
    browser, other = await browsers(ada), await browsers(cast["student"])
    await travel(browser, sandbox, NEWCOMER, "purpose=link")
    taken = await travel(other, sandbox, NEWCOMER, "purpose=link")
    assert taken.status_code == 409
    assert "somebody else" in taken.text
    second = await travel(browser, sandbox, EMAIL, "purpose=link")
    assert second.status_code == 409
    assert "Disconnect that one first" in second.text
    signing_in = await travel(await browsers(), sandbox, EMAIL)
    assert signing_in.status_code == 422
    assert "another Google account" in signing_in.text
    (identity,) = await rows(database, UserIdentity)
    assert (identity.user_id, identity.email) == (ada, NEWCOMER)


async def test_many_connect_at_once_and_one_wins(
    browsers: Any, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    names = ["student", "other_student", "new_student", "mentor", "other_mentor", "admin"]
    everyone = [await browsers(cast[name]) for name in names]
    ways_back = [consent(sandbox, await set_out(browser, "purpose=link"), NEWCOMER) for browser in everyone]
    answers = await asyncio.gather(
        *(browser.get(way) for browser, way in zip(everyone, ways_back, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 5
    assert len(await rows(database, UserIdentity)) == 1


async def test_signing_in_with_google_is_a_new_session(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    attacker, victim = await browsers(ada), await browsers()
    planted = attacker.cookie("session")
    victim.carry(planted)
    await travel(victim, sandbox, NEWCOMER)
    assert victim.cookie("session") != planted
    assert (await attacker.get("/settings")).status_code == 303


async def test_saying_no_changes_nothing(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    browser = await browsers()
    way = consent(sandbox, await set_out(browser, "purpose=sign-in&next=/calendar"), NEWCOMER, allow=False)
    assert target(await browser.get(way)) == "/sign-in?next=/calendar"
    assert "said no" in browser.flashes()[0]
    signed_in = await browsers(ada)
    way = consent(sandbox, await set_out(signed_in, "purpose=link"), NEWCOMER, allow=False)
    assert target(await signed_in.get(way)) == "/settings"
    assert await rows(database, UserIdentity) == []
    assert await rows(database, OAuthState) == []


async def refused(browser: Browser, way: str) -> None:
    answer = await browser.get(way)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text
    assert browser.cookie("session") is None


async def test_a_way_back_works_once(browsers: Any, sandbox: RunningSandbox, database: Database) -> None:
    browser = await browsers()
    way = consent(sandbox, await set_out(browser), NEWCOMER)
    assert (await browser.get(way)).status_code == 303
    await browser.post("/sign-out")
    await refused(browser, way)


async def test_two_at_once_with_one_way_back(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    browser = await browsers()
    way = consent(sandbox, await set_out(browser), NEWCOMER)
    answers = await asyncio.gather(*(browser.get(way) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 5
    assert len(await rows(database, WebSession)) == 1


async def test_a_way_back_from_another_browser_is_refused(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    """Somebody who gets another to follow their link would sign them in as themselves."""
    attacker, victim = await browsers(), await browsers()
    way = consent(sandbox, await set_out(attacker), NEWCOMER)
    await refused(victim, way)
    await set_out(victim)
    way = consent(sandbox, await set_out(attacker), NEWCOMER)
    await refused(victim, way)
    assert await rows(database, User) == []


async def test_a_way_back_after_ten_minutes_is_refused(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    browser = await browsers()
    way = consent(sandbox, await set_out(browser), NEWCOMER)
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        (expires_at,) = (await uow.session.execute(sa.select(OAuthState.expires_at))).scalars()
        assert 590 < (expires_at - datetime.now(UTC)).total_seconds() <= 600
        await uow.session.execute(sa.update(OAuthState).values(expires_at=datetime.now(UTC)))
        await uow.commit()
    await refused(browser, way)


async def test_an_unknown_state_is_refused(browsers: Any, sandbox: RunningSandbox) -> None:
    browser = await browsers()
    way = consent(sandbox, await set_out(browser), NEWCOMER)
    code = parse_qs(urlsplit(way).query)["code"][0]
    for query in (f"code={code}", f"code={code}&state=", f"code={code}&state=x", "state=%00&code=%00", ""):
        await refused(browser, f"/auth/google/callback?{query}")


async def test_a_forged_code_is_refused(browsers: Any, sandbox: RunningSandbox, database: Database) -> None:
    browser = await browsers()
    state = parse_qs(urlsplit(await set_out(browser)).query)["state"][0]
    answer = await browser.get(f"/auth/google/callback?state={state}&code=forged")
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert await rows(database, User) == []


async def test_a_code_from_another_trip_fits_no_verifier(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    """PKCE: a stolen code is worth nothing without the verifier that its trip began with."""
    browser, thief = await browsers(), await browsers()
    code = parse_qs(urlsplit(consent(sandbox, await set_out(browser), NEWCOMER)).query)["code"][0]
    state = parse_qs(urlsplit(await set_out(thief)).query)["state"][0]
    answer = await thief.get(f"/auth/google/callback?state={state}&code={code}")
    assert answer.status_code == 422
    assert await rows(database, User) == []


async def test_two_tabs_do_not_disturb_each_other(browsers: Any, sandbox: RunningSandbox) -> None:
    browser = await browsers()
    first, second = await set_out(browser), await set_out(browser)
    assert target(await browser.get(consent(sandbox, first, NEWCOMER))) == "/sessions"
    assert target(await browser.get(consent(sandbox, second, NEWCOMER))) == "/sessions"


async def test_somebody_else_signed_in_meanwhile(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any, cast: Cast
) -> None:
    browser = await browsers(ada)
    way = consent(sandbox, await set_out(browser, "purpose=link"), NEWCOMER)
    other = await browsers(cast["student"])
    browser.carry(other.cookie("session"))
    answer = await browser.get(way)
    assert answer.status_code == 400
    assert await rows(database, UserIdentity) == []


@pytest.mark.parametrize(
    "dial", [{"status": 500, "error_rate": 1}, {"status": 429, "error_rate": 1}, {"latency_ms": 4000}]
)
async def test_google_out_of_reach_is_told(
    browsers: Any, sandbox: RunningSandbox, database: Database, dial: dict[str, float]
) -> None:
    browser = await browsers()
    way = consent(sandbox, await set_out(browser), NEWCOMER)
    sandbox.control.chaos("google", **dial)
    answer = await browser.get(way)
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text
    assert browser.cookie("session") is None
    sandbox.control.chaos("google")
    assert target(await travel(browser, sandbox, NEWCOMER)) == "/sessions"
    assert len(await rows(database, User)) == 1


async def test_less_than_asked_for_is_told(
    browsers: Any, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await browsers(cast["mentor"])
    url = await set_out(browser, "purpose=calendar")
    way = consent(sandbox, url, "mentor@example.test", scopes=[CALENDAR_SCOPES[0]])
    answer = await browser.get(way)
    assert answer.status_code == 422
    assert "tick every box" in answer.text


async def test_what_is_asked_of_google(browsers: Any, sandbox: RunningSandbox, cast: Cast) -> None:
    query = parse_qs(urlsplit(await set_out(await browsers())).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://127.0.0.1:8000/auth/google/callback"]
    assert query["access_type"] == ["online"]
    assert "calendar" not in query["scope"][0]
    query = parse_qs(urlsplit(await set_out(await browsers(cast["mentor"]), "purpose=calendar")).query)
    assert query["access_type"] == ["offline"]
    assert query["prompt"] == ["consent"]
    assert set(query["scope"][0].split()) >= set(CALENDAR_SCOPES)
    assert set(oauth.PURPOSES["calendar"].scopes) >= set(CALENDAR_SCOPES)


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/%5Cevil.example"])
async def test_nobody_is_sent_elsewhere(browsers: Any, sandbox: RunningSandbox, elsewhere: str) -> None:
    answer = await travel(await browsers(), sandbox, NEWCOMER, f"purpose=sign-in&next={elsewhere}")
    assert answer.headers["location"] == "/sessions"


@pytest.mark.parametrize("purpose", ["", "x", "sign_in", "%00"])
async def test_an_unknown_purpose_is_404(browsers: Any, sandbox: RunningSandbox, purpose: str) -> None:
    assert (await (await browsers()).get(f"/auth/google?purpose={purpose}")).status_code == 404


async def test_who_may_set_out(browsers: Any, sandbox: RunningSandbox, cast: Cast) -> None:
    anonymous = await browsers()
    for purpose in ("link", "calendar"):
        answer = await anonymous.get(f"/auth/google?purpose={purpose}")
        assert target(answer).startswith("/sign-in?next=/auth/google")
    for name in ("student", "admin"):
        assert (await (await browsers(cast[name])).get("/auth/google?purpose=calendar")).status_code == 403
    assert "/o/oauth2/" in await set_out(await browsers(cast["mentor"]), "purpose=calendar")


async def test_without_keys_there_is_no_google(fast: Settings, database: Database, ada: Any) -> None:
    app = create_app(dataclasses.replace(fast, google_client_id="", google_client_secret=""))
    browser = Browser(app)
    async with browser.http:
        assert (await browser.get("/auth/google?purpose=sign-in")).status_code == 404
        assert "Google" not in (await browser.get("/sign-in")).text
        await browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
        assert 'id="identities"' not in (await browser.get("/settings")).text
    await app.state.database.dispose()


async def test_no_secret_is_stored(browsers: Any, sandbox: RunningSandbox, database: Database) -> None:
    browser = await browsers()
    state = parse_qs(urlsplit(await set_out(browser)).query)["state"][0]
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        stored = (await uow.session.execute(sa.text("select o::text from oauth_states o"))).scalar_one()
    assert state not in stored
    assert (browser.cookie("google_trip") or "") not in stored
