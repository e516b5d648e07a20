"""Students buy from the Lisbon mentor on the providers' own pages, or don't; an admin gives money back."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from e2e.support.browser import PHONE, Windows
from e2e.support.htmx import fragments
from e2e.support.looks import look
from e2e.support.newcomers import Newcomer, arrive
from e2e.support.platform import RunningPlatform
from e2e.support.waiting import until
from e2e.test_booking import a_free_day

MENTOR, PROFILE = "mentor@example.test", "/instructors/ines-duarte"
ADMIN = "admin@example.test"
SCRIPTS = pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain"])
PRICE, DISCOUNTED = "€480.00", "€432.00"


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(platform: RunningPlatform) -> Newcomer:
    """A student without a pack, for whom the Lisbon mentor has a seat."""
    return await arrive(platform, MENTOR)


async def to_checkout(page: Page) -> str:
    """From the mentor's page to the checkout of four sessions; gives how many seats were said to be left."""
    await page.goto(PROFILE)
    left = await page.locator("#seats").inner_text()
    await page.locator("#packs a[href^='/checkout']").first.click()
    await expect(page.locator("h1")).to_have_text("Four sessions")
    return left


async def to_stripe(page: Page) -> str:
    """Press the checkout's button and arrive at Stripe; gives the session's id."""
    await page.get_by_role("button", name=re.compile("by card")).click()
    await page.wait_for_url(re.compile(r"/stripe/pay/cs_"))
    return page.url.rsplit("/", 1)[1]


async def buy(page: Page) -> str:
    """Buy four sessions with Stripe; gives the order's id."""
    await to_checkout(page)
    await to_stripe(page)
    await page.locator("button[value=pay]").click()
    await expect(page.locator("h1")).to_have_text("Your pack is ready")
    return page.url.rpartition("order_id=")[2][:36]


async def mail(control: httpx.AsyncClient, address: str, subject: str) -> dict[str, Any]:
    """The one mail to somebody whose subject begins so."""

    async def there() -> dict[str, Any] | None:
        items = (await control.get("/control/mailbox", params={"to": address})).json()["items"]
        found = [item for item in items if item["subject"].startswith(subject)]
        assert len(found) <= 1
        return found[0] if found else None

    return await until(there)


async def checkouts(control: httpx.AsyncClient, buyer: Newcomer) -> list[dict[str, Any]]:
    """The buyer's checkouts at Stripe."""
    items: list[dict[str, Any]] = (await control.get("/control/stripe/sessions")).json()["items"]
    return [item for item in items if item["customer_email"] == buyer.email]


@SCRIPTS
async def test_buying_with_stripe_and_booking(
    windows: Windows, control: httpx.AsyncClient, buyer: Newcomer, javascript: bool
) -> None:
    page = await windows.open(session=buyer.session, javascript=javascript)
    await to_checkout(page)
    if javascript:
        await look(windows, page)
    await to_stripe(page)
    await expect(page.locator("main")).to_contain_text("480.00")
    await page.locator("button[value=pay]").click()
    await expect(page.locator("h1")).to_have_text("Your pack is ready")
    if javascript:
        await look(windows, page)
    await page.get_by_role("link", name="Pick a time").click()
    await expect(page.locator("#balance")).to_contain_text("4 sessions to book")
    await a_free_day(page)
    await page.locator("#day .slot form button").first.click()
    if javascript:
        await expect(page.locator(".booked")).to_be_visible()
    else:
        await page.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}"))
    await page.goto("/calendar")
    await expect(page.locator("#balance")).to_contain_text("3 sessions to book")

    told = await mail(control, buyer.email, "Your receipt: 4 sessions with Inês Duarte")
    assert f"Paid: {PRICE}" in told["text"]
    assert (await mail(control, MENTOR, f"{buyer.name} bought 4 sessions"))["text"].count(PRICE) == 1
    (receipt,) = set(re.findall(r"http\S+/receipts/\S+", told["text"]))
    await page.goto(receipt)
    await expect(page.locator(".amounts-total")).to_contain_text(PRICE)
    await expect(page.get_by_role("button", name="Print")).to_be_visible(visible=javascript)
    if javascript:
        await look(windows, page)
        await page.emulate_media(media="print")
        await expect(page.get_by_role("button", name="Print")).not_to_be_visible()
        await expect(page.locator(".receipt .amounts")).to_be_visible()


@SCRIPTS
async def test_buying_with_paypal(
    windows: Windows, control: httpx.AsyncClient, buyer: Newcomer, javascript: bool
) -> None:
    page = await windows.open(session=buyer.session, javascript=javascript, width=PHONE)
    await to_checkout(page)
    await page.get_by_role("button", name=re.compile("PayPal")).click()
    await page.wait_for_url(re.compile(r"/paypal/approve/"))
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Your pack is ready")
    await expect(page.locator("#outcome")).to_contain_text(f"{PRICE} paid with PayPal")
    told = await mail(control, buyer.email, "Your receipt")
    assert "with PayPal" in told["text"]
    await page.get_by_role("link", name="Pick a time").click()
    await expect(page.locator("#balance")).to_contain_text("4 sessions to book")


