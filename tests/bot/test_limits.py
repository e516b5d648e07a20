"""How often the bot answers: as often as the pages."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.errors import TooManyRequests
from app.limits import BOOKING, USER
from app.wiring import Platform
from bot.answering import Answering
from bot.main import router
from tests.bot.chat import Chat

ENOUGH = TooManyRequests(1).detail


@pytest.fixture
def strict(chat: Chat, platform: Platform) -> Chat:
    """A bot that counts as it does in the open."""
    settings = dataclasses.replace(platform.settings, limits_scale=1.0)
    return Chat(Answering(dataclasses.replace(platform, settings=settings), router()))


@pytest.mark.usefixtures("within_a_minute")
@pytest.mark.parametrize("custom_id", ["book.time:x", "cancel.do:x"])
async def test_booking_and_canceling_are_limited_as_on_the_pages(strict: Chat, custom_id: str) -> None:
    for _ in range(BOOKING.per_minute):
        assert (await strict.use("student", custom_id, "x")).text != ENOUGH
    assert (await strict.use("student", custom_id, "x")).text == ENOUGH
    assert (await strict.use("other_student", custom_id, "x")).text != ENOUGH
    assert (await strict.type("student", "next")).text != ENOUGH


def test_everything_else_is_limited_by_person() -> None:
    every = router()
    strictly = {name for name, action in every.actions.items() if action.policy is BOOKING}
    others = {action.policy for action in every.actions.values()} - {BOOKING}
    typed = {command.policy for command in every.commands.values()}
    assert (strictly, others, typed) == ({"book.time", "cancel.do"}, {USER}, {USER})
