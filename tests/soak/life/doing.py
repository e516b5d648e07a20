"""Doing things in a soak as the product lets people: dice decide who, the services decide whether."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core import clock
from app.core.errors import AppError
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, UnitOfWork
from tests.soak.life.history import History
from tests.soak.life.world import World


class NothingToDo(Exception):
    """Nobody is in a position to do this at the moment."""


class Doing:
    """The dice, the world and what was done so far."""

    def __init__(self, world: World, rng: random.Random, history: History) -> None:
        self.world, self.rng, self.history = world, rng, history
        self._expiries: dict[UUID, datetime] = {}

    async def some(self, weights: Mapping[str, int], number: int) -> None:
        """So many deeds, chosen by their weights, one after another."""
        for name in self.rng.choices(list(weights), list(weights.values()), k=number):
            await self.attempt(name)

    async def attempt(self, name: str) -> bool:
        """The deed of that name, a method's; True if it was done."""
        try:
            await getattr(self, name)()
        except NothingToDo:
            return False
        except AppError as error:
            self.history.refuse(f"{name}: {getattr(error, 'code', type(error).__name__)}")
            return False
        finally:
            await self._look_at_packs()
        return True

    async def _look_at_packs(self) -> None:
        """Note when a pack's expiry was set: the table keeps only the latest."""
        for row in await self.sql("select id, expires_at from session_packs order by id"):
            if self._expiries.get(row.id) != row.expires_at:
                self._expiries[row.id] = row.expires_at
                self.history.note(clock.now(), "expiry", pack_id=row.id, expires_at=row.expires_at)

    @asynccontextmanager
    async def _acting(self, principal: Principal) -> AsyncIterator[UnitOfWork]:
        async with self.world.database.unit_of_work(principal) as uow, uow.transaction():
            yield uow

    async def sql(self, statement: str, **values: Any) -> Sequence[Any]:
        """Ask the tables."""
        if ":now" in statement:
            values["now"] = clock.now()
        async with self.world.database.service(ServiceDoor.SEED) as uow:
            return (await uow.session.execute(sa.text(statement), values)).all()

    async def _one(self, statement: str) -> Any:
        """One of the rows, as the dice have it. Raises NothingToDo."""
        rows = sorted(await self.sql(statement), key=lambda row: [str(value) for value in row])
        if not rows:
            raise NothingToDo
        return self.rng.choice(rows)
