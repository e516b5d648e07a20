"""A browser without scripts: keeps cookies, fills in the CSRF field, follows nothing by itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from litestar import Litestar

BASE = "http://127.0.0.1:8000"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HTMX = {"HX-Request": "true"}


class Browser:
    """One browser; `person` is who it is signed in as, for messages of failed assertions."""

    def __init__(self, app: Litestar, person: str = "anonymous", user_agent: str = FIREFOX) -> None:
        transport = httpx.ASGITransport(app=cast(Any, app))
        self.person = person
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE, headers={"user-agent": user_agent})

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """The page at `path`."""
        return await self.http.get(path, headers=headers)

    async def fragment(self, path: str) -> httpx.Response:
        """What HTMX would get."""
        return await self.http.get(path, headers=HTMX)

    async def post(
        self, path: str, form: Mapping[str, str] | None = None, *, htmx: bool = False, csrf: bool = True
    ) -> httpx.Response:
        """Post a form the way the page does."""
        if csrf and "csrftoken" not in self.http.cookies:
            await self.http.get("/privacy")
        token = {"_csrf_token": self.http.cookies["csrftoken"]} if csrf else {}
        return await self.http.post(path, data={**(form or {}), **token}, headers=HTMX if htmx else {})

    def cookie(self, name: str) -> str | None:
        """A cookie's value."""
        return self.http.cookies.get(name)

    def carry(self, secret: str) -> None:
        """Carry a session's secret."""
        self.http.cookies.set("session", secret, domain="127.0.0.1", path="/")

    def flashes(self) -> list[str]:
        """The messages left for the next page."""
        raw = (self.cookie("flash") or "").strip('"')
        return [flash["text"] for flash in json.loads(base64.urlsafe_b64decode(raw))] if raw else []


def target(response: httpx.Response) -> str:
    """Where a 303 leads: path and query."""
    assert response.status_code == 303, (response.status_code, response.text[:500])
    parts = urlsplit(response.headers["location"])
    return parts.path + (f"?{parts.query}" if parts.query else "")