@SCRIPTS
async def test_a_declined_card_leaves_no_seat_taken(
    windows: Windows, control: httpx.AsyncClient, buyer: Newcomer, javascript: bool
) -> None:
    page = await windows.open(session=buyer.session, javascript=javascript)
    before = await to_checkout(page)
    await to_stripe(page)
    visitor = await windows.open()
    await visitor.goto(PROFILE)
    assert await visitor.locator("#seats").inner_text() != before
    await page.get_by_role("button", name="Use a card that is declined").click()
    await expect(page.get_by_role("alert")).to_contain_text("declined")
    await page.get_by_role("button", name="Go back").click()
    await expect(page.locator("h1")).to_have_text("Nothing was charged")
    if javascript:
        await look(windows, page)

    async def free_again() -> bool | None:
        await visitor.goto(PROFILE)
        return await visitor.locator("#seats").inner_text() == before or None

    await until(free_again)
    (session,) = await checkouts(control, buyer)
    assert (session["status"], session["payment_status"]) == ("expired", "unpaid")
    await page.get_by_role("link", name="Back to the checkout").click()
    await expect(page.get_by_role("button", name=re.compile("by card"))).to_be_visible()


async def test_a_tab_closed_before_paying_is_no_loss_once_it_is_paid(
    windows: Windows, control: httpx.AsyncClient, buyer: Newcomer
) -> None:
    page = await windows.open(session=buyer.session)
    await to_checkout(page)
    session_id = await to_stripe(page)
    await page.close()
    (await control.post("/control/stripe/pay", json={"session_id": session_id})).raise_for_status()
    await mail(control, buyer.email, "Your receipt")
    later = await windows.open(session=buyer.session)
    await later.goto("/calendar")
    await expect(later.locator("#balance")).to_contain_text("4 sessions to book")


async def test_who_waits_for_a_payment_sees_it_come(
    windows: Windows, control: httpx.AsyncClient, buyer: Newcomer
) -> None:
    page = await windows.open(session=buyer.session)
    await to_checkout(page)
    session_id = await to_stripe(page)
    (session,) = await checkouts(control, buyer)
    await page.goto(f"/checkout/success?order_id={session['metadata']['order_id']}")
    await expect(page.locator("h1")).to_have_text("Waiting for Stripe")
    await look(windows, page)
    async with fragments(page) as seen:
        (await control.post("/control/stripe/pay", json={"session_id": session_id})).raise_for_status()
        await expect(page.locator("h1")).to_have_text("Your pack is ready")
    assert seen.navigations == []


async def test_a_sold_out_mentor_offers_the_waitlist(windows: Windows, buyer: Newcomer) -> None:
    admin = await windows.open(ADMIN)
    await admin.goto("/admin/products")
    await admin.get_by_role("link", name=re.compile("Meera Banerjee")).click()
    sold_out = await admin.locator("article.product").first.get_attribute("id") or ""
    page = await windows.open(session=buyer.session)
    await page.goto(f"/checkout?product_id={sold_out.removeprefix('product-')}")
    await expect(page.locator("main")).to_contain_text("All seats are taken")
    await expect(page.get_by_role("button", name=re.compile("Pay"))).to_have_count(0)
    await look(windows, page)
    await page.get_by_role("button", name="Join the waitlist").click()
    await expect(page.locator("main")).to_contain_text("You are number")
    await page.goto("/waitlist")
    await page.get_by_role("button", name=re.compile("Leave")).click()
    await expect(page.locator("#places li")).to_have_count(0)


async def test_a_checkout_that_is_left_alone_gives_its_seat_back(
    fresh_windows: Windows, fresh_platform: RunningPlatform
) -> None:
    page = await fresh_windows.open("student-new@example.test")
    before = await to_checkout(page)
    session_id = await to_stripe(page)
    async with httpx.AsyncClient(base_url=fresh_platform.sandbox, timeout=120) as control:
        await page.goto(PROFILE)
        assert await page.locator("#seats").inner_text() != before
        (await control.post("/control/clock", json={"advance": "PT36M"})).raise_for_status()
        await page.goto(PROFILE)
        assert await page.locator("#seats").inner_text() == before
        sessions = (await control.get("/control/stripe/sessions")).json()["items"]
        assert [one["status"] for one in sessions if one["id"] == session_id] == ["expired"]


