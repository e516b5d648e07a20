"""Connects a demo mentor's calendar in the sandbox, through the same consent that a person gives there."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx

from app.calendars import connection
from app.calendars.google import SCOPES
from app.core import tls
from app.core.ids import new_secret
from app.wiring import Platform

SIGN_IN_SCOPES = ("openid", "https://www.googleapis.com/auth/userinfo.email")


async def connect_demo_calendar(platform: Platform, mentor_id: UUID, address: str) -> None:
    """Consent as `address` in the sandbox, exchange the code and connect; nothing where Google is the real one."""
    settings = platform.settings
    if not settings.google_enabled or settings.has_real_vendor:
        return
    verifier = new_secret()
    redirect_uri = f"{settings.public_url}/auth/google/callback"
    async with httpx.AsyncClient(timeout=10, verify=tls.outgoing()) as client:
        code = await _consent(
            client, settings.google_authorize_url, settings.google_client_id, redirect_uri, verifier, address
        )
        answer = await client.post(
            settings.google_token_url,
            data={
                "grant_type": "authorization_code",
                "code": code,
                "code_verifier": verifier,
                "redirect_uri": redirect_uri,
                "client_id": settings.google_client_id,
                "client_secret": settings.google_client_secret,
            },
        )
        answer.raise_for_status()
    tokens = answer.json()
    await connection.connect(
        platform.database,
        platform.google,
        mentor_id,
        google_email=address,
        refresh_token=tokens["refresh_token"],
        scopes=tokens["scope"].split(),
    )


async def _consent(
    client: httpx.AsyncClient,
    authorize_url: str,
    client_id: str,
    redirect_uri: str,
    verifier: str,
    address: str,
) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join((*SIGN_IN_SCOPES, *SCOPES)),
        "state": "demo",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "access_type": "offline",
        "prompt": "consent",
    }
    origin = urlsplit(authorize_url)
    answer = await client.post(
        f"{origin.scheme}://{origin.netloc}/control/google/consent",
        json={"url": f"{authorize_url}?{urlencode(asked)}", "address": address, "allow": True},
    )
    answer.raise_for_status()
    location: str = answer.json()["location"]
    return parse_qs(urlsplit(location).query)["code"][0]
