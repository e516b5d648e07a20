"""A context for each kind of mail, whole and with nothing but what its templates require."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
END = START + timedelta(hours=1)
WEEK = timedelta(days=7)
HOME = "http://127.0.0.1:8000"

ACCOUNT = {"name": "Ana O'Neill", "link": f"{HOME}/verify/abc", "expires_hours": 24}
STARTING = {
    "recipient_name": "Ana O'Neill",
    "steps": ["A few words about you", "Your time zone", "Discord"],
    "link": f"{HOME}/dashboard",
}
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
SALE = {
    "recipient_name": "Ana O'Neill",
    "other_name": "Inês <Duarte>",
    "role": "student",
    "zone": "America/New_York",
    "title": "Four <evening> sessions",
    "sessions": 4,
    "currency": "EUR",
    "original_amount": 48_000,
    "discount_amount": 0,
    "discount_code": None,
    "tax_amount": 0,
    "total_amount": 48_000,
    "provider": "stripe",
    "paid_at": START,
    "expires_at": END + timedelta(days=45),
    "link": f"{HOME}/calendar?mentor_id=0198",
}
RECEIPT = {"receipt_link": f"{HOME}/receipts/0199"}
DISCOUNTED = {
    "discount_amount": 4_800,
    "discount_code": "WELCOME10",
    "tax_amount": 9_072,
    "total_amount": 52_272,
}
FLAGS = ("wrong_amount", "wrong_currency", "no_seat", "partial_refund", "refund_failed", "disputed")

PROPOSED = {
    "proposed_start": START + timedelta(days=7),
    "proposed_end": END + timedelta(days=7),
    "link": f"{HOME}/sessions/0198/proposal",
}
DISPUTED = {"marked": "no_show"}
AWAY = {
    "recipient_name": "Ana O'Neill",
    "other_name": "Inês <Duarte>",
    "zone": "America/New_York",
    "days": "from Mon 23 Nov to Fri 27 Nov 2026",
    "days_added": 0,
    "expires_at": None,
    "sessions": [],
    "link": f"{HOME}/sessions",
}
_ON_THE_DAYS = {"start": START, "end": END, "link": SESSION["link"], "canceled": False, "proposed": None}
AWAY_SESSIONS = [
    _ON_THE_DAYS | {"proposed": START + timedelta(days=7), "link": PROPOSED["link"]},
    _ON_THE_DAYS | {"canceled": True},
    _ON_THE_DAYS,
]

KEPT = {"until": START - timedelta(days=2, hours=12)}
MENTEE = f"{HOME}/instructor/students/0198"
EXPIRING = {
    "remaining": 2,
    "booked": 0,
    "expires_at": START + timedelta(days=4),
    "calendar_link": f"{HOME}/calendar?mentor_id=0198",
}
EXPIRING_TOO: list[dict[str, Any]] = [
    {"booked": 1},
    {"booked": 2},
    {"remaining": 1},
    {"remaining": 1, "booked": 1},
    {"remaining": 3, "booked": 2},
]
REQUIRED: dict[str, dict[str, Any]] = {
    "verify_email": ACCOUNT,
    "reset_password": ACCOUNT,
    "invitation": {
        "name": ACCOUNT["name"],
        "link": f"{HOME}/invitations/abc",
        "expires_days": 7,
        "role": "student",
    },
    "already_registered": {
        "name": ACCOUNT["name"],
        "sign_in_link": f"{HOME}/sign-in",
        "reset_link": f"{HOME}/reset-password",
    },
    "password_changed": {"name": ACCOUNT["name"], "reset_link": f"{HOME}/reset-password"},
    "getting_started_day": STARTING,
    "getting_started_two_days": STARTING,
    "pack_granted": PACK,
    "pack_adjusted": {name: PACK[name] for name in PACK if name != "sessions"}
    | {"remaining": 3, "delta": 2, "reason": "Two sessions <lost> in the storm"},
    "packs_onboarded": {
        "recipient_name": "Ana O'Neill",
        "packs": [
            {
                "mentor_name": "Inês <Duarte>",
                "remaining": 3,
                "expires_at": END,
                "mentor_zone": "Europe/Lisbon",
            }
        ],
        "zone": "America/New_York",
        "link": f"{HOME}/calendar",
    },
    "mentees_onboarded": {
        "recipient_name": "Inês <Duarte>",
        "mentees": 12,
        "link": f"{HOME}/instructor/students",
    },
    "seat_granted": SEAT | {"left": 3},
    "seat_taken": SEAT | {"left": 1},
    "seat_offered": SEAT | {"until": START + timedelta(hours=6)},
    "offer_lapsed": SEAT,
    "seat_released": SEAT,
    "waitlist_removed": SEAT | {"link": f"{HOME}/instructors"},
    "pack_purchased": SALE | RECEIPT,
    "payment_returned": SALE | {"expires_at": None, "link": f"{HOME}/instructors/ines-duarte"},
    "refund_issued": SALE | {"refunded": 36_000, "sessions_taken": 3, "link": RECEIPT["receipt_link"]},
    "order_flagged": {
        "recipient_name": "Ada Winter",
        "student_name": "Ana O'Neill",
        "mentor_name": "Inês <Duarte>",
        "flag": FLAGS[0],
        "link": f"{HOME}/admin/orders/0199",
    },
    "sending_stuck": {
        "recipient_name": "Ada Winter",
        "waiting": 12,
        "minutes": 25,
        "what": "A session was booked",
        "limit": 10,
        "undelivered": 0,
        "link": f"{HOME}/admin/jobs",
    },
    "renewal_reminder": SEAT | {"remaining": 1, "expires_at": END + timedelta(days=20)},
    "final_renewal_notice": SEAT | KEPT,
    "grace_warning": SEAT | KEPT,
    "pack_expiring_week": SEAT | EXPIRING,
    "pack_expiring_day": SEAT | EXPIRING | {"expires_at": END - timedelta(days=2)},
    "pack_expired": SEAT | {"sessions": 2, "expires_at": END - timedelta(days=3), "seat": "released"},
    "renewal_asked": SEAT
    | {
        "remaining": 1,
        "pack_expires_at": END + timedelta(days=9),
        "seat_expires_at": None,
        "link": f"{HOME}/instructors/ines-duarte#packs",
    },
    "session_booked": SESSION,
    "series_booked": SESSION
    | {"times": [(START, END), (START + WEEK, END + WEEK)], "link": f"{HOME}/sessions"},
    "session_moved": SESSION,
    "session_canceled": SESSION,
    "session_reminder_day": SESSION,
    "session_reminder_hour": SESSION,
    "session_completed": SESSION,
    "session_no_show": SESSION,
    "session_auto_completed": SESSION,
    "recording_ready": SESSION | {"expires_at": START + timedelta(days=30)},
    "recording_expiring_week": SESSION | {"expires_at": START + timedelta(days=4)},
    "recording_expiring_day": SESSION | {"expires_at": START - timedelta(days=2)},
    "testimonial_asked": {
        "recipient_name": "Ana O'Neill",
        "other_name": "Inês <Duarte>",
        "after": "third",
        "link": f"{HOME}/testimonials/new?pack_id=0198",
    },
    "session_disputed": SESSION
    | DISPUTED
    | {"role": "mentor", "reason": "I waited for an hour.\n\nNobody <came>."},
    "dispute_decided": SESSION | DISPUTED | {"upheld": True, "by": "mentor", "answer": ""},
    "testimonial_approved": {
        "recipient_name": "Ana O'Neill",
        "other_name": "Inês <Duarte>",
        "link": f"{HOME}/instructors/ines-duarte#testimonials",
        "own_link": f"{HOME}/testimonials/0199",
    },
    "move_proposed": SESSION | PROPOSED,
    "proposal_declined": SESSION | PROPOSED | {"role": "mentor"},
    "proposal_withdrawn": SESSION | PROPOSED,
    "mentor_away": AWAY,
    "mentor_back": AWAY | {"sessions": [{"start": START, "end": END, "link": SESSION["link"]}]},
    "calendar_revoked": {"recipient_name": "Inês Duarte", "link": f"{HOME}/instructor/settings"},
    "calendar_failed": SESSION | {"role": "mentor", "link": f"{HOME}/instructor/settings"},
    "calendar_conflict": SESSION | {"role": "mentor", "conflict": "moved"},
}
OPTIONAL: dict[str, list[dict[str, Any]]] = {
    "invitation": [{"role": "mentor"}, {"expires_days": 1}],
    "getting_started_day": [{"steps": ["Discord"]}],
    "getting_started_two_days": [{"steps": ["Discord"]}],
    "pack_granted": [{"role": "mentor"}, {"sessions": 1}],
    "pack_adjusted": [
        {"role": "mentor"},
        {"delta": -1, "remaining": 0, "reason": "Counted twice."},
        {"delta": -2, "remaining": 1, "role": "mentor", "reason": ""},
        {"delta": 0, "before": END},
        {"delta": 0, "before": END, "role": "mentor"},
    ],
    "packs_onboarded": [
        {
            "packs": [
                {"mentor_name": "Inês <Duarte>", "remaining": 1, "expires_at": END, "mentor_zone": "UTC"},
                {"mentor_name": "Kenji", "remaining": 2, "expires_at": END, "mentor_zone": "Asia/Tokyo"},
            ]
        }
    ],
    "mentees_onboarded": [{"mentees": 1}],
    "seat_granted": [{"role": "mentor"}, {"left": 0}, {"left": 0, "role": "mentor"}, {"left": 1}],
    "seat_taken": [{"role": "mentor"}, {"left": 0}, {"left": 0, "role": "mentor"}, {"left": 3}],
    "seat_released": [{"role": "mentor", "link": f"{HOME}/instructor/waitlist"}],
    "renewal_reminder": [{"expires_at": None}],
    "final_renewal_notice": [{"role": "mentor", "link": MENTEE}],
    "pack_expiring_week": EXPIRING_TOO,
    "pack_expiring_day": EXPIRING_TOO,
    "pack_expired": [
        {"sessions": 1, "seat": "active"},
        {"seat": "grace"},
        {"seat": None},
        {"role": "mentor", "link": MENTEE},
        {"role": "mentor", "link": MENTEE, "seat": "active", "sessions": 1},
    ],
    "pack_purchased": [
        {"role": "mentor"},
        DISCOUNTED,
        {"sessions": 1, "provider": "paypal"},
        {"discount_amount": 48_000, "total_amount": 0},
    ],
    "payment_returned": [{"role": "mentor", "link": f"{HOME}/instructor/waitlist"}],
    "refund_issued": [
        {"role": "mentor", "link": f"{HOME}/instructor/sessions"},
        {"refunded": 1, "sessions_taken": 0},
        {"refunded": 12_000, "sessions_taken": 1},
        {"refunded": 0, "sessions_taken": 2},
        {"refunded": 0, "sessions_taken": 2, "role": "mentor"},
    ],
    "order_flagged": [{"flag": flag} for flag in FLAGS[1:]],
    "sending_stuck": [{"waiting": 1, "undelivered": 1}, {"undelivered": 3}],
    "renewal_asked": [
        {"remaining": 0, "pack_expires_at": None, "seat_expires_at": START + timedelta(hours=60)},
        {"remaining": 2, "seat_expires_at": START + timedelta(hours=60)},
    ],
    "session_booked": [{"sessions_left": 2}, {"role": "mentor"}],
    "series_booked": [{"sessions_left": 0}, {"role": "mentor"}, {"times": [(START, END)]}],
    "session_moved": [{"previous_start": START - timedelta(days=1)}, {"role": "mentor"}],
    "session_canceled": [
        {"canceled_by": "student", "sessions_left": 3},
        {"canceled_by": "mentor", "reason": "Inês is ill.", "sessions_left": 1},
        {"role": "mentor", "canceled_by": "student"},
    ],
    "session_reminder_day": [{"role": "mentor"}],
    "session_reminder_hour": [{"role": "mentor"}],
    "session_completed": [{"sessions_left": 0}],
    "session_no_show": [{"sessions_left": 1}],
    "session_auto_completed": [{"sessions_left": 2}, {"role": "mentor"}],
    "recording_expiring_week": [{"role": "mentor"}],
    "recording_expiring_day": [{"role": "mentor"}],
    "session_disputed": [{"marked": "completed"}, {"role": "admin", "mentor_name": "Inês <Duarte>"}],
    "dispute_decided": [
        {"role": "mentor"},
        {"by": "admin", "answer": "Both of you were right in a way.\nIt goes <back>."},
        {"role": "mentor", "by": "admin", "answer": "It goes back."},
        {"upheld": False, "by": "admin", "answer": "The room was open for an hour, and you never came."},
        {"role": "mentor", "upheld": False, "by": "admin", "answer": "It stays.", "marked": "completed"},
    ],
    "testimonial_asked": [{"after": "last"}],
    "mentor_away": [
        {"days_added": 5, "expires_at": END + timedelta(days=50)},
        {"days_added": 1, "expires_at": END + timedelta(days=46), "sessions": AWAY_SESSIONS},
        {"sessions": AWAY_SESSIONS[:1]},
    ],
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
