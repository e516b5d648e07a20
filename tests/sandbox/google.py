"""Google's own client libraries, pointed at the sandbox."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import google_auth_httplib2
import httplib2
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import Flow
from googleapiclient.discovery import build

from tests.support.sandbox import CALENDAR, MENTOR, REDIRECT, RunningSandbox

# The sandbox is plain http and, like Google, answers with scopes in their long form.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"


def flow(sandbox: RunningSandbox, scopes: Iterable[str] = CALENDAR) -> Flow:
    """google-auth-oauthlib's flow with PKCE."""
    config = {
        "web": {
            "client_id": sandbox.settings.google_client_id,
            "client_secret": sandbox.settings.google_client_secret,
            "auth_uri": f"{sandbox.url}/google/o/oauth2/v2/auth",
            "token_uri": f"{sandbox.url}/google/token",
        }
    }
    return Flow.from_client_config(
        config, scopes=list(scopes), redirect_uri=REDIRECT, autogenerate_code_verifier=True
    )


def connected(
    sandbox: RunningSandbox, address: str = MENTOR, scopes: Iterable[str] = CALENDAR
) -> Credentials:
    """google-auth's credentials of an account that consented offline."""
    tokens = sandbox.google_tokens(address, scopes)
    return Credentials(  # type: ignore[no-untyped-call]
        None,
        refresh_token=tokens["refresh_token"],
        token_uri=f"{sandbox.url}/google/token",
        client_id=sandbox.settings.google_client_id,
        client_secret=sandbox.settings.google_client_secret,
    )


def refresh(credentials: Credentials) -> None:
    """Let google-auth fetch a new access token."""
    credentials.refresh(Request())  # type: ignore[no-untyped-call]


def calendar(sandbox: RunningSandbox, credentials: Credentials | None = None) -> Any:
    """googleapiclient's Calendar service for an account (default: the mentor)."""
    http = google_auth_httplib2.AuthorizedHttp(
        credentials or connected(sandbox), http=httplib2.Http(timeout=10)
    )
    endpoint = {"api_endpoint": f"{sandbox.url}/google/calendar/v3/"}
    return build(
        "calendar", "v3", http=http, static_discovery=True, cache_discovery=False, client_options=endpoint
    )
