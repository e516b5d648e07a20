"""`/settings`: every section saves, by page and by fragment, and only for its owner."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts.models import Provider, User, UserIdentity, WebSession
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import Open
from tests.cast import Cast

PROFILE = {"name": "Ada King", "time_zone": "Asia/Kolkata", "theme": "dark"}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"


async def stored(database: Database, user_id: Any) -> User:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return await uow.session.get_one(User, user_id)


async def connect_google(database: Database, user_id: Any, email: str = "ada@gmail.example") -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        row = {"id": new_id(), "user_id": user_id, "provider": Provider.GOOGLE, "subject": "1"}
        await uow.session.execute(sa.insert(UserIdentity).values(**row, email=email, created_at=clock.now()))
        await uow.commit()


async def test_the_page_shows_every_section(browsers: Open, ada: Any) -> None:
    text = (await (await browsers(ada)).get("/settings")).text
    for root in ("profile", "password-change", "identities", "devices", "tokens"):
        assert f'id="{root}"' in text
    assert "Ada Byron" in text
    assert "<option selected>Europe/London</option>" in text
    assert "Firefox on Linux" in text
    assert 'href="/settings/deletion"' in text


async def test_the_profile_is_saved(browsers: Open, database: Database, ada: Any) -> None:
    browser = await browsers(ada)
    assert target(await browser.post("/settings/profile", PROFILE)) == "/settings"
    user = await stored(database, ada)
    assert (user.name, user.time_zone, user.theme) == ("Ada King", "Asia/Kolkata", "dark")
    page = await browser.get("/settings")
    assert 'data-theme="dark"' in page.text
    assert "Asia/Kolkata" in page.text
    assert "Saved." in page.text
    assert "Saved." not in (await browser.get("/settings")).text


async def test_the_theme_stays_after_signing_out(browsers: Open, ada: Any) -> None:
    browser = await browsers(ada)
    await browser.post("/settings/profile", PROFILE)
    await browser.post("/sign-out")
    assert 'data-theme="dark"' in (await browser.get("/sign-in")).text


async def test_the_theme_follows_the_device_again(browsers: Open, database: Database, ada: Any) -> None:
    browser = await browsers(ada)
    await browser.post("/settings/profile", PROFILE)
    await browser.post("/settings/profile", PROFILE | {"theme": ""})
    assert (await stored(database, ada)).theme == "auto"
    assert "data-theme" not in (await browser.get("/settings")).text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\x00"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"time_zone": "Mars/Olympus"}, "time-zone"),
        ({"theme": "neon"}, "theme"),
    ],
)
async def test_a_wrong_profile_changes_nothing(
    browsers: Open, database: Database, ada: Any, changed: dict[str, str], field: str
) -> None:
    browser = await browsers(ada)
    for htmx in (False, True):
        answer = await browser.post("/settings/profile", PROFILE | changed, htmx=htmx)
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert ("<html" in answer.text) is not htmx
        assert ('id="tokens"' in answer.text) is not htmx
    user = await stored(database, ada)
    assert (user.name, user.time_zone, user.theme) == ("Ada Byron", "Europe/London", "auto")


async def test_htmx_reloads_the_page_after_the_profile(browsers: Open, ada: Any) -> None:
    answer = await (await browsers(ada)).post("/settings/profile", PROFILE, htmx=True)
    assert answer.headers["hx-redirect"] == "/settings"


async def test_names_are_shown_not_run(browsers: Open, ada: Any) -> None:
    browser = await browsers(ada)
    await browser.post("/settings/profile", PROFILE | {"name": '<script>alert("x")</script>'})
    text = (await browser.get("/settings")).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


async def test_devices_are_listed_and_signed_out_one_by_one(
    browsers: Open, database: Database, ada: Any
) -> None:
    here, phone = await browsers(ada), await browsers(ada, user_agent=PHONE)
    text = (await here.get("/settings")).text
    assert "Safari on iPhone" in text
    assert text.count("this one") == 1
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        query = sa.select(WebSession.id).where(WebSession.user_agent == PHONE)
        id_ = (await uow.session.execute(query)).scalar_one()
    answer = await here.post(f"/settings/devices/{id_}/sign-out", htmx=True)
    assert answer.status_code == 200
    assert 'id="devices"' in answer.text
    assert "iPhone" not in answer.text
    assert (await phone.get("/settings")).status_code == 303
    assert (await here.get("/settings")).status_code == 200
    again = await here.post(f"/settings/devices/{id_}/sign-out")
    assert again.status_code == 404


async def test_signing_out_a_device_without_scripts(browsers: Open, database: Database, ada: Any) -> None:
    here, there = await browsers(ada), await browsers(ada)
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        ids = (await uow.session.execute(sa.select(WebSession.id).order_by(WebSession.created_at))).scalars()
        theirs = list(ids)[1]
    assert target(await here.post(f"/settings/devices/{theirs}/sign-out")) == "/settings"
    assert (await there.get("/settings")).status_code == 303


@pytest.mark.parametrize("id_", ["x", "00000000-0000-0000-0000-000000000000", "%00", "1" * 300])
async def test_a_device_that_is_none_is_404(browsers: Open, ada: Any, id_: str) -> None:
    browser = await browsers(ada)
    assert (await browser.post(f"/settings/devices/{id_}/sign-out")).status_code == 404
    assert (await browser.post(f"/settings/tokens/{id_}/revocation")).status_code == 404


async def test_nobody_signs_somebody_elses_device_out(
    browsers: Open, database: Database, ada: Any, cast: Cast
) -> None:
    victim = await browsers(ada)
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        id_ = (await uow.session.execute(sa.select(WebSession.id))).scalar_one()
    for name in ("other_student", "mentor", "admin"):
        other = await browsers(cast[name])
        assert (await other.post(f"/settings/devices/{id_}/sign-out")).status_code == 404
    assert (await victim.get("/settings")).status_code == 200


async def test_signing_out_everywhere(browsers: Open, database: Database, ada: Any, cast: Cast) -> None:
    here, there, stranger = await browsers(ada), await browsers(ada), await browsers(cast["student"])
    assert target(await here.post("/settings/devices/sign-out")) == "/sign-in"
    assert here.cookie("session") is None
    assert (await there.get("/settings")).status_code == 303
    assert (await stranger.get("/settings")).status_code == 200


async def test_google_can_be_disconnected_when_there_is_a_password(
    browsers: Open, database: Database, ada: Any
) -> None:
    await connect_google(database, ada)
    browser = await browsers(ada)
    assert "ada@gmail.example" in (await browser.get("/settings")).text
    answer = await browser.post("/settings/google/disconnection", htmx=True)
    assert answer.status_code == 200
    assert 'id="identities"' in answer.text
    assert "Not connected" in answer.text
    assert (await browser.post("/settings/google/disconnection")).status_code == 404


async def test_the_last_way_in_is_not_cut(browsers: Open, database: Database, cast: Cast) -> None:
    await connect_google(database, cast["student"])
    browser = await browsers(cast["student"])
    assert "Set a password before you disconnect it" in (await browser.get("/settings")).text
    answer = await browser.post("/settings/google/disconnection")
    assert answer.status_code == 409
    assert "could not come back in" in answer.text
    fragment = await browser.post("/settings/google/disconnection", htmx=True)
    assert fragment.headers["hx-retarget"] == "#flash"
    assert "ada@gmail.example" in (await browser.get("/settings")).text


NOBODYS = "01936d7e-0000-7000-8000-000000000000"
POSTS = [
    "/settings/profile",
    "/settings/password",
    "/settings/google/disconnection",
    "/settings/devices/sign-out",
    f"/settings/devices/{NOBODYS}/sign-out",
    "/settings/tokens",
    f"/settings/tokens/{NOBODYS}/revocation",
    "/settings/deletion",
]


@pytest.mark.parametrize("path", POSTS)
async def test_every_change_needs_the_form_of_this_site(browsers: Open, ada: Any, path: str) -> None:
    browser: Browser = await browsers(ada)
    answer = await browser.post(path, PROFILE, csrf=False)
    assert answer.status_code == 403
    assert "too old" in answer.text
    assert (await browser.get("/settings")).status_code == 200


@pytest.mark.parametrize("path", POSTS)
async def test_a_change_needs_somebody_signed_in(browsers: Open, path: str) -> None:
    assert (await (await browsers()).post(path, PROFILE)).status_code == 401
