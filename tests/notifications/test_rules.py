"""What may be done with a delivery, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.notifications.models import DeliveryState
from app.notifications.rules import RESEND_WINDOW, Step, next_step

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
