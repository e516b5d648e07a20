"""How the entries of the audit log read: verbs, kinds of subjects with their pages, differences."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from app.core.templating import stamp

# In the order in which the filter offers them.
ACTIONS: Final = {
    "sign_in_as": "signed in as somebody else",
    "sign_out_as": "went back to themselves",
    "act_as": "did something as somebody else",
    "change_role": "changed a role",
    "invite": "invited somebody",
    "send_invitation": "sent an invitation again",
    "withdraw_invitation": "took an invitation back",
    "accept_invitation": "took an invitation up",
    "delete_user": "deleted an account",
    "restore_user": "restored an account",
    "forget_user": "erased an account",
    "change_profile": "changed their profile",
    "change_password": "changed their password",
    "reset_password": "set a new password",
    "link_identity": "connected a way to sign in",
    "unlink_identity": "disconnected a way to sign in",
    "link_discord": "linked Discord",
    "unlink_discord": "unlinked Discord",
    "pause_mail": "stopped mails to an address",
    "resume_mail": "had mails sent to an address again",
    "create_access_token": "made an access token",
    "revoke_access_token": "revoked an access token",
    "change_seats": "changed the number of seats",
    "create_product": "put a pack on sale",
    "edit_product": "changed a pack on sale",
    "activate_product": "put a pack on sale again",
    "deactivate_product": "took a pack off sale",
    "grant_pack": "gave a pack",
    "adjust_sessions": "added or took sessions",
    "change_expiry": "changed when a pack ends",
    "extend": "extended a pack",
    "grant_seat": "gave a seat",
    "release_seat": "released a seat",
    "send_again": "sent a notification again",
    "pay": "recorded a payment",
    "refund": "refunded",
    "flag": "flagged an order",
    "decide": "decided about an order",
    "propose": "proposed another time",
    "edit": "edited a session",
    "move": "moved a session",
    "cancel": "canceled a session",
    "mark": "marked a session",
    "agree_to_recording": "agreed to a recording",
    "refuse_recording": "took their consent to a recording back",
    "expire_recording": "removed the link to a recording",
    "keep_time": "kept a session's time",
    "dispute": "disputed how a session is marked",
    "withdraw_dispute": "took a dispute back",
    "decide_dispute": "decided about a dispute",
    "reverse": "gave a session back to its pack",
    "undo_without_seat": "took a session back without a seat",
    "leave_waitlist": "left a waitlist",
    "go_away": "announced an absence",
    "come_back": "ended an absence",
    "decide_testimonial": "decided about a testimonial",
    "withdraw_testimonial": "took a testimonial back",
    "retry_job": "had an event tried again",
    "retry_jobs": "had events tried again",
    "onboard": "brought students over",
}
# kind of subject: (what it is called, its page)
SUBJECTS: Final = {
    "users": ("Account", "/admin/users/{}"),
    "mentors": ("Teaching profile", "/admin/users/{}"),
    "session_packs": ("Pack", "/packs/{}"),
    "seat_reservations": ("Seat", None),
    "sessions": ("Session", "/sessions/{}"),
    "orders": ("Order", "/admin/orders/{}"),
    "mentorship_products": ("Pack on sale", None),
    "waitlist": ("Place on a waitlist", None),
    "testimonials": ("Testimonial", "/admin/testimonials"),
    "absences": ("Absence", None),
    "outbox": ("Event", "/admin/jobs"),
}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_WORD: Final = re.compile(r"[a-z]+(_[a-z]+)*")
_LONGEST: Final = 160


class Change(msgspec.Struct, frozen=True):
    """A field, and what it was and became; either is None where it wasn't said."""

    field: str
    before: str | None
    after: str | None


def action(name: str) -> str:
    """`change_role` as "changed a role"; one that nobody named reads as it is written."""
    return ACTIONS.get(name, name.replace("_", " "))


def subject(kind: str) -> str:
    """`session_packs` as "Pack"."""
    return SUBJECTS.get(kind, (kind.replace("_", " ").capitalize(), None))[0]


def page_of(kind: str, id_: UUID | None) -> str | None:
    """Where a subject can be looked at, if it has a page."""
    path = SUBJECTS.get(kind, ("", None))[1]
    return path.format(id_) if path and id_ else None


def changes(before: dict[str, Any] | None, after: dict[str, Any] | None, zone: str) -> list[Change]:
    """What differs, field by field, in the order written; instants in `zone`."""
    was, became = before or {}, after or {}
    fields = dict.fromkeys([*was, *became])
    return [
        Change(field.replace("_", " "), _text(was, field, zone), _text(became, field, zone))
        for field in fields
        if field not in was or field not in became or was[field] != became[field]
    ]


def _text(values: dict[str, Any], field: str, zone: str) -> str | None:
    if field not in values:
        return None
    value = values[field]
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item).replace("_", " ") for item in value) or "nothing"
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return _instant(value, zone)
    text = str(value)
    if _WORD.fullmatch(text):
        return text.replace("_", " ")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _instant(value: str, zone: str) -> str:
    try:
        at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return value
    return stamp(at, zone) if at.tzinfo else value
