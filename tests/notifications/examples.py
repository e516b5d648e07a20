"""A context for each kind of mail, whole and with nothing but what its templates require."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
END = START + timedelta(hours=1)
HOME = "http://127.0.0.1:8000"

ACCOUNT = {"name": "Ana O'Neill", "link": f"{HOME}/verify/abc", "expires_hours": 24}
SESSION = {
    "recipient_name": "Ana O'Neill",
    "other_name": "Inês <Duarte>",
    "role": "student",
    "start": START,
    "end": END,
    "zone": "America/New_York",
    "link": f"{HOME}/sessions/0198",
}
PACK = {
    "recipient_name": "Ana O'Neill",
    "other_name": "Inês <Duarte>",
    "role": "student",
    "sessions": 4,
    "expires_at": END + timedelta(days=45),
    "zone": "America/New_York",
    "link": f"{HOME}/calendar",
}
SEAT = {
    "recipient_name": "Ana O'Neill",
    "other_name": "Inês <Duarte>",
    "role": "student",
    "zone": "America/New_York",
    "link": f"{HOME}/instructors/ines-duarte",
}

REQUIRED: dict[str, dict[str, Any]] = {
    "verify_email": ACCOUNT,
    "reset_password": ACCOUNT,
    "already_registered": {
        "name": ACCOUNT["name"],
        "sign_in_link": f"{HOME}/sign-in",
        "reset_link": f"{HOME}/reset-password",
    },
    "password_changed": {"name": ACCOUNT["name"], "reset_link": f"{HOME}/reset-password"},
    "pack_granted": PACK,
    "seat_offered": SEAT | {"until": START + timedelta(hours=6)},
    "offer_lapsed": SEAT,
    "seat_released": SEAT,
    "waitlist_removed": SEAT | {"link": f"{HOME}/instructors"},
    "session_booked": SESSION,
    "session_moved": SESSION,
    "session_canceled": SESSION,
    "session_completed": SESSION,
    "session_no_show": SESSION,
    "session_auto_completed": SESSION,
    "calendar_revoked": {"recipient_name": "Inês Duarte", "link": f"{HOME}/instructor/settings"},
    "calendar_failed": SESSION | {"role": "mentor"},
    "calendar_conflict": SESSION | {"role": "mentor", "conflict": "moved"},
}
OPTIONAL: dict[str, list[dict[str, Any]]] = {
    "pack_granted": [{"role": "mentor"}, {"sessions": 1}],
    "seat_released": [{"role": "mentor", "link": f"{HOME}/instructor/waitlist"}],
    "session_booked": [{"sessions_left": 2}, {"role": "mentor"}],
    "session_moved": [{"previous_start": START - timedelta(days=1)}, {"role": "mentor"}],
    "session_canceled": [
        {"canceled_by": "student", "sessions_left": 3},
        {"canceled_by": "mentor", "reason": "Inês is ill.", "sessions_left": 1},
        {"role": "mentor", "canceled_by": "student"},
    ],
    "session_completed": [{"sessions_left": 0}],
    "session_no_show": [{"sessions_left": 1}],
    "session_auto_completed": [{"sessions_left": 2}, {"role": "mentor"}],
    "calendar_failed": [{"reason": "The calendar is read-only."}],
    "calendar_conflict": [{"conflict_start": START + timedelta(hours=2)}, {"conflict": "deleted"}],
}


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Every kind with its required context, and with each set of optional values on top."""
    return [
        (kind, required | extra)
        for kind, required in REQUIRED.items()
        for extra in [{}, *OPTIONAL.get(kind, [])]
    ]
