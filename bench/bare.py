"""The yardstick: a Litestar page with a pool, one SELECT by key and a template. No ORM, no accounts, no security."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from jinja2 import Environment
from litestar import Litestar, Response, get
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from psycopg_pool import AsyncConnectionPool

from app.settings import Settings

PAGE = """<!doctype html><html lang="en"><head><title>{{ name }}</title></head>
<body><h1>{{ name }}</h1><p>{{ email }}</p><p>{{ time_zone }}</p></body></html>"""
QUERY = "select name, email, time_zone from users where id = %s"


def create_app() -> Litestar:
    """One route, `/users/{id}`, over the service role of the same database as the platform."""
    template = Environment(autoescape=True).from_string(PAGE)
    pool = AsyncConnectionPool(Settings.from_env().database_service_url, min_size=4, max_size=20, open=False)

    @get("/users/{user_id:uuid}")
    async def user(user_id: FromPath[UUID]) -> Response[str]:
        async with pool.connection() as connection:
            cursor = await connection.execute(QUERY, [user_id])
            row = await cursor.fetchone()
        if row is None:
            raise NotFoundException
        name, email, time_zone = row
        body = template.render(name=name, email=email, time_zone=time_zone)
        return Response(body, media_type=MediaType.HTML)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with pool:
            yield

    return Litestar([user], lifespan=[lifespan], openapi_config=None)
