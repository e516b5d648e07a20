"""Consent, codes and tokens, driven by google-auth and google-auth-oauthlib."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import id_token
from oauthlib.oauth2 import InvalidGrantError

from tests.sandbox.google import connected, flow, refresh
from tests.support.sandbox import CALENDAR, IDENTITY, MENTOR, REDIRECT, RunningSandbox

STUDENT = "student@example.test"


def code_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["code"][0]


def exchange(sandbox: RunningSandbox, **values: str) -> httpx.Response:
    client = {
        "client_id": sandbox.settings.google_client_id,
        "client_secret": sandbox.settings.google_client_secret,
    }
    data = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, **client, **values}
    return sandbox.http.post("/google/token", data=data)


def refreshed(sandbox: RunningSandbox, token: str) -> httpx.Response:
    return exchange(sandbox, grant_type="refresh_token", refresh_token=token)


def userinfo(sandbox: RunningSandbox, token: str) -> httpx.Response:
    return sandbox.http.get("/google/userinfo", headers={"Authorization": f"Bearer {token}"})


def test_the_librarys_flow_signs_a_student_in(sandbox: RunningSandbox) -> None:
    asking = flow(sandbox, IDENTITY)
    url, state = asking.authorization_url(access_type="online", login_hint=STUDENT, nonce="n-1")
    location = sandbox.control.consent(url, STUDENT)
    assert location.startswith(REDIRECT)
    assert parse_qs(urlsplit(location).query)["state"] == [state]
    tokens = asking.fetch_token(authorization_response=location, timeout=5)
    assert "refresh_token" not in tokens, "only offline access brings one"
    assert tokens["expires_in"] == 3599
    who = userinfo(sandbox, tokens["access_token"]).json()
    assert (who["email"], who["email_verified"], who["name"]) == (STUDENT, True, "Demo Student")
    claims = id_token.verify_token(
        tokens["id_token"],
        Request(),
        audience=sandbox.settings.google_client_id,
        certs_url=f"{sandbox.url}/google/oauth2/v1/certs",
    )
    assert (claims["sub"], claims["nonce"], claims["iss"]) == (
        who["sub"],
        "n-1",
        "https://accounts.google.com",
    )


def test_the_jwk_set_carries_the_signing_key(sandbox: RunningSandbox) -> None:
    (key,) = sandbox.http.get("/google/oauth2/v3/certs").json()["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert key["kid"] in sandbox.http.get("/google/oauth2/v1/certs").json()


def test_an_unverified_address_is_told(sandbox: RunningSandbox) -> None:
    sandbox.control.account("squatter@example.test", name="Squatter", email_verified=False)
    tokens = sandbox.google_tokens("squatter@example.test", IDENTITY)
    assert userinfo(sandbox, tokens["access_token"]).json()["email_verified"] is False


def test_people_answer_on_the_consent_page(sandbox: RunningSandbox) -> None:
    url = sandbox.authorize_url((*IDENTITY, *CALENDAR), state="s", login_hint=STUDENT, access_type="offline")
    with httpx.Client(base_url=sandbox.url) as browser:
        start = browser.get(url)
        assert start.status_code == 303
        page = browser.get(start.headers["location"])
        assert f'value="{STUDENT}" required checked' in page.text
        asked = parse_qs(urlsplit(start.headers["location"]).query)["request"][0]
        form = {"request": asked, "account": STUDENT, "decision": "allow", "scope": CALENDAR[0]}
        back = browser.post("/google/consent", data=form)
        assert back.status_code == 303
        tokens = exchange(sandbox, code=code_of(back.headers["location"])).json()
        assert set(CALENDAR) < set(tokens["scope"].split())
        assert browser.post("/google/consent", data=form).status_code == 400, "answered once"


def test_a_person_may_leave_out_a_scope_or_deny(sandbox: RunningSandbox) -> None:
    url = sandbox.authorize_url(("openid", *CALENDAR), state="s")
    tokens = exchange(sandbox, code=code_of(sandbox.control.consent(url, MENTOR, scopes=[]))).json()
    assert tokens["scope"] == "openid"
    denied = parse_qs(urlsplit(sandbox.control.consent(url, MENTOR, allow=False)).query)
    assert denied == {"error": ["access_denied"], "state": ["s"]}


def test_a_code_works_once_and_only_with_its_verifier(sandbox: RunningSandbox) -> None:
    asking = flow(sandbox)
    url, _ = asking.authorization_url(access_type="offline")
    code = code_of(sandbox.control.consent(url, MENTOR))
    assert exchange(sandbox, code=code).json()["error_description"] == "Missing code verifier."
    assert exchange(sandbox, code=code, code_verifier="x" * 43).json()["error"] == "invalid_grant"
    wrong = exchange(sandbox, code=code, code_verifier=asking.code_verifier, redirect_uri=REDIRECT + "/x")
    assert wrong.json()["error"] == "redirect_uri_mismatch"
    asking.fetch_token(code=code, timeout=5)
    with pytest.raises(InvalidGrantError):
        asking.fetch_token(code=code, timeout=5)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": "4/never"}, 400, "invalid_grant"),
        ({"code": ""}, 400, "invalid_request"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "1//never"}, 400, "invalid_grant"),
    ],
)
def test_the_token_endpoint_refuses(
    sandbox: RunningSandbox, change: dict[str, str], status: int, error: str
) -> None:
    answer = exchange(sandbox, **{"code": "4/never", **change})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "http://shop.example.test/callback"},
        {"redirect_uri": "nonsense"},
        {"response_type": "token"},
        {"scope": ""},
        {"scope": "https://www.googleapis.com/auth/nonsense"},
        {"code_challenge": "x" * 43, "code_challenge_method": "plain"},
        {"code_challenge": "x" * 43},
        {"code_challenge": "short", "code_challenge_method": "S256"},
        {"access_type": "forever"},
        {"prompt": "please"},
        {"colour": "blue"},
    ],
)
def test_the_authorize_page_blocks_bad_requests(sandbox: RunningSandbox, change: dict[str, str]) -> None:
    answer = sandbox.http.get(sandbox.authorize_url(CALENDAR, **change))
    assert answer.status_code == 400
    assert "Access blocked" in answer.text


def test_a_refresh_token_comes_with_the_first_consent_or_on_demand(sandbox: RunningSandbox) -> None:
    def tokens(**more: str) -> dict[str, Any]:
        url = sandbox.authorize_url(CALENDAR, access_type="offline", **more)
        answer: dict[str, Any] = exchange(sandbox, code=code_of(sandbox.control.consent(url, MENTOR))).json()
        return answer

    assert "refresh_token" in tokens()
    assert "refresh_token" not in tokens(), "granted before: Google gives no second one unasked"
    assert "refresh_token" in tokens(prompt="consent")


def test_granted_scopes_add_up_only_if_asked(sandbox: RunningSandbox) -> None:
    sandbox.google_tokens(MENTOR, CALENDAR)
    alone = exchange(
        sandbox, code=code_of(sandbox.control.consent(sandbox.authorize_url(["openid"]), MENTOR))
    )
    assert alone.json()["scope"] == "openid"
    url = sandbox.authorize_url(["openid"], include_granted_scopes="true")
    together = exchange(sandbox, code=code_of(sandbox.control.consent(url, MENTOR)))
    assert together.json()["scope"] == f"{CALENDAR[0]} openid"


def test_prompt_none_answers_at_once(sandbox: RunningSandbox) -> None:
    url = sandbox.authorize_url(CALENDAR, prompt="none", login_hint=MENTOR)
    assert "error=interaction_required" in sandbox.http.get(url).headers["location"]
    sandbox.google_tokens(MENTOR, CALENDAR)
    assert "code=" in sandbox.http.get(url).headers["location"]


def test_credentials_refresh_and_a_refresh_token_is_not_rotated(sandbox: RunningSandbox) -> None:
    credentials = connected(sandbox)
    known = credentials.refresh_token
    refresh(credentials)
    assert credentials.valid
    assert credentials.refresh_token == known
    refresh(credentials)
    assert credentials.valid


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_a_revoked_grant_stops_both_tokens(sandbox: RunningSandbox, kind: str) -> None:
    tokens = sandbox.google_tokens(MENTOR, ("openid", *CALENDAR))
    other = sandbox.google_tokens(STUDENT, ("openid",))
    assert sandbox.http.post("/google/revoke", data={"token": tokens[kind]}).status_code == 200
    assert refreshed(sandbox, tokens["refresh_token"]).json() == {
        "error": "invalid_grant",
        "error_description": "Token has been expired or revoked.",
    }
    assert userinfo(sandbox, tokens["access_token"]).status_code == 401
    assert userinfo(sandbox, other["access_token"]).status_code == 200, "somebody else's grant stays"
    again = sandbox.http.post("/google/revoke", data={"token": tokens[kind]})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_token")


def test_chaos_revokes_and_connecting_again_works(sandbox: RunningSandbox) -> None:
    credentials = connected(sandbox)
    sandbox.control.chaos("google", revoke=MENTOR)
    with pytest.raises(RefreshError) as raised:
        refresh(credentials)
    assert raised.value.retryable is False
    refresh(connected(sandbox))


def test_an_outage_of_the_token_endpoint_is_retryable(sandbox: RunningSandbox) -> None:
    credentials = connected(sandbox)
    sandbox.control.chaos("google", error_rate=1, status=503, match="/token")
    with pytest.raises(RefreshError) as raised:
        refresh(credentials)
    assert raised.value.retryable is True
