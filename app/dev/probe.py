"""Asks a web server on this machine whether it is well, with nothing but the standard library."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 5.0


async def answers_ok(base_url: str, path: str) -> bool:
    """True if GET `base_url` + `path` (plain http) is answered with status 200 within 5 s."""
    try:
        return await asyncio.wait_for(_status(base_url, path), TIMEOUT_SECONDS) == 200
    except (OSError, TimeoutError):
        return False


async def _status(base_url: str, path: str) -> int:
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode())
        words = (await reader.readline()).split()
        return int(words[1]) if len(words) > 1 else 0
    finally:
        writer.close()
