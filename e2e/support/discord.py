"""Members of the sandbox's Discord, and its consent page as a person goes through it."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import httpx
from playwright.async_api import Page


async def member(control: httpx.AsyncClient, **values: Any) -> dict[str, Any]:
    """Somebody new on the server: {id, username, roles, …}."""
    wish = {"username": f"member.{uuid4().hex[:10]}", **values}
    answer = await control.post("/control/discord/members", json=wish)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def roles(control: httpx.AsyncClient, user_id: str) -> list[str]:
    """The ids of a member's roles."""
    items = (await control.get("/control/discord/members")).json()["items"]
    return next(list(item["roles"]) for item in items if item["id"] == user_id)


async def decide(page: Page, username: str, *, allow: bool = True) -> None:
    """On the consent page: be this member, and allow or decline."""
    await page.wait_for_url(re.compile("/discord/oauth2/authorize"))
    await page.locator("label.choice", has_text=username).click()
    await page.get_by_role("button", name="Authorize" if allow else "Cancel").click()
    await page.wait_for_url(lambda url: "/discord/" not in url)
