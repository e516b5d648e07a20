"""What may be done with a delivery, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import Kind
from app.notifications.models import Channel, DeliveryState, SkipReason
from app.notifications.rules import DISCORD_WINDOW, RESEND_WINDOW, Step, next_step, skip_reason

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PENDING, SENDING = DeliveryState.PENDING, DeliveryState.SENDING


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


@pytest.mark.parametrize(
    ("state", "unknown_since", "claimed_until", "step"),
    [
        (PENDING, None, None, Step.SEND),
        (PENDING, None, ago(seconds=1), Step.SEND),
        (PENDING, None, NOW, Step.SEND),
        (SENDING, ago(seconds=5), NOW + timedelta(seconds=1), Step.WAIT),
        (SENDING, ago(seconds=5), None, Step.SEND),
        (SENDING, ago(seconds=5), ago(seconds=1), Step.SEND),
        (SENDING, ago(hours=23, minutes=49), None, Step.SEND),
        (SENDING, ago(hours=23, minutes=51), None, Step.GIVE_UP),
        (SENDING, ago(hours=24), None, Step.GIVE_UP),
        (SENDING, ago(days=400), None, Step.GIVE_UP),
        (SENDING, ago(hours=25), NOW + timedelta(seconds=1), Step.WAIT),
    ],
)
def test_open_deliveries(
    state: DeliveryState, unknown_since: datetime | None, claimed_until: datetime | None, step: Step
) -> None:
    assert next_step(state, unknown_since, claimed_until, NOW, RESEND_WINDOW) is step


@pytest.mark.parametrize("state", [state for state in DeliveryState if state not in (PENDING, SENDING)])
def test_settled_deliveries_are_left_alone(state: DeliveryState) -> None:
    assert next_step(state, ago(hours=1), None, NOW, RESEND_WINDOW) is Step.NOTHING
    assert next_step(state, ago(hours=99), ago(hours=98), NOW, RESEND_WINDOW) is Step.NOTHING


@pytest.mark.parametrize(
    ("unknown_since", "step"),
    [
        (None, Step.SEND),
        (ago(seconds=100), Step.SEND),
        (ago(seconds=110), Step.GIVE_UP),
        (ago(minutes=2), Step.GIVE_UP),
    ],
)
def test_discord_forgets_within_minutes(unknown_since: datetime | None, step: Step) -> None:
    state = SENDING if unknown_since else PENDING
    assert next_step(state, unknown_since, None, NOW, DISCORD_WINDOW) is step


BOOKED, CANCELED, RESET = (
    CATALOGUE[kind] for kind in ("session_booked", "session_canceled", "reset_password")
)
LATE, OFF = SkipReason.LATE, SkipReason.TURNED_OFF
PAUSED, NO_KEY = SkipReason.PAUSED, SkipReason.NOT_CONFIGURED
MAIL, DISCORD = Channel.EMAIL, Channel.DISCORD


@pytest.mark.parametrize(
    ("kind", "channel", "wished", "is_on", "mail_paused", "turned_off", "reason"),
    [
        (BOOKED, MAIL, None, True, False, False, None),
        (BOOKED, MAIL, LATE, False, True, True, LATE),
        (BOOKED, MAIL, None, False, True, True, NO_KEY),
        (BOOKED, MAIL, None, True, True, True, PAUSED),
        (BOOKED, MAIL, None, True, False, True, OFF),
        (BOOKED, DISCORD, None, True, True, False, None),
        (BOOKED, DISCORD, None, True, True, True, OFF),
        (BOOKED, DISCORD, None, False, False, True, NO_KEY),
        (CANCELED, MAIL, None, True, False, True, None),
        (CANCELED, MAIL, None, True, True, True, PAUSED),
        (CANCELED, DISCORD, None, True, False, True, None),
        (RESET, MAIL, None, True, True, True, None),
        (RESET, MAIL, None, False, True, True, NO_KEY),
    ],
)
def test_why_something_is_not_sent(
    kind: Kind,
    channel: Channel,
    wished: SkipReason | None,
    is_on: bool,
    mail_paused: bool,
    turned_off: bool,
    reason: SkipReason | None,
) -> None:
    found = skip_reason(
        kind, channel, wished=wished, is_on=is_on, mail_paused=mail_paused, turned_off=turned_off
    )
    assert found is reason
