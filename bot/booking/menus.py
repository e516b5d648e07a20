"""The menus of `/book`, as far as somebody has picked, with the offers as they are at this moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from whenever import Date

from app.booking import dates, lists, rules
from app.booking.lists import Person
from app.booking.offers import Offers, offers
from app.booking.refusals import Refusal
from app.booking.sentences import elsewhere, repeated_note, unavailable, wall_time
from app.booking.slots import Slot
from app.core import clock
from bot import custom_ids, replies
from bot.replies import OPTIONS, Button, Menu, Option, Page, Reply, Row
from bot.router import Ask

DAY: Final = 86_400
NO_PACK: Final = "You have no pack to book from yet. Pick an instructor and a pack to begin."
GONE: Final = "No times are left on that day. Pick another one."


@dataclass(frozen=True)
class Choice:
    """What was picked so far; `days_from`, `times_from`: which of many are shown first."""

    mentor_id: UUID | None = None
    day: Date | None = None
    days_from: int = 0
    times_from: int = 0


def said(refusal: Refusal) -> str:
    """A refusal as a message says it."""
    return " ".join(part for part in (f"**{refusal.title}.**", refusal.detail, refusal.next) if part)


async def menus(ask: Ask, choice: Choice, note: str = "") -> Reply:
    """The menus as far as the choice goes; `note` comes first."""
    mentors = await lists.mentors_of(ask.uow, ask.viewer.id)
    if not mentors:
        return Reply(note or NO_PACK, [[Button("See the instructors", url=ask.page("/instructors"))]])
    only = mentors[0].id if len(mentors) == 1 else None
    known = next((mentor for mentor in mentors if mentor.id == (choice.mentor_id or only)), None)
    rows: list[Row] = [_mentor_menu(mentors, known)]
    if known is None:
        return Reply(note or "**Book a session.** Whom would you like to meet?", rows)
    now = clock.now()
    found = await offers(ask.uow, known.id, now, now, to_horizon=True)
    days = _days(found, ask.viewer.time_zone)
    why = _why_nothing(found, days)
    if why:
        calendar = Button("Look at the calendar", url=ask.page(f"/calendar?mentor_id={known.id}"))
        return Reply(note or why, [*rows, [calendar]])
    return _days_and_times(ask.viewer.time_zone, found, days, choice, note, rows)


def _days(found: Offers, zone: str) -> dict[Date, int]:
    """The dates that have free times, and how many; up to the mentor's horizon."""
    horizon = found.now + (found.mentor.horizon_days + 1) * DAY
    return Counter(dates.date_of(slot.start, zone) for slot in found.between(found.now, horizon))


def _why_nothing(found: Offers, days: dict[Date, int]) -> str:
    """Why this student can book nothing with this mentor; empty if they can."""
    mentor = replies.name(found.mentor.name)
    if found.refusal is not None:
        return f"{said(found.refusal)} That is about {mentor}."
    nothing = unavailable(found)
    if nothing is not None:
        return f"**{replies.name(nothing['title'])}.** {replies.name(nothing['detail'])}"
    return "" if days else f"{mentor} has no free times in the next {found.mentor.horizon_days} days."


def _days_and_times(
    zone: str, found: Offers, days: dict[Date, int], choice: Choice, note: str, rows: Sequence[Row]
) -> Reply:
    mentor_id, page = found.mentor.id, _page_of_days(list(days), choice)
    shown: list[Row] = [*rows, _day_menu(mentor_id, list(days.items())[page.first : page.last], page, choice)]
    turning = _turning(page, "days", lambda first: custom_ids.write("book.days", mentor_id, first))
    if choice.day in days:
        slots = found.between(*dates.bounds(choice.day, zone))
        times = replies.page_from(choice.times_from, len(slots))
        shown.append(_time_menu(found, slots[times.first : times.last], zone))
        place = mentor_id, dates.iso(choice.day), page.first
        turning += _turning(times, "times", lambda first: custom_ids.write("book.times", *place, first))
        task = f"{dates.label(choice.day)}: pick a time. It is booked as soon as you do."
    else:
        task = "Pick a day." if choice.day is None else GONE
    text = "\n".join([*([note, ""] if note else []), _heading(found), f"{task} Times are in {zone}."])
    return Reply(text, [*shown, *([turning] if turning else [])])


def _heading(found: Offers) -> str:
    credit = sum(pack.credit for pack in rules.usable(found.situation.packs, found.now))
    mentor = replies.name(found.mentor.name)
    return f"**Book a session with {mentor}.** You have {replies.sessions(credit)} to book."


def _page_of_days(days: Sequence[Date], choice: Choice) -> Page:
    """The page that was asked for, or the one that holds the chosen day."""
    first = choice.days_from
    if choice.day in days and not first <= days.index(choice.day) < first + OPTIONS:
        first = days.index(choice.day) // OPTIONS * OPTIONS
    return replies.page_from(first, len(days))


def _mentor_menu(mentors: Sequence[Person], known: Person | None) -> Menu:
    shown = mentors[:OPTIONS]
    options = [Option(replies.label(mentor.name), mentor.id.hex, chosen=mentor is known) for mentor in shown]
    return Menu(custom_ids.write("book.mentor"), "Instructor", options)


def _day_menu(mentor_id: UUID, days: Sequence[tuple[Date, int]], page: Page, choice: Choice) -> Menu:
    options = [
        Option(
            dates.label(day),
            dates.iso(day),
            "1 free time" if count == 1 else f"{count} free times",
            chosen=day == choice.day,
        )
        for day, count in days
    ]
    return Menu(custom_ids.write("book.day", mentor_id, page.first), "Day", options)


def _time_menu(found: Offers, slots: Sequence[Slot], zone: str) -> Menu:
    options = [_time(slot.start, zone, found.mentor.time_zone) for slot in slots]
    return Menu(custom_ids.write("book.time", found.mentor.id), "Time", options)


def _time(start: int, zone: str, mentor_zone: str) -> Option:
    local, there = dates.zoned(start, zone), dates.zoned(start, mentor_zone)
    about = [repeated_note(local, zone), elsewhere(local, there, mentor_zone)]
    return Option(wall_time(local), str(start), ", ".join(part for part in about if part))


def _turning(page: Page, what: str, custom_id: Callable[[int], str]) -> list[Button]:
    """The buttons to what lies before and after a page."""
    places = (("Earlier", page.before), ("Later", page.after))
    return [Button(f"{when} {what}", custom_id(first)) for when, first in places if first is not None]
