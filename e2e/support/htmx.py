"""What a page asked for behind the scenes: fragment requests, and whether the page itself was left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Page, Request, Response


@dataclass
class Fragments:
    """The fragment answers of a page while it was watched, and its navigations."""

    answers: list[tuple[str, str, int, str]] = field(default_factory=list)
    navigations: list[str] = field(default_factory=list)

    def assert_only_fragments(self, *wanted: tuple[str, str]) -> None:
        """Each wanted (method, path prefix) came as a fragment, and nothing navigated."""
        assert self.navigations == []
        for method, path in wanted:
            bodies = [body for verb, url, _, body in self.answers if verb == method and path in url]
            assert bodies, (
                f"no fragment request {method} {path} in {[(a[0], a[1], a[2]) for a in self.answers]}"
            )
            assert all("<html" not in body.lower() for body in bodies)


@asynccontextmanager
async def fragments(page: Page) -> AsyncIterator[Fragments]:
    """Watch `page`: what it asked HTMX for, and where it went."""
    seen = Fragments()
    pending: list[Response] = []

    def answered(response: Response) -> None:
        is_stream = response.headers.get("content-type", "").startswith("text/event-stream")  # never ends
        if response.request.headers.get("hx-request") == "true" and not is_stream:
            pending.append(response)

    def asked(request: Request) -> None:
        if request.is_navigation_request() and request.frame == page.main_frame:
            seen.navigations.append(request.url)

    page.on("response", answered)
    page.on("request", asked)
    yield seen
    page.remove_listener("response", answered)
    page.remove_listener("request", asked)
    for response in pending:
        seen.answers.append((response.request.method, response.url, response.status, await response.text()))
