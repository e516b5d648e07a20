"""The mails about accounts, from the event that a worker gets to the words that a person reads."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.accounts import invitations
from app.accounts.notices import NOTICES
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.templating import environment
from app.core.unit_of_work import Principal, Role
from app.notifications.catalogue import CATALOGUE
from app.notifications.rendering import render
from app.settings import Settings
from tests.accounts.conftest import EMAIL, PASSWORD, Mails, Open, path_of

FORM = {
    "name": "Grace",
    "email": "grace@example.test",
    "password": "nanoseconds and wire",
    "time_zone": "UTC",
}


async def cause(browsers: Open, database: Database, fast: Settings, kind: str, ada: Any) -> None:
    """Do what leads to a mail of this kind."""
    if kind == "invitation":
        admin = Principal(new_id(), Role.ADMIN)
        guest = {"email": FORM["email"], "name": FORM["name"], "role": Role.STUDENT, "time_zone": ""}
        async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
            await invitations.invite(uow, fast, **guest, by=admin)  # type: ignore[arg-type]
        return
    browser = await browsers(ada if kind == "password_changed" else None)
    path, form = {
        "verify_email": ("/sign-up", FORM),
        "already_registered": ("/sign-up", FORM | {"email": EMAIL}),
        "reset_password": ("/reset-password", {"email": EMAIL}),
        "password_changed": (
            "/settings/password",
            {"current_password": PASSWORD, "new_password": "quite another phrase"},
        ),
    }[kind]
    answer: httpx.Response = await browser.post(path, form)
    assert answer.status_code == 303


@pytest.mark.parametrize("kind", NOTICES)
async def test_a_mail_reads_well(
    browsers: Open, mails: Mails, database: Database, fast: Settings, ada: Any, kind: str
) -> None:
    await cause(browsers, database, fast, kind, ada)
    (message,) = await mails(kind)
    words = render(environment(fast), kind, message.context)
    assert words.subject
    assert "\n" not in words.subject
    assert message.context["name"] in words.text
    for name, link in message.context.items():
        if name.endswith("link"):
            assert link in words.text, name
            assert link in words.html, name
            assert (await (await browsers()).get(path_of(link))).status_code == 200
    for text in (words.text, words.html):
        assert "{{" not in text
        assert "None" not in text


async def test_links_that_let_people_in_are_not_kept(fast: Settings) -> None:
    for kind in NOTICES:
        assert CATALOGUE[kind].secret is (kind in ("verify_email", "reset_password", "invitation"))
        assert not CATALOGUE[kind].optional


@pytest.mark.parametrize("kind", NOTICES)
async def test_a_mail_to_nobody_is_none(database: Database, fast: Settings, kind: str) -> None:
    payload = {"kind": kind, "user_id": str(new_id()), "email_token_id": str(new_id())}
    async with database.service(ServiceDoor.JOB) as uow:
        assert await NOTICES[kind](uow, fast, payload) == []
