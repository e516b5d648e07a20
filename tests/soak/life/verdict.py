"""Whether everybody was told of exactly what the model says, once, and what the vendors say about that."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, permutations
from typing import Any
from uuid import UUID

from tests.soak.life.expected import Expected
from tests.soak.life.facts import Facts
from tests.soak.life.ways import CLOSED, SENT, Ways

SOON = timedelta(minutes=10)
"""How long being told may take once somebody works, in business time: attempts that fail are made again."""
A_MOMENT = timedelta(seconds=5)
"""How things stand is read a moment before it is written down, and what people choose is noted a moment after it holds."""
BEFORE = timedelta(seconds=60)
"""What was done is noted a moment after it was."""
ALONE = frozenset({"sending_stuck"})
"""Kinds that no deed and no session brings about."""
MOST_TRIED = 6

Group = tuple[str, UUID, tuple[Any, ...]]


@dataclass(frozen=True)
class Telling:
    """One event told to one person: when, and what became of it on each channel."""

    at: datetime
    outcomes: dict[str, str]
    settled_at: datetime
    retried: bool


def group_of(kind: str, payload: dict[str, Any]) -> tuple[Any, ...]:
    """What an event's payload is about: comparable with the subject of what is expected."""
    ids = {name: UUID(value) for name, value in payload.items() if name.endswith("_id") and value}
    anchor = (datetime.fromisoformat(payload["anchor_at"]),) if "anchor_at" in payload else ()
    if kind.startswith("session_"):
        return (ids["session_id"], *anchor)
    if kind == "testimonial_asked":
        return (ids["pack_id"], payload["after"])
    if kind in ("pack_purchased", "refund_issued"):
        return (ids["order_id" if kind == "pack_purchased" else "refund_id"],)
    if kind.startswith("pack_"):
        return (ids["pack_id"], *anchor)
    if kind == "renewal_reminder":
        return (ids["mentor_id"], ids["student_id"])
    if kind == "waitlist_removed":
        return (ids["entry_id"],)
    if "seat_id" in ids:
        return (ids["seat_id"], *anchor)
    return anchor


def normal(expected: Iterable[Expected]) -> dict[Group, list[Expected]]:
    """What is expected, by kind, person and subject; instants in a subject to the second, as payloads carry them."""
    found: dict[Group, list[Expected]] = defaultdict(list)
    for one in expected:
        found[one.kind, one.recipient, _whole(one.subject)].append(one)
    return found


