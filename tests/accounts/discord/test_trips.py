"""Trips to Discord: one use of a state, one browser and one person a trip, and nothing changed when something goes wrong."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from app.accounts import web_sessions
from app.accounts.models import OAuthState, Provider, UserIdentity
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.rls import ServiceDoor
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import Open
from tests.accounts.discord.trips import MAYA, OTHER, consent, rows, set_out, travel
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox

CARD = "/settings"


@pytest.fixture(autouse=True)
def _members(sandbox: RunningSandbox) -> None:
    sandbox.control.discord_member(MAYA, username="maya.brooks", name="Maya")
    sandbox.control.discord_member(OTHER, username="somebody.else")


async def nothing_changed(database: Database) -> bool:
    events = [event for event in await rows(database, OutboxEvent) if event.type == "discord/role"]
    return await rows(database, UserIdentity) == events == []


@pytest.mark.parametrize("name", ["student", "mentor", "admin"])
async def test_there_and_back(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast, name: str
) -> None:
    browser = await linking(cast[name])
    assert target(await travel(browser, sandbox)) == CARD
    assert browser.flashes() == ["Discord is linked: you are maya.brooks there."]
    (identity,) = await rows(database, UserIdentity)
    assert (identity.user_id, identity.provider) == (cast[name], Provider.DISCORD)
    assert (identity.subject, identity.name, identity.email) == (MAYA, "maya.brooks", None)
    assert await rows(database, OAuthState) == []
    assert "maya.brooks" in (await browser.get("/settings")).text


async def test_what_is_asked_of_discord(linking: Open, sandbox: RunningSandbox, cast: Cast) -> None:
    browser = await linking(cast["student"])
    url = await set_out(browser)
    query = parse_qs(urlsplit(url).query)
    assert query["scope"] == ["identify"]
    assert query["redirect_uri"] == ["http://127.0.0.1:8000/auth/discord/callback"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["response_type"] == ["code"]
    before = len(sandbox.control.requests("discord"))
    await browser.get(consent(sandbox, url))
    asked = [
        (one["method"], one["path"].rpartition("/v10")[2])
        for one in sandbox.control.requests("discord")[before:]
        if "/v10/" in one["path"]
    ]
    assert asked == [("POST", "/oauth2/token"), ("GET", "/users/@me"), ("POST", "/oauth2/token/revoke")]


async def test_no_secret_is_stored_and_the_token_is_given_back(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    url = await set_out(browser)
    state = parse_qs(urlsplit(url).query)["state"][0]
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        stored = (await uow.session.execute(sa.text("select o::text from oauth_states o"))).scalar_one()
    assert state not in stored
    assert (browser.cookie("discord_trip") or "") not in stored
    await browser.get(consent(sandbox, url))
    asked = {one["path"].rpartition("/v10")[2]: one for one in sandbox.control.requests("discord")}
    given, revoked = asked["/oauth2/token"], asked["/oauth2/token/revoke"]
    assert revoked["status"] == 200
    assert revoked["body"]["token"] == given["answer"]["access_token"]


async def test_back_to_where_one_came_from(linking: Open, sandbox: RunningSandbox, cast: Cast) -> None:
    browser = await linking(cast["student"])
    assert "next=/dashboard" in (await browser.get("/dashboard")).text
    assert target(await travel(browser, sandbox, query="next=/dashboard")) == "/dashboard"
    page = (await browser.get("/dashboard")).text
    assert "Linked. The hour before a session rings there, too." in page
    assert "/auth/discord" not in page


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/%5Cevil.example"])
async def test_nobody_is_sent_elsewhere(
    linking: Open, sandbox: RunningSandbox, cast: Cast, elsewhere: str
) -> None:
    answer = await travel(await linking(cast["student"]), sandbox, query=f"next={elsewhere}")
    assert answer.headers["location"] == "/settings#discord"


async def test_saying_no_changes_nothing(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    for query, back in (("", CARD), ("next=/dashboard", "/dashboard")):
        way = consent(sandbox, await set_out(browser, query), allow=False)
        assert target(await browser.get(way)) == back
        assert browser.flashes() == ["You said no at Discord. Nothing was changed."]
    assert await nothing_changed(database)
    assert await rows(database, OAuthState) == []


async def refused(browser: Browser, way: str, database: Database) -> None:
    answer = await browser.get(way)
    assert answer.status_code == 400, answer.text
    assert "This way back from Discord was used already" in answer.text
    assert "Nothing was changed" in answer.text
    assert await nothing_changed(database)


async def test_an_unknown_state_is_refused(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    code = parse_qs(urlsplit(consent(sandbox, await set_out(browser))).query)["code"][0]
    for query in (f"code={code}", f"code={code}&state=", f"code={code}&state=x", "state=%00&code=%00", ""):
        await refused(browser, f"/auth/discord/callback?{query}", database)


async def test_after_ten_minutes_it_is_too_late(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    way = consent(sandbox, await set_out(browser))
    async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
        await uow.session.execute(sa.update(OAuthState).values(expires_at=datetime.now(UTC)))
    await refused(browser, way, database)


async def test_another_browser_is_refused(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    """Also one of the same person: whoever has their way back could link a stranger's Discord account to them."""
    mine, theirs = await linking(cast["student"]), await linking(cast["student"])
    way = consent(sandbox, await set_out(mine))
    await refused(theirs, way, database)
    await set_out(theirs)
    await refused(theirs, consent(sandbox, await set_out(mine)), database)