@SCRIPTS
async def test_a_code_is_applied_by_itself_and_a_wrong_one_is_told_beside_its_field(
    windows: Windows, control: httpx.AsyncClient, buyer: Newcomer, javascript: bool
) -> None:
    page = await windows.open(session=buyer.session, javascript=javascript, width=PHONE)
    await page.goto(f"{PROFILE}?code=WELCOME10")
    await page.locator("#packs a[href^='/checkout']").first.click()
    await expect(page.locator(".amounts-total")).to_contain_text(DISCOUNTED)
    async with fragments(page) as seen:
        await page.get_by_label("Promotion code").fill("NOPE")
        await page.get_by_label("Promotion code").press("Enter")
        await expect(page.locator("#code-error")).to_contain_text("This code isn't valid")
        await expect(page.get_by_label("Promotion code")).to_be_focused()
        await expect(page.locator(".amounts-total")).to_contain_text(PRICE)
        if javascript:
            await look(windows, page)
        await page.get_by_label("Promotion code").fill("welcome10")
        await page.get_by_role("button", name="Apply").click()
        await expect(page.locator(".amounts-total")).to_contain_text(DISCOUNTED)
    if javascript:
        seen.assert_only_fragments(("POST", "/checkout/code"))
    assert "csrf" not in page.url
    assert "code=welcome10" in page.url
    await to_stripe(page)
    await expect(page.locator("main")).to_contain_text("432.00")
    await page.locator("button[value=pay]").click()
    await expect(page.locator("#outcome")).to_contain_text(DISCOUNTED)
    text = (await mail(control, buyer.email, "Your receipt"))["text"]
    assert f"Four sessions: {PRICE}\nDiscount (WELCOME10): -€48.00\nPaid: {DISCOUNTED}" in text


async def test_two_clicks_are_one_order_and_going_back_pays_nothing_twice(
    windows: Windows, control: httpx.AsyncClient, buyer: Newcomer
) -> None:
    page = await windows.open(session=buyer.session)
    await to_checkout(page)
    await page.get_by_role("button", name=re.compile("by card")).dblclick()
    await page.wait_for_url(re.compile(r"/stripe/pay/cs_"))
    assert len(await checkouts(control, buyer)) == 1
    await page.locator("button[value=pay]").click()
    await expect(page.locator("h1")).to_have_text("Your pack is ready")
    await page.go_back()
    await page.reload()
    await expect(page.locator("h1")).to_have_text("This checkout is complete")
    await page.goto("/checkout?" + f"product_id={await product_id(page)}")
    await expect(page.locator("#checkout")).to_contain_text("You still have 4 sessions to book")
    await look(windows, page)
    (session,) = await checkouts(control, buyer)
    assert (session["status"], session["payment_status"]) == ("complete", "paid")


async def product_id(page: Page) -> str:
    """The id of the first pack on the mentor's page."""
    await page.goto(PROFILE)
    href = await page.locator("#packs a[href^='/checkout']").first.get_attribute("href") or ""
    found = re.search(r"[0-9a-f-]{36}", href)
    assert found, href
    return found.group()


async def test_an_admin_refunds_what_was_quoted(
    windows: Windows, control: httpx.AsyncClient, buyer: Newcomer
) -> None:
    page = await windows.open(session=buyer.session)
    order_id = await buy(page)
    await a_free_day(page)
    await page.locator("#day .slot form button").first.click()
    await expect(page.locator(".booked")).to_be_visible()

    admin = await windows.open(ADMIN)
    await admin.goto(f"/admin/orders?q={buyer.email}")
    await look(windows, admin)
    await admin.get_by_role("link", name=buyer.name).click()
    await look(windows, admin)
    await admin.get_by_role("link", name="Refund…").click()
    dialog = admin.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"Refund {PRICE}?")
    await look(windows, admin)
    await dialog.get_by_role("button", name=re.compile("Refund")).click()
    await expect(dialog.locator("#reason-error")).to_be_visible()

    (session,) = await checkouts(control, buyer)
    wish = {"payment_intent": session["payment_intent"], "amount": 1_000}
    (await control.post("/control/stripe/refund", json=wish)).raise_for_status()
    await mail(control, buyer.email, "Your refund for Four sessions: €10.00")
    await dialog.get_by_label("Why").fill("Moves abroad")
    async with admin.expect_response(re.compile("/refunds$")) as answered:
        await dialog.get_by_role("button", name=f"Refund {PRICE}").click()
    assert (await answered.value).status == 409
    await expect(dialog.get_by_role("alert")).to_contain_text("another amount by now")
    await expect(dialog).to_contain_text("Refund €470.00?")
    await dialog.get_by_role("button", name="Refund €470.00").click()
    await expect(admin.locator(".flashes")).to_contain_text("The refund is on its way")

    await mail(control, buyer.email, "Your refund for Four sessions: €470.00")
    await admin.goto(f"/admin/orders/{order_id}/refunds")
    await expect(admin.locator("h1")).to_have_text("No refund")
    await look(windows, admin)
    await admin.goto(f"/admin/orders/{order_id}")
    await expect(admin.locator("main")).to_contain_text("Nothing is left to give back")
    await look(windows, admin)
    await page.goto("/sessions")
    await expect(page.get_by_role("link", name=re.compile("^Cancel"))).to_have_count(0)
    await page.goto(f"/receipts/{order_id}")
    await expect(page.locator(".amounts-total").last).to_contain_text("€0.00")
