"""Passwords: argon2id (RFC 9106), hashed in a few threads of their own, so that sign-ins don't stall pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.accounts.rules import normal_password

T = TypeVar("T")

# Each hash takes its memory for itself: the number of threads bounds what sign-ins can take together.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="argon2")
_hasher = PasswordHasher()


def configure(memory_kib: int) -> None:
    """Hash with this much memory from now on; older hashes stay valid and are renewed at the next sign-in."""
    global _hasher
    _hasher = PasswordHasher(memory_cost=memory_kib)


async def hash_password(password: str) -> str:
    """The argon2id hash of `password`, with its salt and parameters."""
    return await _in_thread(lambda: _hasher.hash(normal_password(password)))


async def matches(stored: str | None, password: str) -> bool:
    """True if `stored` is a hash of `password`. None costs the same time: it can't be told who has an account."""
    return await _in_thread(lambda: _verify(stored or _nobodys(), password)) and stored is not None


def is_outdated(stored: str) -> bool:
    """True if `stored` was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, normal_password(password))
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def _nobodys() -> str:
    """A hash with today's parameters that no password is known for."""
    parameters = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${parameters}${'A' * 22}${'A' * 43}"


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
