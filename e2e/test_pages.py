"""Every page as people get it: nothing for axe in either theme, nothing wider than a phone, light enough to load."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from app.core import clock
from e2e.support.browser import HEIGHTS, PHONE, Windows
from e2e.support.looks import look

MOST_BYTES = 60 * 1024

PAGES: dict[str | None, tuple[str, ...]] = {
    None: (
        "/",
        "/instructors",
        "/instructors?q=nobody-at-all",
        "/instructors/ines-duarte",
        "/instructors/meera-banerjee",
        "/sign-in",
        "/sign-up",
        "/check-mail",
        "/reset-password",
        "/verify/nonsense",
        "/invitations/nonsense",
        "/unsubscribe/nonsense",
        "/privacy",
        "/terms",
        "/waitlist",
        "/nowhere",
    ),
    "student@example.test": (
        "/dashboard",
        "/calendar",
        "/calendar/series",
        "/calendar/series?weekday=7",
        "/sessions",
        "/sessions/{session}",
        "/sessions/{session}/recording-consent",
        "/sessions/{session}/dispute",
        "/settings",
        "/settings/deletion",
        "/settings/discord/disconnection",
        "/instructors/ines-duarte",
        "/packs/{pack}",
        "/checkout?product_id={product}",
    ),
    "student-new@example.test": (
        "/dashboard",
        "/calendar",
        "/calendar/series",
        "/sessions",
        "/waitlist",
        "/instructors/ines-duarte",
        "/checkout?product_id={product}",
        "/checkout?product_id={product}&code=WELCOME10",
        "/checkout?product_id={product}&code=nonsense",
        "/checkout?product_id=nonsense",
    ),
    "student-last@example.test": ("/dashboard", "/testimonials/new?pack_id={pack}"),
    "amara@example.test": ("/dashboard", "/testimonials/{words}"),
    "isla@example.test": ("/testimonials/{words}",),
    "chloe@example.test": ("/dashboard", "/waitlist", "/instructors/meera-banerjee"),
    "nils@example.test": (
        "/sessions",
        "/sessions/{upcoming}/move",
        "/sessions/{upcoming}/cancellation",
        "/sessions/{upcoming}/call",
    ),
    "mentor@example.test": (
        "/instructor/dashboard",
        "/instructor/students",
        "/instructor/students?show=all&sort=last",
        "/instructor/students?q=nobody-at-all",
        "/instructor/students?sort=nonsense&page=99",
        "/instructor/students/{student}",
        "/instructor/sessions",
        "/instructor/settings",
        "/instructor/products",
        "/sessions/{session}",
        "/sessions/{session}/call",
        "/packs/{pack}",
    ),
    "mentor-kolkata@example.test": ("/instructor/waitlist", "/instructor/waitlist/{place}/removal"),
    "mentor-tokyo@example.test": ("/instructor/dashboard",),
    "mentor-nairobi@example.test": (
        "/instructor/absences",
        "/instructor/absences/preview?first_day={soon}&last_day={later}&extend=1",
        "/instructor/absences/preview?first_day=nonsense",
        "/instructor/sessions/{upcoming}/proposal",
        "/instructor/sessions",
        "/instructor/settings",
        "/instructor/waitlist",
    ),
    "admin@example.test": (
        "/instructors",
        "/settings",
        "/admin/products",
        "/admin/products?mentor_id={mentor}",
        "/admin/waitlist",
        "/admin/waitlist?q=nobody-at-all",
        "/admin/waitlist/{place}/removal",
        "/admin/orders",
        "/admin/orders?q=nobody-at-all",
        "/admin",
        "/admin/instructors",
        "/admin/instructors?open={teacher}&sort=-inventory&page=99",
        "/admin/instructors?q=nobody-at-all",
        "/admin/instructors/{teacher}",
        "/admin/calendars",
        "/admin/jobs",
        "/admin/onboarding",
        "/admin/sessions/{one_session}",
        "/admin/packs/{one_pack}/adjustment",
        "/admin/packs/{one_pack}/expiry",
        "/admin/users/{maya}/packs",
        "/admin/users/{maya}/seats",
        "/admin/seats/{one_seat}/release",
        "/admin/students",
        "/admin/students?q=nobody-at-all",
        "/admin/users/{user}",
        "/admin/users/{user}/role",
        "/admin/users/{user}/deletion",
        "/admin/users/{user}/impersonation",
        "/admin/invitations",
        "/admin/audit",
        "/admin/audit?actor=nobody-at-all",
        "/admin/testimonials",
        "/admin/testimonials?status=declined",
        "/admin/disputes",
        "/admin/disputes?status=open",
    ),
}
# Where a placeholder's id is found: a page of the viewer's, and the link that holds it.
LINKS = {
    "{pack}": (("/calendar", "/instructor/waitlist"), "a[href^='/packs/']"),
    "{words}": (("/dashboard",), "a[href^='/testimonials/']"),
    "{place}": (("/instructor/waitlist", "/admin/waitlist"), "a[href$='/removal']"),
    "{product}": (("/instructors/ines-duarte",), "#packs a[href^='/checkout']"),
    "{student}": (("/instructor/students",), ".is-low a[href^='/instructor/students/']"),
    "{user}": (("/admin/students",), "#students a[href^='/admin/users/']"),
    "{maya}": (("/admin/students?q=student@example.test",), "#students a[href^='/admin/users/']"),
    "{one_pack}": (("/admin/users/{maya}",), "#user-packs a[href^='/admin/packs/']"),
    "{one_seat}": (("/admin/users/{maya}",), "#user-packs a[href^='/admin/seats/']"),
    "{one_session}": (("/admin/users/{maya}",), "main a[href*='/sessions/']"),
    "{teacher}": (("/admin/instructors?q=mentor@example.test",), "a.expander"),
    "{mentor}": (("/admin/products",), "a[href*='mentor_id=']"),
}
SESSIONS = {"{session}": "a[href^='/sessions/']", "{upcoming}": "a[href$='/cancellation']"}
PLACEHOLDERS = (*LINKS, *SESSIONS)
CASES = [(email, path) for email, paths in PAGES.items() for path in paths]
IDS = [f"{(email or 'anonymous').split('@')[0]}:{path}" for email, path in CASES]


@pytest.fixture(scope="session")
def known() -> dict[tuple[str | None, str], str]:
    """Ids that were looked up before, by viewer and placeholder: the demo data keeps them."""
    return {}


async def address(page: Page, path: str, email: str | None, known: dict[tuple[str | None, str], str]) -> str:
    """`path` with the placeholders filled: days of the week after next, the rest from the viewer's own lists."""
    soon = clock.now().date() + timedelta(days=8)
    path = path.replace("{soon}", f"{soon}").replace("{later}", f"{soon + timedelta(days=6)}")
    for placeholder in PLACEHOLDERS:
        if placeholder in path:
            if (email, placeholder) not in known:
                known[email, placeholder] = await look_up(page, placeholder, email, known)
            path = path.replace(placeholder, known[email, placeholder])
    return path