async def test_somebody_else_signed_in_meanwhile(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    way = consent(sandbox, await set_out(browser))
    browser.carry(str((await linking(cast["other_student"])).cookie("session")))
    await refused(browser, way, database)


async def test_a_trip_to_google_does_not_end_here(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    away = await browser.get("/auth/google?purpose=link")
    state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
    cookie = browser.cookie("google_trip")
    browser.http.cookies.set("discord_trip", str(cookie), domain="127.0.0.1", path="/auth/discord")
    await refused(browser, f"/auth/discord/callback?state={state}&code=x", database)


async def test_signed_out_meanwhile(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    """They sign in, and the way back goes on: it waits for who set out."""
    browser = await linking(cast["student"])
    way = consent(sandbox, await set_out(browser))
    secret = str(browser.cookie("session"))
    browser.http.cookies.delete("session")
    assert target(await browser.get(way)).startswith("/sign-in?next=/auth/discord/callback")
    assert await nothing_changed(database)
    browser.carry(secret)
    assert target(await browser.get(way)) == CARD
    assert len(await rows(database, UserIdentity)) == 1


async def test_clicked_twice_or_gone_back_shows_what_is(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    way = consent(sandbox, await set_out(browser))
    assert target(await browser.get(way)) == CARD
    assert target(await browser.get(way)) == CARD
    assert browser.flashes() == ["Discord is linked: you are maya.brooks there."]
    assert len(await rows(database, UserIdentity)) == 1


async def test_many_clicks_at_once_link_once(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    way = consent(sandbox, await set_out(browser))
    answers = await asyncio.gather(*(browser.get(way) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {303, 400}
    assert 303 in {answer.status_code for answer in answers}
    assert len(await rows(database, UserIdentity)) == 1
    tokens = [one for one in sandbox.control.requests("discord") if one["path"].endswith("/oauth2/token")]
    assert len(tokens) == 1


async def test_two_tabs_do_not_disturb_each_other(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browser = await linking(cast["student"])
    first, second = await set_out(browser), await set_out(browser)
    for url in (first, second):
        assert target(await browser.get(consent(sandbox, url))) == CARD
    assert len(await rows(database, UserIdentity)) == 1


async def test_what_is_somebody_elses_or_one_too_many_is_refused(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    mine, theirs = await linking(cast["student"]), await linking(cast["mentor"])
    await travel(mine, sandbox)
    for browser, member, query, back, words in (
        (theirs, MAYA, "", CARD, "That Discord account is linked to somebody else here."),
        (mine, OTHER, "next=/dashboard", "/dashboard", "You have linked maya.brooks already."),
    ):
        assert target(await travel(browser, sandbox, member, query)) == back
        (flash,) = browser.flashes()
        assert flash.startswith(words)
        assert flash.endswith("Nothing was changed.")
    (identity,) = await rows(database, UserIdentity)
    assert (identity.user_id, identity.subject) == (cast["student"], MAYA)


async def test_many_people_with_one_account_at_once(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    browsers = [await linking(cast[name]) for name in ("student", "other_student", "mentor", "admin")]
    ways = [consent(sandbox, await set_out(browser)) for browser in browsers]
    await asyncio.gather(*(browser.get(way) for browser, way in zip(browsers, ways, strict=True)))
    said = [browser.flashes()[0].split(":")[0] for browser in browsers]
    assert said.count("Discord is linked") == 1
    assert len(await rows(database, UserIdentity)) == 1


async def test_a_code_that_discord_does_not_take(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    """A forged one; and one of somebody else's trip, which fits no verifier but its own."""
    browser, thief = await linking(cast["student"]), await linking(cast["mentor"])
    stolen = parse_qs(urlsplit(consent(sandbox, await set_out(browser))).query)["code"][0]
    for code in ("forged", stolen):
        state = parse_qs(urlsplit(await set_out(thief)).query)["state"][0]
        assert target(await thief.get(f"/auth/discord/callback?state={state}&code={code}")) == CARD
        assert thief.flashes() == [
            "Discord didn't accept the way back. Nothing was changed; please start again."
        ]
    assert await nothing_changed(database)


@pytest.mark.parametrize(
    "dial", [{"status": 500, "error_rate": 1}, {"status": 429, "error_rate": 1}, {"latency_ms": 3000}]
)
async def test_discord_out_of_reach_is_told(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast, dial: dict[str, float]
) -> None:
    browser = await linking(cast["student"])
    way = consent(sandbox, await set_out(browser))
    sandbox.control.chaos("discord", **dial)
    assert target(await browser.get(way)) == CARD
    assert browser.flashes() == [
        "Discord doesn't answer at the moment. Nothing was changed; please try again in a few minutes."
    ]
    assert await nothing_changed(database)
    sandbox.control.chaos("discord")
    assert target(await travel(browser, sandbox)) == CARD
    assert len(await rows(database, UserIdentity)) == 1


async def test_who_may_set_out(
    linking: Open, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    anonymous = await linking()
    for path in ("/auth/discord?next=/dashboard", "/auth/discord/callback?state=x&code=y"):
        assert target(await anonymous.get(path)).startswith("/sign-in?next=/auth/discord")
    for name in ("student", "mentor", "admin"):
        assert "/oauth2/authorize?" in await set_out(await linking(cast[name]))
    async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
        hour = timedelta(hours=1)
        secret = await web_sessions.start_as(uow, cast["student"], cast["admin"], None, hour)
    as_them = await linking()
    as_them.carry(secret)
    way = consent(sandbox, await set_out(await linking(cast["student"])))
    for path in ("/auth/discord", way):
        answer = await as_them.get(path)
        assert (answer.status_code, "Only they can do this themselves" in answer.text) == (403, True)
    assert (await as_them.post("/settings/discord/disconnection")).status_code == 403
    assert await nothing_changed(database)
