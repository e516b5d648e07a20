"""Trips to a vendor's consent page and back: one use of a state, bound to one browser and to whoever set out."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts import repository
from app.core.errors import BadRequest
from app.core.ids import hash_secret, new_secret
from app.core.unit_of_work import UnitOfWork

TRIP = timedelta(minutes=10)
LOST = (
    "This way back from {vendor} was used already, took longer than ten minutes, or began in another browser."
    " Nothing was changed; please start again."
)


@dataclass(frozen=True)
class Departure:
    """What the consent page's address is made with, and the secret that the browser must bring back in a cookie."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    browser_secret: str = field(repr=False)


@dataclass(frozen=True)
class Trip:
    """Somebody who came back: who set out (None: nobody was signed in), what for, and what was noted then."""

    user_id: UUID | None
    purpose: str
    details: Mapping[str, Any]
    verifier: str = field(repr=False)


async def set_out(
    uow: UnitOfWork,
    purpose: str,
    *,
    user_id: UUID | None,
    details: Mapping[str, Any],
    browser_secret: str | None,
) -> Departure:
    """Note a trip, good for ten minutes of machine time. Service unit of work.

    `browser_secret`: what the browser carries from another trip, so that two tabs don't disturb each other.
    """
    departure = Departure(new_secret(), secrets.token_urlsafe(64), browser_secret or new_secret())
    await repository.add_oauth_state(
        uow.session,
        {
            "state_hash": hash_secret(departure.state),
            "browser_hash": hash_secret(departure.browser_secret),
            "user_id": user_id,
            "purpose": purpose,
            "verifier": departure.verifier,
            "details": dict(details),
            "expires_at": datetime.now(UTC) + TRIP,
        },
    )
    return departure


async def come_back(
    uow: UnitOfWork,
    vendor: str,
    purposes: Collection[str],
    *,
    state: str,
    user_id: UUID | None,
    browser_secret: str | None,
) -> Trip:
    """The trip that `state` names, for one of `purposes`, which can't be taken again. Service unit of work.

    Raises BadRequest("oauth_state"), with one sentence for all: unknown, used or outdated state, another vendor's,
    another browser, or another account signed in than the one that set out.
    """
    row = await repository.take_oauth_state(uow.session, hash_secret(state))
    await uow.commit()
    if (
        row is None
        or row.expires_at <= datetime.now(UTC)
        or not secrets.compare_digest(row.browser_hash, hash_secret(browser_secret or ""))
        or row.user_id not in (None, user_id)
        or row.purpose not in purposes
    ):
        raise BadRequest(LOST.format(vendor=vendor), code="oauth_state")
    return Trip(row.user_id, row.purpose, row.details, row.verifier)
