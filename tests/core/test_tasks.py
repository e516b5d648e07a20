"""Ending tasks, also those that don't hear it the first time."""

from __future__ import annotations

import asyncio

import pytest

from app.core.tasks import end


async def test_a_task_is_ended() -> None:
    task = asyncio.create_task(asyncio.sleep(3600))
    await end(task)
    assert task.cancelled()


async def test_a_swallowed_cancellation_is_repeated() -> None:
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        while swallowed < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                swallowed += 1
        await asyncio.sleep(3600)

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await end(task)
    assert (swallowed, task.cancelled()) == (3, True)


async def test_what_a_task_ended_with_is_kept() -> None:
    async def fail() -> None:
        raise ValueError("no")

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    await end(task)
    with pytest.raises(ValueError, match="no"):
        await task
