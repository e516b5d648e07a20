"""TLS of outgoing calls."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def outgoing() -> ssl.SSLContext:
    """The context for calls to others: loading the authorities takes 50 ms of computing, so one serves a process."""
    return httpx.create_ssl_context()
