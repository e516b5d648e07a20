"""Time to renew: who is reminded when, never twice and never of what is no longer so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.booking.models import SessionStatus
from app.core.errors import Refused
from app.packs.models import EntryKind, SeatStatus
from tests.packs.studio import DAY, HOUR, Studio

REMINDED = ("renewal_reminder", "student", "told")
OUTDATED = ("renewal_reminder", "student", "outdated")


async def reminders(studio: Studio) -> list[tuple[str, str, str]]:
    await studio.work()
    return await studio.told("renewal_reminder")


async def test_the_last_session_but_one_reminds_the_student_once(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 45)
    await studio.use(pack_id, 2)
    assert await reminders(studio) == []
    await studio.use(pack_id)
    assert await reminders(studio) == [REMINDED]
    await studio.use(pack_id)
    assert await reminders(studio) == [REMINDED]


@pytest.mark.parametrize("kind", [EntryKind.PURCHASE, EntryKind.GRANT])
async def test_a_new_pack_of_one_reminds_nobody(studio: Studio, kind: EntryKind) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    await studio.buy("student", 1, 45, kind)
    assert await reminders(studio) == []


async def test_what_is_undone_and_done_again_reminds_once(studio: Studio) -> None:
    pack_id = await studio.buy("student", 2, 45)
    (session_id,) = await studio.use(pack_id)
    await studio.work()
    for status in (SessionStatus.SCHEDULED, SessionStatus.NO_SHOW, SessionStatus.COMPLETED):
        await studio.mark(session_id, status)
        await studio.work()
    assert await reminders(studio) == [REMINDED]


async def test_undone_before_it_was_sent_it_comes_when_it_is_done_again(studio: Studio) -> None:
    pack_id = await studio.buy("student", 2, 45)
    (session_id,) = await studio.use(pack_id)
    await studio.mark(session_id, SessionStatus.SCHEDULED)
    assert await reminders(studio) == [OUTDATED]
    await studio.mark(session_id, SessionStatus.COMPLETED)
    assert await reminders(studio) == [OUTDATED, REMINDED]
    await studio.mark(session_id, SessionStatus.SCHEDULED)
    await studio.mark(session_id, SessionStatus.COMPLETED)
    assert await reminders(studio) == [OUTDATED, REMINDED]


async def test_undone_and_done_again_before_it_was_sent_it_comes_once(studio: Studio) -> None:
    (session_id,) = await studio.use(await studio.buy("student", 2, 45))
    await studio.mark(session_id, SessionStatus.SCHEDULED)
    await studio.mark(session_id, SessionStatus.NO_SHOW)
    assert await reminders(studio) == [REMINDED]


async def test_each_pack_reminds_again(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 2, 45))
    await studio.work()
    second = await studio.buy("student", 2, 45)
    await studio.use(second)
    assert await reminders(studio) == [REMINDED]  # two are left, over both packs
    await studio.use(second)
    assert await reminders(studio) == [REMINDED, REMINDED]


async def test_bought_before_it_was_sent_it_is_outdated(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 2, 45))
    await studio.buy("student", 4, 45)
    assert await reminders(studio) == [OUTDATED]


async def test_who_has_no_seat_any_more_is_not_reminded(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 2, 45))
    await studio.sql("update seat_reservations set status = 'released'")
    assert await reminders(studio) == [OUTDATED]


async def test_an_adjustment_or_an_expiry_reminds_too(studio: Studio) -> None:
    pack_id = await studio.buy("student", 3, 45)
    await studio.use(pack_id)
    await studio.adjust(pack_id, -1)
    assert await reminders(studio) == [REMINDED]
    await studio.adjust(pack_id, 1)
    await studio.buy("other_student", 3, 45)
    early = await studio.buy("student", 1, 2)
    await studio.adjust(pack_id, -1)
    assert await reminders(studio) == [REMINDED]
    await studio.live(studio.now + 3 * DAY)
    assert (await studio.pack(early)).status == "expired"
    assert await reminders(studio) == [REMINDED, REMINDED]


async def test_money_that_goes_back_reminds_nobody(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 2, 45))
    await studio.work()
    await studio.refund(await studio.buy("student", 1, 45))
    assert await reminders(studio) == [REMINDED]


async def test_an_unused_pack_that_is_made_smaller_reminds_nobody(studio: Studio) -> None:
    await studio.adjust(await studio.buy("student", 2, 45), -1)
    assert await reminders(studio) == []


async def test_the_last_session_is_told_to_both_and_the_student_warned_once(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    ends = studio.now + 72 * HOUR
    await studio.work()
    assert await studio.told("final_renewal_notice") == [
        ("final_renewal_notice", "student", "told"),
        ("final_renewal_notice", "mentor", "told"),
    ]
    assert await studio.seat("student") == (SeatStatus.GRACE, ends)
    await studio.live(ends - 12 * HOUR - timedelta(seconds=1))
    assert await studio.told("grace_warning", "seat_released") == []
    await studio.live(ends - 12 * HOUR)
    assert await studio.told("grace_warning", "seat_released") == [("grace_warning", "student", "told")]
    await studio.live(ends + DAY)
    assert await studio.seat("student") is None
    assert await studio.told("grace_warning", "seat_released") == [
        ("grace_warning", "student", "told"),
        ("seat_released", "student", "told"),
        ("seat_released", "mentor", "told"),
    ]


async def test_an_undone_last_session_is_not_told_and_warned_of(studio: Studio) -> None:
    (session_id,) = await studio.use(await studio.buy("student", 1, 45))
    await studio.mark(session_id, SessionStatus.SCHEDULED)
    await studio.work()
    assert {what for *_, what in await studio.told("final_renewal_notice")} == {"outdated"}
    studio.now += HOUR
    await studio.mark(session_id, SessionStatus.COMPLETED)
    ends = studio.now + 72 * HOUR
    await studio.live(ends - HOUR)
    assert [what for *_, what in await studio.told("final_renewal_notice")] == ["outdated"] * 2 + ["told"] * 2
    assert await studio.told("grace_warning") == [
        ("grace_warning", "student", "outdated"),
        ("grace_warning", "student", "told"),
    ]


async def test_who_renewed_in_time_is_not_warned(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    await studio.live(studio.now + 2 * DAY)
    await studio.buy("student", 4, 45)
    await studio.live(studio.now + 5 * DAY)
    assert await studio.told("grace_warning", "seat_released") == [("grace_warning", "student", "outdated")]
    assert await studio.seat("student") == (SeatStatus.ACTIVE, None)


async def test_work_that_lay_still_warns_while_it_helps(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    await studio.work()
    ends = studio.now + 72 * HOUR
    studio.now = ends - HOUR
    await studio.work()
    assert await studio.told("grace_warning") == [("grace_warning", "student", "told")]


async def test_work_that_lay_still_for_long_warns_nobody(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    await studio.work()
    studio.now += 80 * HOUR
    await studio.work()
    assert {what for *_, what in await studio.told("grace_warning")} <= {"late", "outdated"}
    assert len(await studio.told("grace_warning")) == 1
    assert len(await studio.told("seat_released")) == 2


async def test_renewing_in_the_last_second_keeps_the_seat(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    await studio.work()
    await studio.capacity(1)
    await studio.join("other_student")
    ends = studio.now + 72 * HOUR
    await studio.live(ends - timedelta(seconds=1))
    await studio.hold("student")
    await studio.live(ends + timedelta(minutes=20))
    assert await studio.told("seat_released", "seat_offered") == []
    await studio.buy("student", 4, 45)
    await studio.live(ends + 2 * DAY)
    assert await studio.seat("student") == (SeatStatus.ACTIVE, None)
    assert await studio.told("seat_released", "seat_offered") == []


async def test_a_grace_that_nobody_has_ended_yet_is_paid_for_while_nobody_waits(studio: Studio) -> None:
    """The workers lie still; the seat would go the moment they come back."""
    await studio.use(await studio.buy("student", 1, 45))
    await studio.work()
    studio.now += 73 * HOUR
    await studio.hold("student")
    await studio.live(studio.now + timedelta(minutes=20))
    assert await studio.told("seat_released") == []
    await studio.give_back("student")
    await studio.live(studio.now + HOUR)
    assert len(await studio.told("seat_released")) == 2


async def test_a_grace_that_nobody_has_ended_yet_is_not_sold_over_the_heads_of_who_waits(
    studio: Studio,
) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    await studio.work()
    await studio.capacity(1)
    await studio.join("other_student")
    studio.now += 73 * HOUR
    with pytest.raises(Refused) as caught:
        await studio.hold("student")
    assert caught.value.code == "sold_out"
    await studio.work()
    assert await studio.seat("student") is None
    assert await studio.told("seat_offered") == [("seat_offered", "other_student", "told")]


async def test_not_paying_in_the_last_second_loses_it_and_the_next_are_asked_in_turn(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    await studio.work()
    await studio.capacity(1)
    await studio.join("other_student")
    studio.now += HOUR
    await studio.join("new_student")
    ends = studio.now + 71 * HOUR
    await studio.live(ends - timedelta(seconds=1))
    await studio.hold("student")
    studio.now += timedelta(minutes=10)
    await studio.give_back("student")
    await studio.live(studio.now + 3 * DAY)
    chain = await studio.told("seat_released", "seat_offered", "offer_lapsed")
    assert chain == [
        ("seat_released", "student", "told"),
        ("seat_released", "mentor", "told"),
        ("seat_offered", "other_student", "told"),
        ("offer_lapsed", "other_student", "told"),
        ("seat_offered", "new_student", "told"),
        ("offer_lapsed", "new_student", "told"),
    ]
    rows = {(row.kind, row.recipient_id): row.created_at for row in await studio.deliveries()}
    offered = [rows["seat_offered", studio.cast[who]] for who in ("other_student", "new_student")]
    assert offered[1] - offered[0] == DAY


async def test_the_role_at_discord_follows_the_seat(studio: Studio) -> None:
    async def wanted() -> int:
        return len(
            await studio.sql(
                "select id from outbox where type = 'discord/role' and payload->>'user_id' = :id",
                id=str(studio.cast["student"]),
            )
        )

    pack_id = await studio.buy("student", 1, 45)
    assert await wanted() == 1
    await studio.buy("student", 1, 45)
    assert await wanted() == 1
    await studio.use(pack_id)
    await studio.live(studio.now + 50 * DAY)
    assert await studio.seat("student") is None
    assert await wanted() == 2
