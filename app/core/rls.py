"""Row-level security: who may see every row.

The role `app` is bound to one user for one transaction; the role `service` sees all. Only the doors named here open a
service unit of work, so that reading this file tells where row-level security does not apply.
"""

from __future__ import annotations

from enum import StrEnum


class ServiceDoor(StrEnum):
    """Why a unit of work sees every row."""

    SIGN_IN = "sign-in"  # the user isn't known yet: sign-up, sign-in, reset, OAuth callbacks
    JOB = "job"  # worker: outbox, notifications, calendar writes, mirrors
    BOT = "bot"  # a Discord account speaks: whose it is isn't known yet
    WEBHOOK = "webhook"  # a vendor speaks, nobody is signed in
    CALENDAR = "calendar"  # mentors' grants, which nobody may read, and the mirror: live checks too
    CALL = "call"  # who was in a video room: evidence that neither of the two may write themselves
    CHECKOUT = (
        "checkout"  # a seat counts against everybody's; orders and money are written by no user themselves
    )
    ADMIN = (
        "admin"  # an admin's work on accounts: roles, deletion, invitations, columns that no user may change
    )
    FORGET = "forget"  # a person's traces lie in tables that they can't touch themselves
    SEED = "seed"  # demo and load data, commands of the operator
    HEALTH = "health"  # readiness looks at the queue
