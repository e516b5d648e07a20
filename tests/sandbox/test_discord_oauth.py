"""Linking a Discord account: consent, codes, tokens, and who comes and goes, with hikari's own client."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import hikari
import httpx
import pytest

from tests.sandbox.discord import MENTOR, NEW_STUDENT, STUDENT, api, gateway_bot
from tests.sandbox.test_pages import Outline
from tests.support.sandbox import RunningSandbox
from tests.support.waiting import until

BACK = "http://127.0.0.1:8000/auth/discord/callback"


def authorize_url(sandbox: RunningSandbox, **more: str) -> str:
    query = {
        "response_type": "code",
        "client_id": sandbox.settings.discord_client_id,
        "redirect_uri": BACK,
        "scope": "identify",
        "state": "a state",
        **more,
    }
    return f"{sandbox.url}/discord/oauth2/authorize?{urlencode({k: v for k, v in query.items() if v})}"


def code_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]


def consent(sandbox: RunningSandbox, **more: str) -> str:
    return code_of(sandbox.control.discord_consent(authorize_url(sandbox, **more), str(MENTOR)))


def exchange(sandbox: RunningSandbox, code: str, **more: str) -> httpx.Response:
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **more}
    client = (sandbox.settings.discord_client_id, sandbox.settings.discord_client_secret)
    return sandbox.http.post("/discord/api/v10/oauth2/token", data=fields, auth=client)


def test_a_member_allows_it_on_the_page(sandbox: RunningSandbox) -> None:
    page = sandbox.http.get(authorize_url(sandbox))
    outline = Outline(page.text)
    assert page.status_code == 200
    assert outline.count("h1") == 1
    assert outline.unlabelled == []
    assert "Access your username" in page.text
    assert "Lisbon Mentor" in page.text
    allowed = sandbox.http.post(authorize_url(sandbox), data={"member": str(MENTOR), "decision": "allow"})
    assert allowed.status_code == 303
    parts = urlsplit(allowed.headers["location"])
    assert allowed.headers["location"].startswith(BACK)
    assert parse_qs(parts.query)["state"] == ["a state"]
    assert exchange(sandbox, code_of(allowed.headers["location"])).status_code == 200


def test_a_member_says_no(sandbox: RunningSandbox) -> None:
    denied = sandbox.http.post(authorize_url(sandbox), data={"decision": "deny"})
    query = parse_qs(urlsplit(denied.headers["location"]).query)
    assert (query["error"], query["state"]) == (["access_denied"], ["a state"])
    assert "code" not in query
    nobody = sandbox.http.post(authorize_url(sandbox), data={"decision": "allow", "member": "1"})
    assert (nobody.status_code, "Choose who you are" in nobody.text) == (400, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "1"},
        {"redirect_uri": "http://example.test/back"},
        {"redirect_uri": ""},
        {"response_type": "token"},
        {"scope": ""},
        {"scope": "identify everything"},
        {"code_challenge": "short", "code_challenge_method": "S256"},
        {"nonce": "x"},
    ],
)
def test_what_discord_would_not_ask(sandbox: RunningSandbox, wrong: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        answer = sandbox.http.request(method, authorize_url(sandbox, **wrong))
        assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_hikari_exchanges_the_code_and_asks_who_it_is(sandbox: RunningSandbox) -> None:
    client, secret = int(sandbox.settings.discord_client_id), sandbox.settings.discord_client_secret
    app = hikari.RESTApp(url=api(sandbox))
    await app.start()
    try:
        async with app.acquire(None) as rest:
            tokens = await rest.authorize_access_token(
                client, secret, consent(sandbox, scope="identify email"), BACK
            )
            assert set(tokens.scopes) == {"identify", "email"}
        async with app.acquire(tokens.access_token, hikari.TokenType.BEARER) as rest:
            me = await rest.fetch_my_user()
            assert (me.id, me.global_name, me.email) == (MENTOR, "Lisbon Mentor", "mentor@example.test")
            allowed = await rest.fetch_authorization()
            assert allowed.user is not None
            assert allowed.user.id == me.id
            await rest.revoke_access_token(client, secret, tokens.access_token)
            with pytest.raises(hikari.UnauthorizedError):
                await rest.fetch_my_user()
    finally:
        await app.close()


def test_a_code_is_good_once(sandbox: RunningSandbox) -> None:
    code = consent(sandbox)
    elsewhere = exchange(sandbox, code, redirect_uri=BACK + "/other")
    assert elsewhere.json() == {
        "error": "invalid_grant",
        "error_description": 'Invalid "redirect_uri" in request.',
    }
    assert exchange(sandbox, code).status_code == 200
    again = exchange(sandbox, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert exchange(sandbox, code, grant_type="password").json()["error"] == "unsupported_grant_type"
    recorded = str(sandbox.control.requests("discord"))
    assert code not in recorded
    assert sandbox.settings.discord_client_secret not in recorded


def test_a_challenge_has_to_be_met(sandbox: RunningSandbox) -> None:
    verifier = secrets.token_urlsafe(48)
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    code = consent(sandbox, code_challenge=digest, code_challenge_method="S256")
    assert exchange(sandbox, code).json()["error_description"] == 'Invalid "code_verifier" in request.'
    assert exchange(sandbox, code, code_verifier=verifier).status_code == 200


def test_other_clients_get_nothing(sandbox: RunningSandbox) -> None:
    code = consent(sandbox)
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    where = "/discord/api/v10/oauth2/token"
    assert sandbox.http.post(where, data=fields).json() == {"error": "invalid_client"}
    assert sandbox.http.post(where, data=fields, auth=("1", "x")).status_code == 401
    assert sandbox.http.post(where, json=fields).status_code == 400
    in_body = {
        "client_id": sandbox.settings.discord_client_id,
        "client_secret": sandbox.settings.discord_client_secret,
    }
    assert sandbox.http.post(where, data=fields | in_body).status_code == 200


def test_a_refresh_token_gives_new_tokens(sandbox: RunningSandbox) -> None:
    first: dict[str, Any] = exchange(sandbox, consent(sandbox)).json()
    second = exchange(sandbox, "", grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second.status_code == 200

    def who(token: str) -> httpx.Response:
        return sandbox.http.get("/discord/api/v10/users/@me", headers={"Authorization": f"Bearer {token}"})

    assert who(second.json()["access_token"]).json()["id"] == str(MENTOR)
    assert "email" not in who(second.json()["access_token"]).json()
    assert who(first["access_token"]).status_code == 401
    assert who(first["refresh_token"]).status_code == 401


async def test_the_bot_hears_who_comes_and_goes(sandbox: RunningSandbox) -> None:
    heard: list[tuple[str, int]] = []

    async def came(event: hikari.MemberCreateEvent) -> None:
        heard.append(("came", event.user_id))

    async def changed(event: hikari.MemberUpdateEvent) -> None:
        heard.append(("changed", event.user_id))

    async def left(event: hikari.MemberDeleteEvent) -> None:
        heard.append(("left", event.user_id))

    intents = hikari.Intents.GUILDS | hikari.Intents.GUILD_MEMBERS
    async with gateway_bot(sandbox, intents=intents) as bot:
        bot.subscribe(hikari.MemberCreateEvent, came)
        bot.subscribe(hikari.MemberUpdateEvent, changed)
        bot.subscribe(hikari.MemberDeleteEvent, left)
        sandbox.control.discord_member(str(NEW_STUDENT), here=False)
        sandbox.control.discord_member(str(NEW_STUDENT), here=True)
        guild, role = int(sandbox.settings.discord_guild_id), int(sandbox.settings.discord_mentee_role_id)
        for _ in range(2):
            await bot.rest.add_role_to_member(guild, NEW_STUDENT, role)
        await until(lambda: len(heard) == 3)
    assert heard == [("left", NEW_STUDENT), ("came", NEW_STUDENT), ("changed", NEW_STUDENT)]
    assert STUDENT not in [who for _, who in heard]