def _whole(subject: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(part.replace(microsecond=0) if isinstance(part, datetime) else part for part in subject)


def tellings(facts: Facts) -> dict[Group, list[Telling]]:
    """What was recorded, by kind, person and subject."""
    by_event: dict[tuple[UUID, UUID], list[Any]] = defaultdict(list)
    for row in facts.deliveries:
        by_event[row.event_id, row.recipient_id].append(row)
    found: dict[Group, list[Telling]] = defaultdict(list)
    for (_, person), rows in by_event.items():
        row = rows[0]
        outcomes = {one.channel: outcome(one) for one in rows}
        settled = max([one.sent_at or one.created_at for one in rows] + [row.done_at or row.created_at])
        telling = Telling(row.created_at, outcomes, settled, row.event_attempts > 1)
        found[row.kind, person, group_of(row.kind, row.payload)].append(telling)
    return found


def outcome(row: Any) -> str:
    """What became of a delivery, in the model's words."""
    return str(row.reason if row.state == "skipped" else row.state)


class Judge:
    """Compares; `gaps` are the spans in which nobody worked, `now` is the end."""

    def __init__(self, ways: Ways, gaps: Sequence[tuple[datetime, datetime]], now: datetime) -> None:
        self._ways, self._gaps, self._now = ways, gaps, now

    def reached(self, at: datetime) -> datetime:
        """When somebody worked first at or after `at`."""
        return next((until for since, until in self._gaps if since <= at < until), at)

    def differences(
        self, expected: dict[Group, list[Expected]], found: dict[Group, list[Telling]]
    ) -> list[dict[str, Any]]:
        """Where the two don't agree; nothing where they do."""
        told = []
        for group in sorted({*expected, *found}, key=str):
            if group[0] in ALONE:
                continue
            due = [one for one in expected.get(group, []) if one.at <= self._now]
            wanted = [one for one in due if one.sure and self.reached(one.at) <= self._now - SOON]
            maybe = [one for one in due if one not in wanted]
            if not self._agree(wanted, maybe, found.get(group, [])):
                told.append(self._difference(group, wanted, found.get(group, [])))
        return told

    def _agree(self, wanted: list[Expected], maybe: list[Expected], found: list[Telling]) -> bool:
        """True if each telling is one that is wanted and the other way round, whichever is which."""
        if not len(wanted) <= len(found) <= len(wanted) + len(maybe):
            return False
        return any(
            self._match([*wanted, *some], found) for some in combinations(maybe, len(found) - len(wanted))
        )

    def _match(self, wanted: list[Expected], found: list[Telling]) -> bool:
        ordered = sorted(wanted, key=lambda one: one.at)
        if all(map(self.fits, ordered, sorted(found, key=lambda one: one.at))):
            return True
        if len(found) > MOST_TRIED:
            return False
        return any(all(map(self.fits, order, found)) for order in permutations(wanted))

    def fits(self, one: Expected, telling: Telling) -> bool:
        """True if it was told when somebody could, and became on each channel what it had to."""
        since = self.reached(one.at)
        if not since - BEFORE <= telling.at <= since + SOON:
            return False
        read = (telling.at, telling.at - A_MOMENT)
        moments = {*read, *({telling.settled_at} if telling.retried else ())}
        allowed = [
            self._ways.outcomes(one.kind, one.recipient, wished, read_at, sent_at)
            for moment in moments
            for wished in self._wished(one, moment)
            for read_at in read
            for sent_at in (read_at, telling.settled_at, telling.settled_at + A_MOMENT)
        ]
        return any(_same(telling, outcomes) for outcomes in allowed)

    def _wished(self, one: Expected, at: datetime) -> set[str]:
        """`sent`, or why not: too late and no longer so may both be true."""
        reasons = set()
        if not one.holds(at):
            reasons.add("outdated")
        if one.until is not None and at >= one.until:
            reasons.add("late")
        return reasons or {SENT}

    def _difference(self, group: Group, wanted: list[Expected], found: list[Telling]) -> dict[str, Any]:
        kind, person, subject = group
        return {
            "kind": kind,
            "person": str(person),
            "subject": [str(part) for part in subject],
            "expected": [
                {
                    "at": str(self.reached(one.at)),
                    "outcomes": [
                        self._ways.outcomes(kind, person, wished, self.reached(one.at))
                        for wished in sorted(self._wished(one, self.reached(one.at)))
                    ],
                }
                for one in wanted
            ],
            "found": [{"at": str(one.at), "outcomes": one.outcomes} for one in found],
        }


def _same(telling: Telling, wanted: dict[str, str]) -> bool:
    """Equal, but that `uncertain` is a way to have been sent, or to have been refused after a lost answer."""
    maybe = {SENT, CLOSED} if telling.retried else {SENT}
    return telling.outcomes.keys() == wanted.keys() and all(
        became == wanted[channel] or (became == "uncertain" and wanted[channel] in maybe)
        for channel, became in telling.outcomes.items()
    )


def doubled(facts: Facts, mails: Sequence[Any], messages: Sequence[Any]) -> list[str]:
    """What the vendors' own records say against us: twice by key, by content, or what we don't know of."""
    found = []
    emails = {row.id: row.email for row in facts.users}
    rows = {row.id: row for row in facts.deliveries}
    for channel, keys in (
        ("email", [_uuid(mail["idempotency_key"]) for mail in mails]),
        ("discord", [_of_nonce(message["nonce"]) for message in messages]),
    ):
        counted = Counter(keys)
        found += [f"{channel}: {count} times {key}" for key, count in counted.items() if count > 1]
        for row in rows.values():
            if row.channel == channel and row.state == "sent" and row.id not in counted:
                found.append(f"{channel}: never seen {row.id} ({row.kind})")
        for key in counted:
            row = rows.get(key) if key else None
            if row is None or row.channel != channel or row.state not in ("sent", "uncertain"):
                found.append(f"{channel}: not ours, or not sent: {key}")
    for mail in mails:
        row = rows.get(_uuid(mail["idempotency_key"]))
        if row is not None and mail["to"] != [emails[row.recipient_id]]:
            found.append(f"email: {row.kind} went to {mail['to']}")
    return found + _same_words(rows, mails, messages)


def _same_words(rows: dict[Any, Any], mails: Sequence[Any], messages: Sequence[Any]) -> list[str]:
    """The same words to the same person twice, of one event."""
    words: dict[Any, list[Any]] = defaultdict(list)
    for mail in mails:
        words["email", str(mail["to"]), mail["subject"], mail["text"]].append(_uuid(mail["idempotency_key"]))
    for message in messages:
        words["discord", message["recipient"], message["content"]].append(_of_nonce(message["nonce"]))
    found = []
    for key, ids in words.items():
        events = [rows[id_].event_id for id_ in ids if id_ in rows]
        if len(set(events)) < len(ids):
            found.append(f"{key[0]}: {len(ids)} times the same words to {key[1]}")
    return found


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _of_nonce(text: str | None) -> UUID | None:
    try:
        return UUID(bytes=base64.urlsafe_b64decode(f"{text or ''}=="))
    except ValueError:
        return None
