"""What only the owner of an account may do, and no admin who is signed in as them (docs/operators.md)."""

from __future__ import annotations

from app.core.errors import Forbidden
from app.core.unit_of_work import Principal

ONLY_THEMSELVES = "You are signed in as somebody else. Only they can do this themselves. Nothing was changed."


def require_themselves(principal: Principal) -> None:
    """Raise Forbidden("impersonated") where an admin acts as the principal."""
    if principal.impersonator_id is not None:
        raise Forbidden(ONLY_THEMSELVES, code="impersonated")
