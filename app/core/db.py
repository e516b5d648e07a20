"""The database as the code sees it: declarative base, column types, and the engines of the two runtime roles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import ANONYMOUS, SERVICE, Principal, UnitOfWork
from app.settings import Settings

Instant = Annotated[datetime, mapped_column(sa.DateTime(timezone=True))]


class Base(DeclarativeBase):
    """Base of every model: time-ordered UUID keys, named constraints."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: sa.DateTime(timezone=True),
        str: sa.Text(),
        UUID: sa.Uuid(),
    }


class WithId:
    """A time-ordered UUID primary key, made by the application."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-10)


def choice(kind: type[StrEnum], name: str) -> sa.Enum:
    """A text column that holds a value of `kind`, checked by the database (constraint `ck_<table>_<name>`)."""
    return sa.Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


def sqlalchemy_url(url: str) -> str:
    """`postgresql://…` as SQLAlchemy's address with psycopg 3."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1).replace(
        "postgres://", "postgresql+psycopg://", 1
    )


def create_engine(url: str, pool_size: int) -> AsyncEngine:
    """An engine whose connections speak UTC and hold no session state (safe behind PgBouncer).

    Its errors tell the statement without the values: they go to logs, and values are people's.
    """
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=0,  # more would be opened and closed for a request each, which costs more than waiting
        pool_pre_ping=False,
        pool_timeout=30,
        pool_reset_on_return="rollback",
        hide_parameters=True,
        connect_args={"options": "-c TimeZone=UTC", "prepare_threshold": None},
    )


@asynccontextmanager
async def _closed_after(uow: UnitOfWork) -> AsyncIterator[UnitOfWork]:
    try:
        yield uow
    finally:
        await uow.close()


class Database:
    """The two runtime roles of one database: `app`, bound to a user, and `service`, for the doors in `core.rls`."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_engine(settings.database_url, settings.database_pool_size)
        self.service_engine = create_engine(settings.database_service_url, settings.database_pool_size)

    def unit_of_work(self, principal: Principal = ANONYMOUS) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work under row-level security as `principal`; uncommitted work is rolled back at the end."""
        return _closed_after(UnitOfWork(self.app, principal))

    def service(self, door: ServiceDoor) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that sees every row, for one of the named doors; uncommitted work is rolled back."""
        return _closed_after(UnitOfWork(self.service_engine, SERVICE, door=door))

    async def dispose(self) -> None:
        """Close every pooled connection."""
        await self.app.dispose()
        await self.service_engine.dispose()
