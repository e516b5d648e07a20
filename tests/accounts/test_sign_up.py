"""Signing up: the same answer for everybody, an account only for whoever owns the mailbox."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.accounts import service
from app.accounts.models import EmailToken, User
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import EMAIL, PASSWORD, Mails, Open, path_of

FORM = {
    "name": " Grace  Hopper ",
    "email": "Grace@example.test",
    "password": "nanoseconds and wire",
    "time_zone": "America/New_York",
}


async def user_called(database: Database, email: str) -> User | None:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return await service.find_by_email(uow, email)


async def count(database: Database, table: type[User | EmailToken]) -> int:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return (await uow.session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()


async def test_from_the_form_to_the_first_sign_in(browsers: Open, mails: Mails, database: Database) -> None:
    browser = await browsers()
    assert target(await browser.post("/sign-up", FORM)) == "/check-mail"
    page = await browser.get("/check-mail")
    assert "Grace@example.test" in page.text

    (mail,) = await mails("verify_email")
    assert mail.address == "Grace@example.test"
    assert mail.context["name"] == "Grace Hopper"
    assert mail.context["expires_hours"] == 24
    link = path_of(mail.context["link"])

    asked = await browser.get(link)
    assert asked.status_code == 200
    assert "Grace@example.test" in asked.text
    assert (await user_called(database, FORM["email"])).email_verified_at is None  # type: ignore[union-attr]

    done = await browser.post(link)
    assert done.status_code == 200
    assert "is confirmed" in done.text
    user = await user_called(database, FORM["email"])
    assert user is not None
    assert user.email_verified_at is not None
    assert (user.role, user.time_zone, user.name) == ("student", "America/New_York", "Grace Hopper")

    signed_in = await browser.post("/sign-in", {"email": FORM["email"], "password": FORM["password"]})
    assert target(signed_in) == "/dashboard"


async def test_the_address_is_not_confirmed_by_a_mail_scanner(browsers: Open, mails: Mails) -> None:
    browser = await browsers()
    await browser.post("/sign-up", FORM)
    (mail,) = await mails("verify_email")
    for _ in range(3):
        assert (await browser.get(path_of(mail.context["link"]))).status_code == 200
    assert len(await mails("verify_email")) == 1


async def test_a_link_works_once(browsers: Open, mails: Mails) -> None:
    browser = await browsers()
    await browser.post("/sign-up", FORM)
    (mail,) = await mails("verify_email")
    link = path_of(mail.context["link"])
    assert (await browser.post(link)).status_code == 200
    again = await browser.post(link)
    assert again.status_code == 410
    assert "This link has ended" in again.text
    assert await mails("verify_email") == []


async def test_a_link_ends_after_a_day(browsers: Open, mails: Mails) -> None:
    browser = await browsers()
    await browser.post("/sign-up", FORM)
    (mail,) = await mails("verify_email")
    link = path_of(mail.context["link"])
    with clock.standing_at(clock.now() + timedelta(hours=23, minutes=59)):
        assert (await browser.get(link)).status_code == 200
    with clock.standing_at(clock.now() + timedelta(hours=24)):
        assert (await browser.get(link)).status_code == 410
        assert (await browser.post(link)).status_code == 410
        assert await mails("verify_email") == []


@pytest.mark.parametrize("token", ["x", "x.y", "%00", "a" * 2000, "0190.%C3%BC", "null"])
async def test_a_malformed_link_has_ended_too(browsers: Open, token: str) -> None:
    browser = await browsers()
    for path in (f"/verify/{token}", f"/reset-password/{token}"):
        answer = await browser.get(path)
        assert answer.status_code == 410, path


async def test_a_link_for_one_purpose_is_none_for_another(browsers: Open, mails: Mails, ada: object) -> None:
    browser = await browsers()
    await browser.post("/reset-password", {"email": EMAIL})
    (mail,) = await mails("reset_password")
    token = mail.context["link"].rpartition("/")[2]
    assert (await browser.get(f"/reset-password/{token}")).status_code == 200
    assert (await browser.get(f"/verify/{token}")).status_code == 410
    assert (await browser.post(f"/verify/{token}")).status_code == 410


async def test_the_id_alone_opens_nothing(browsers: Open, mails: Mails, fast: Settings) -> None:
    browser = await browsers()
    await browser.post("/sign-up", FORM)
    (mail,) = await mails("verify_email")
    token = mail.context["link"].rpartition("/")[2]
    id_, _, signature = token.partition(".")
    assert len(signature) == 43
    for forged in (id_, f"{id_}.", f"{id_}.{'A' * 43}", f"{id_}.{signature[:-1]}"):
        assert (await browser.get(f"/verify/{forged}")).status_code == 410


async def test_known_and_unknown_addresses_get_the_same_answer(
    browsers: Open, mails: Mails, database: Database, ada: object
) -> None:
    stranger, known = await browsers(), await browsers()
    first = await stranger.post("/sign-up", FORM)
    second = await known.post("/sign-up", FORM | {"email": EMAIL.upper()})
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"])
    assert sorted(first.headers) == sorted(second.headers)
    shown = [
        (await browser.get("/check-mail")).text.replace(email, "…")
        for browser, email in ((stranger, FORM["email"]), (known, EMAIL.upper()))
    ]
    token = [browser.cookie("csrftoken") or "" for browser in (stranger, known)]
    assert shown[0].replace(token[0], "") == shown[1].replace(token[1], "")

    (mail,) = await mails("already_registered")
    assert mail.address == EMAIL
    assert mail.context["name"] == "Ada Byron"
    assert await count(database, User) == 2
    user = await user_called(database, EMAIL)
    assert user is not None
    assert user.name == "Ada Byron"


async def test_somebody_who_keeps_trying_sends_one_mail(browsers: Open, mails: Mails, ada: object) -> None:
    browser = await browsers()
    with clock.standing_at(clock.now().replace(minute=1)):
        for _ in range(4):
            await browser.post("/sign-up", FORM | {"email": EMAIL})
        assert len(await mails("already_registered")) == 1


async def test_an_address_that_was_never_confirmed_belongs_to_the_last_who_signed_up(
    browsers: Open, mails: Mails, database: Database
) -> None:
    thief, owner = await browsers(), await browsers()
    await thief.post("/sign-up", FORM | {"password": "the thief's password"})
    (first,) = await mails("verify_email")
    await owner.post("/sign-up", FORM | {"name": "The Owner"})
    assert (await owner.post(path_of(first.context["link"]))).status_code == 410
    (second,) = await mails("verify_email")
    assert (await owner.post(path_of(second.context["link"]))).status_code == 200
    refused = await thief.post("/sign-in", {"email": FORM["email"], "password": "the thief's password"})
    assert refused.status_code == 422
    signed_in = await owner.post("/sign-in", {"email": FORM["email"], "password": FORM["password"]})
    assert signed_in.status_code == 303
    assert await count(database, User) == 1


async def test_the_mail_can_be_sent_again_but_not_without_end(browsers: Open, mails: Mails) -> None:
    browser = await browsers()
    await browser.post("/sign-up", FORM)
    for _ in range(8):
        assert target(await browser.post("/check-mail", {"email": FORM["email"]})) == "/check-mail"
    sent = await mails("verify_email")
    assert len(sent) == 5
    assert len({mail.context["link"] for mail in sent}) == 5
    assert (await browser.post(path_of(sent[0].context["link"]))).status_code == 200
    assert await mails("verify_email") == []


@pytest.mark.parametrize("email", ["nobody@example.test", EMAIL, "not an address", ""])
async def test_sending_again_tells_nothing(browsers: Open, mails: Mails, ada: object, email: str) -> None:
    browser = await browsers()
    assert target(await browser.post("/check-mail", {"email": email})) == "/check-mail"
    assert browser.flashes() == ["Sent once more."]
    assert await mails("verify_email") == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"email": "grace"}, "email"),
        ({"email": ""}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"password": FORM["email"]}, "password"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
    ],
)
async def test_a_wrong_field_is_told_beside_it(
    browsers: Open, database: Database, changed: dict[str, str], field: str
) -> None:
    browser = await browsers()
    id_ = field.replace("_", "-")
    answer = await browser.post("/sign-up", FORM | changed)
    assert answer.status_code == 422
    assert f'id="{id_}-error"' in answer.text
    assert answer.text.count('class="error"') == 1
    assert answer.text.count("autofocus") == 1
    assert "<html" in answer.text
    assert "nanoseconds" not in answer.text
    again = await browser.post("/sign-up", FORM | changed, htmx=True)
    assert again.status_code == 422
    assert "<html" not in again.text
    assert f'id="{id_}-error"' in again.text
    assert await count(database, User) == 0


async def test_a_form_without_fields_is_refused_with_all_of_them(browsers: Open) -> None:
    answer = await (await browsers()).post("/sign-up", {})
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 4


async def test_control_characters_do_no_harm(browsers: Open, database: Database) -> None:
    browser = await browsers()
    await browser.post("/sign-up", FORM | {"name": "Gra\x00ce\r\nBcc: eve"})
    user = await user_called(database, FORM["email"])
    assert user is not None
    assert user.name == "Grace Bcc: eve"


async def test_htmx_is_told_to_go_on(browsers: Open) -> None:
    answer = await (await browsers()).post("/sign-up", FORM, htmx=True)
    assert answer.status_code == 200
    assert answer.headers["hx-redirect"] == "/check-mail"


async def test_nothing_secret_is_stored(browsers: Open, mails: Mails, database: Database) -> None:
    browser = await browsers()
    await browser.post("/sign-up", FORM)
    (mail,) = await mails("verify_email")
    token = mail.context["link"].rpartition("/")[2]
    async with database.service(ServiceDoor.JOB) as uow:
        rows = await uow.session.execute(
            sa.text(
                "select u::text || coalesce(t::text, '') || coalesce(o::text, '')"
                " from users u, email_tokens t, outbox o"
            )
        )
        stored = "".join(rows.scalars())
    assert "verify_email" in stored
    assert FORM["password"] not in stored
    assert token not in stored
    assert token.partition(".")[2] not in stored
    payload_names = "grace" in stored.lower().split("notification/send")[1]
    assert not payload_names


async def test_a_closed_account_is_not_woken_by_signing_up(
    browsers: Open, mails: Mails, database: Database, ada: object
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await service.delete_user(uow, ada)  # type: ignore[arg-type]
        await uow.commit()
    browser = await browsers()
    assert target(await browser.post("/sign-up", FORM | {"email": EMAIL})) == "/check-mail"
    assert await mails("already_registered") == []
    assert await mails("verify_email") == []
    assert (await browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})).status_code == 422


async def test_signed_in_people_have_an_account_already(browsers: Open, ada: object) -> None:
    browser: Browser = await browsers(ada)
    assert target(await browser.get("/sign-up")) == "/dashboard"
