"""One row of each kind for each of a small cast, to be asked for as everybody: what row-level security is tried on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import Range

from app.core.db import Base
from app.core.ids import new_id
from app.core.unit_of_work import ANONYMOUS, Principal, Role

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
CAST = {
    "student": Role.STUDENT,
    "other_student": Role.STUDENT,
    "mentor": Role.MENTOR,
    "other_mentor": Role.MENTOR,
    "admin": Role.ADMIN,
}
PAIRS = {"student": "mentor", "other_student": "other_mentor"}


class World:
    """One row of each kind for each person, and whose it is."""

    def __init__(self) -> None:
        self.ids: dict[str, UUID] = {name: new_id() for name in CAST}
        self.rows: dict[str, list[tuple[str, dict[str, Any]]]] = {}

    def principal(self, name: str) -> Principal:
        return ANONYMOUS if name == "anonymous" else Principal(self.ids[name], CAST[name])

    def add(self, table: str, owner: str, **values: Any) -> dict[str, Any]:
        """Remember a row of `owner` for insertion; returns its values."""
        if "id" in Base.metadata.tables[table].c and table != "seat_entries":
            values = {"id": new_id()} | values
        self.rows.setdefault(table, []).append((owner, values))
        return values


def people(world: World) -> None:
    for name, role in CAST.items():
        when = {"created_at": NOW}
        user = {
            "email": f"{name}@example.test",
            "name": name,
            "role": role,
            "time_zone": "UTC",
            "theme": "auto",
        }
        world.add("users", name, id=world.ids[name], **user, **when)
        own = {"user_id": world.ids[name], **when}
        world.add("user_identities", name, **own, provider="google", subject=name)
        world.add("idempotency_keys", name, **own, route="r", key="k", body_hash=b"h", response={})
        secret = {**own, "expires_at": NOW}
        world.add("web_sessions", name, **secret, token_hash=b"w" + name.encode(), last_seen_at=NOW)
        world.add("access_tokens", name, **secret, token_hash=b"a" + name.encode(), name="x")
        world.add("email_tokens", name, **secret, token_hash=b"e" + name.encode(), purpose="verify_email")


def doings(world: World) -> None:
    for name, role in CAST.items():
        id_ = world.ids[name]
        trip = {"purpose": "x", "verifier": "v", "details": {}, "browser_hash": b"b", "expires_at": NOW}
        world.add("oauth_states", name, user_id=id_, state_hash=b"o" + name.encode(), **trip)
        waiting = {"state": "new", "attempts": 0, "created_at": NOW, "available_at": NOW}
        world.add("outbox", name, type="x", payload={}, key=name, **waiting)
        message = {"kind": "x", "channel": "email", "state": "pending", "attempts": 0, "created_at": NOW}
        world.add("deliveries", name, event_id=new_id(), recipient_id=id_, **message)
        world.add("notification_opt_outs", name, user_id=id_, kind="x", channel="email", since=NOW)
        if role is Role.ADMIN:
            world.add("watchdog", name, id=1, swept_at=NOW)
        world.add("audit_log", name, at=NOW, actor_id=id_, actor_role=role, action="x", subject_type="x")


def mentors(world: World) -> None:
    for name in PAIRS.values():
        id_ = world.ids[name]
        world.add(
            "mentors",
            name,
            id=id_,
            slug=name.replace("_", "-"),
            time_zone="UTC",
            created_at=NOW,
            headline="",
            bio="",
            max_active_students=3,
        )
        world.add("date_overrides", name, mentor_id=id_, date=NOW.date(), intervals=[])
        world.add(
            "mentorship_products",
            name,
            mentor_id=id_,
            title="Pack",
            price_minor=1,
            currency="EUR",
            created_at=NOW,
            active=False,
        )
        world.add(
            "calendar_connections",
            name,
            mentor_id=id_,
            state="connected",
            google_email="x",
            google_calendar_id="x",
            google_refresh_token=b"x",
            connected_at=NOW,
        )
        span = Range(NOW, NOW + timedelta(hours=1))
        world.add("busy_windows", name, mentor_id=id_, event_id="x", span=span)


def pairs(world: World) -> None:
    from_to = Range(NOW, NOW + timedelta(hours=1))
    for student, mentor in PAIRS.items():
        pair = {"mentor_id": world.ids[mentor], "student_id": world.ids[student]}
        world.add("seat_reservations", student, **pair, status="active", created_at=NOW, changed_at=NOW)
        world.add("waitlist", student, **pair, joined_at=NOW)
        pack = world.add(
            "session_packs",
            student,
            **pair,
            status="active",
            frozen=False,
            total_sessions=2,
            purchased_at=NOW,
            expires_at=NOW,
        )
        world.add("pack_entries", student, pack_id=pack["id"], kind="grant", delta=2, reason="", at=NOW)
        world.add(
            "sessions",
            student,
            **pair,
            pack_id=pack["id"],
            status="scheduled",
            scheduled_at=NOW,
            ends_at=NOW + timedelta(hours=1),
            blocked=from_to,
            booked_at=NOW,
        )


def purchases(world: World) -> None:
    for student, mentor in PAIRS.items():
        product = next(row for owner, row in world.rows["mentorship_products"] if owner == mentor)
        order = world.add(
            "orders",
            student,
            mentor_id=world.ids[mentor],
            student_id=world.ids[student],
            product_id=product["id"],
            provider="stripe",
            status="paid",
            title="Pack",
            sessions=4,
            validity_days=45,
            original_amount=1,
            total_amount=1,
            currency="EUR",
            created_at=NOW,
            hold_until=NOW,
        )
        money = {"order_id": order["id"], "amount": 1, "currency": "EUR"}
        paid = {
            "provider": "stripe",
            "provider_payment_id": student,
            "status": "completed",
            "created_at": NOW,
        }
        payment = world.add("payments", student, **money, **paid)
        wish = {"status": "requested", "origin": "admin", "requested_at": NOW}
        world.add("refunds", student, **money, **wish, payment_id=payment["id"])
        told = {"type": "x", "subject": {}, "body": {}, "received_at": NOW}
        world.add("webhook_events", student, provider="stripe", provider_event_id=student, **told)
        run = world.add("reconciliation_runs", student, started_at=NOW)
        found = {"code": "x", "repaired": False, "found_at": NOW}
        world.add("reconciliation_findings", student, run_id=run["id"], order_id=order["id"], **found)


def work(world: World) -> None:
    for student, mentor in PAIRS.items():
        pair = {"mentor_id": world.ids[mentor], "student_id": world.ids[student]}
        pack = next(row for owner, row in world.rows["session_packs"] if owner == student)
        session = next(row for owner, row in world.rows["sessions"] if owner == student)
        world.add(
            "absences",
            mentor,
            mentor_id=pair["mentor_id"],
            first_day=NOW.date(),
            last_day=NOW.date(),
            created_at=NOW,
        )
        world.add(
            "move_proposals",
            student,
            **pair,
            session_id=session["id"],
            starts_at=NOW,
            status="open",
            created_at=NOW,
        )
        world.add("mentee_notes", mentor, **pair, body="x", changed_at=NOW)
        world.add("renewal_requests", mentor, **pair, day=NOW.date(), asked_at=NOW)
        world.add(
            "testimonials",
            student,
            **pair,
            pack_id=pack["id"],
            body="x" * 50,
            status="pending",
            written_at=NOW,
        )
        world.add("student_profiles", student, user_id=pair["student_id"])
        stay = {"session_id": session["id"], "user_id": pair["student_id"]}
        issued = {
            "token_hash": b"c" + student.encode(),
            "issued_at": NOW,
            "expires_at": NOW + timedelta(hours=1),
        }
        world.add("call_tokens", student, **stay, **issued)
        world.add("session_visits", student, **stay, joined_at=NOW, seen_at=NOW)
        world.add("recording_consents", student, **stay, agreed_at=NOW)
        objection = {"version": 1, "marked": "no_show", "reason": "x", "status": "open", "opened_at": NOW}
        world.add("session_disputes", student, **pair, session_id=session["id"], **objection)
        world.add("session_counts", mentor, mentor_id=pair["mentor_id"])


def all_rows() -> World:
    """Everything, in an order that it can be inserted in."""
    world = World()
    for part in (people, doings, mentors, pairs, purchases, work):
        part(world)
    return world
