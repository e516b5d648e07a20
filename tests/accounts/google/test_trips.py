"""Trips to Google: one use of a state, one browser a trip, and nothing changed when something goes wrong."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from app.accounts import oauth
from app.accounts.models import OAuthState, User, UserIdentity, WebSession
from app.asgi import create_app
from app.calendars.google import SCOPES as CALENDAR_SCOPES
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import EMAIL, PASSWORD
from tests.accounts.google.trips import NEWCOMER, consent, rows, set_out, travel
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox


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
    assert target(await browser.get(consent(sandbox, first, NEWCOMER))) == "/dashboard"
    assert target(await browser.get(consent(sandbox, second, NEWCOMER))) == "/dashboard"


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
    assert target(await travel(browser, sandbox, NEWCOMER)) == "/dashboard"
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
    assert answer.headers["location"] == "/dashboard"


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
