"""The small form of killing the worker: three rounds."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from app.settings import Settings
from tests.soak.stage import stage
from tests.soak.worker_kills import Kills, is_good, run
from tests.support.sandbox import RunningSandbox, running_sandbox

ROUNDS = 3


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A running sandbox."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


async def test_killed_workers_lose_nothing_and_repeat_nothing(
    settings: Settings, sandbox: RunningSandbox
) -> None:
    seed = random.randrange(1 << 32)
    async with stage(settings, sandbox) as played:
        kills = Kills(played.desk, played.sandbox, played.settings, random.Random(seed))
        told = [facts async for facts in run(kills, ROUNDS)]
    assert is_good(told[-1]), (seed, told)
    assert len(told) == ROUNDS + 1


def test_the_verdict_notices_every_harm() -> None:
    good = {
        "sessions": 5,
        "with_one_event": 5,
        "events": 5,
        "with_one_mail_each": 5,
        "mails": 10,
        "deliveries": {"sent": 12},
        "dead": 0,
    }
    assert is_good(good)
    for harm in (
        {"sessions": 0},
        {"events": 6},
        {"with_one_event": 4},
        {"with_one_mail_each": 4},
        {"mails": 11},
        {"deliveries": {"sent": 11, "uncertain": 1}},
        {"dead": 1},
    ):
        assert not is_good(good | harm), harm
