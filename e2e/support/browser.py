"""Browser windows as people have them, which also notice what people would complain about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from app.accounts.authentication import SESSION_COOKIE
from app.core import tls

expect.set_options(timeout=20_000)  # a busy machine is slow, not broken

Theme = Literal["light", "dark"]
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
PHONE, DESK = 360, 1280
HEIGHTS = {PHONE: 780, DESK: 860}
PASSWORD = "mentorships-demo"
_EXPECTED = "Failed to load resource: the server responded with a status of 4"  # refusals are answers too


# The elements with a text of their own that are to be seen.
SHOWN = """new Set([...document.body.querySelectorAll("*")].filter(element => element.checkVisibility()
    && [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim())))"""
CONTRAST_OF_OTHERS = """async () => {
    const others = [...window.shownNow].filter(element => !window.shownBefore.has(element));
    if (!others.length) return {violations: []};
    return axe.run({include: others}, {runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]},
        resultTypes: ["violations"]});
}"""


@dataclass
class Complaints:
    """Console errors, failed scripts and requests that leave the machine; a journey must end without any."""

    found: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"{page.url}: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_EXPECTED):
            self.found.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"} and address.hostname != "127.0.0.1":
            self.found.append(f"request leaves the machine: {request.url}")


@dataclass
class Windows:
    """Opens windows on one platform; closed after the test."""

    browser: Browser
    url: str
    axe_file: Path
    complaints: Complaints = field(default_factory=Complaints)
    contexts: list[BrowserContext] = field(default_factory=list)
    signed_in: dict[str, str] = field(default_factory=dict)
    """Session secrets of demo accounts that signed in before."""
    permissions: Sequence[str] = ()
    """What every page may do without asking, such as `camera`."""

    async def open(
        self,
        email: str | None = None,
        *,
        javascript: bool = True,
        width: int = DESK,
        theme: Theme = "light",
        time_zone: str = "America/New_York",
        reduced_motion: bool = True,
        session: str = "",
    ) -> Page:
        """A page in a window of its own (cookies, theme, zone).

        Signed in as the demo account `email` with its password, or by a session cookie's secret, if one is given.
        """
        session = session or (await self._session_of(email) if email else "")
        context = await self.browser.new_context(
            base_url=self.url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": HEIGHTS.get(width, 860)},
            color_scheme=theme,
            timezone_id=time_zone,
            locale="en-GB",
            permissions=list(self.permissions),
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        self.contexts.append(context)
        context.on("page", self.complaints.watch)
        page = await context.new_page()
        if session:
            await context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": self.url}])
        return page

    async def _session_of(self, email: str) -> str:
        """The session secret of a demo account; one sign-in serves all its windows."""
        if email not in self.signed_in:
            async with httpx.AsyncClient(base_url=self.url, timeout=60, verify=tls.outgoing()) as person:
                await person.get("/sign-in")
                token = person.cookies["csrftoken"]
                form = {"email": email, "password": PASSWORD, "_csrf_token": token}
                answer = await person.post("/sign-in", data=form)
                assert SESSION_COOKIE in person.cookies, (email, answer.status_code)
                self.signed_in[email] = person.cookies[SESSION_COOKIE]
        return self.signed_in[email]

    async def axe(self, page: Page, tags: Sequence[str] = WCAG) -> list[str]:
        """What axe finds wrong with the page as it is shown now: `rule: selector (help)`, empty for nothing."""
        await self._bring_axe(page)
        result: dict[str, Any] = await page.evaluate(
            "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", list(tags)
        )
        return _told(result)

    async def note_shown(self, page: Page) -> None:
        """Remember which texts the page shows now, for `contrast_of_others`."""
        await page.evaluate(f"() => {{ window.shownBefore = window.shownNow; window.shownNow = {SHOWN}; }}")

    async def contrast_of_others(self, page: Page) -> list[str]:
        """As `axe`, only about colours and only of texts that weren't shown at the `note_shown` before the last."""
        await self._bring_axe(page)
        result: dict[str, Any] = await page.evaluate(CONTRAST_OF_OTHERS)
        return _told(result)

    async def _bring_axe(self, page: Page) -> None:
        if not await page.evaluate("'axe' in window"):
            await page.evaluate(self.axe_file.read_text())

    async def close(self) -> None:
        """Close every window."""
        for context in self.contexts:
            await context.close()


def _told(result: dict[str, Any]) -> list[str]:
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))} ({violation['help']})"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in through the page, with or without JavaScript."""
    await page.goto("/sign-in")
    await page.fill("input[name=email]", email)
    await page.fill("input[name=password]", password)
    await page.click("#sign-in button[type=submit]")
    await page.wait_for_url(lambda url: urlsplit(url).path != "/sign-in")