async def look_up(
    page: Page, placeholder: str, email: str | None, known: dict[tuple[str | None, str], str]
) -> str:
    """The id that a placeholder stands for."""
    if placeholder in SESSIONS:
        return await first_session(page, SESSIONS[placeholder])
    pages, selector = LINKS[placeholder]
    return await first_link(page, [await address(page, place, email, known) for place in pages], selector)


async def first_link(page: Page, pages: list[str], selector: str) -> str:
    """The id in the first such link on the first of the pages that the viewer may see and that has one."""
    for place in pages:
        await page.goto(place)
        if await page.locator(selector).count():
            break
    href = await page.locator(selector).first.get_attribute("href") or ""
    found = re.search(r"[0-9a-f-]{36}", href)
    assert found, f"no {selector} in {pages}"
    return found.group()


async def first_session(page: Page, selector: str) -> str:
    """The id in the first link of the viewer's list of sessions."""
    await page.goto("/sessions")
    if page.url.endswith("/instructor/sessions") or not await page.locator(selector).count():
        await page.goto("/instructor/sessions")
    href = await page.locator(selector).first.get_attribute("href") or ""
    found = re.search(r"[0-9a-f-]{36}", href)
    assert found, f"no session in {page.url}"
    return found.group()


@pytest.mark.parametrize(("email", "path"), CASES, ids=IDS)
async def test_a_page_is_accessible_and_fits(
    windows: Windows, known: dict[tuple[str | None, str], str], email: str | None, path: str
) -> None:
    page = await windows.open(email)
    await page.goto(await address(page, path, email, known))
    await look(windows, page, f"{(email or 'anonymous').split('@')[0]}{path}")


async def test_a_colour_that_only_a_phone_shows_is_noticed(windows: Windows) -> None:
    page = await windows.open()
    pale = "<main><h1>Hello</h1><p id=pale style='color:#eee;background:#fff'>Pale</p></main>"
    hidden = "<style>@media (min-width: 600px) { #pale { display: none } }</style>"
    await page.set_content(f"<html lang=en><title>Pale</title>{hidden}{pale}")
    await windows.note_shown(page)
    assert await windows.axe(page) == []
    await page.set_viewport_size({"width": PHONE, "height": HEIGHTS[PHONE]})
    await windows.note_shown(page)
    (found,) = await windows.contrast_of_others(page)
    assert found.startswith("color-contrast: #pale")


# Path, and what stands on the page once everything is loaded.
WEIGHED = {"/calendar": ".slot", "/sessions/{upcoming}/call": "#call[data-ready]"}


@pytest.mark.parametrize("path", WEIGHED)
async def test_a_page_weighs_at_most_60_kb(
    windows: Windows, known: dict[tuple[str | None, str], str], path: str
) -> None:
    email = "nils@example.test"
    found = await address(await windows.open(email), path, email, known)
    page = await windows.open(email)
    network = await page.context.new_cdp_session(page)
    answers: dict[str, str] = {}
    weights: dict[str, float] = {}
    network.on("Network.responseReceived", lambda e: answers.update({e["requestId"]: e["response"]["url"]}))
    network.on("Network.loadingFinished", lambda e: weights.update({e["requestId"]: e["encodedDataLength"]}))
    await network.send("Network.enable")
    await page.goto(found, wait_until="load")
    await expect(page.locator(WEIGHED[path]).first).to_be_visible()
    weighed = {answers[id_]: weight for id_, weight in weights.items()}
    assert any(url.endswith(found) for url in weighed)
    assert 20_000 < sum(weighed.values()) <= MOST_BYTES, weighed


async def test_the_first_paint_needs_no_script(windows: Windows) -> None:
    page = await windows.open(javascript=False)
    for path in ("/", "/instructors", "/sign-in"):
        await page.goto(path)
        assert await page.locator("h1").is_visible()
