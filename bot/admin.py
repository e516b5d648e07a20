"""`/pack-purchased`, `/renewal-reminder`, `/grace-warning`: an admin has a notification sent once more."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from app.accounts import discord
from app.accounts import service as accounts
from app.admin import holdings
from app.admin.send_again import Again, candidates, send_again
from app.core.errors import Invalid, Refused
from app.core.unit_of_work import Role
from app.mentees.relations import Relation
from bot import custom_ids, replies
from bot.replies import OPTIONS, Menu, Option, Reply
from bot.router import Action, Ask, Command, Parameter

NAMES: Final = {
    Again.PACK_PURCHASED: "The confirmation of the pack",
    Again.RENEWAL_REMINDER: "The renewal reminder",
    Again.GRACE_WARNING: "The warning that the seat goes",
}
PARAMETERS: Final = (
    Parameter("student", "The student’s e-mail address"),
    Parameter("member", "Or the student’s Discord account", person=True),
    Parameter("mentor", "The instructor’s e-mail address, where there are several"),
)


async def command(ask: Ask, *, what: Again) -> Reply:
    """For the student and the instructor that the options name; among several instructors a menu asks."""
    student_id = await _student(ask)
    if ask.options.get("mentor"):
        mentor_id = await _mentor(ask, ask.options["mentor"])
        return await _send(ask, what, mentor_id, student_id, ask.wish)
    found = await candidates(ask.uow, what, student_id)
    if not found:
        return Reply(f"{NAMES[what]} makes no sense for this student now: with no instructor is it due.")
    if len(found) == 1:
        return await _send(ask, what, found[0].mentor_id, student_id, ask.wish)
    return _which(ask, what, student_id, found)


def _which(ask: Ask, what: Again, student_id: UUID, found: list[Relation]) -> Reply:
    options = [Option(replies.label(one.mentor_name), one.mentor_id.hex) for one in found[:OPTIONS]]
    menu = Menu(custom_ids.write("again", what.value, student_id, ask.wish), "Instructor", options)
    name = replies.name(found[0].student_name)
    return Reply(
        f"{NAMES[what]} for **{name}**: with which instructor? It is sent as soon as you pick.", [menu]
    )


async def pick_mentor(ask: Ask) -> Reply:
    """The instructor was picked; the same menu sends once, however often it is used."""
    what = next((one for one in Again if one.value == ask.word(0)), None)
    if what is None:
        raise Refused("nothing_to_send", custom_ids.STALE)
    mentor_id = custom_ids.id_of(ask.picked)
    return await _send(ask, what, mentor_id, custom_ids.id_of(ask.word(1)), f"{ask.word(2)}:{mentor_id.hex}")


async def _send(ask: Ask, what: Again, mentor_id: UUID, student_id: UUID, wish: str) -> Reply:
    pair = await send_again(ask.uow, what, mentor_id, student_id, wish=wish)
    student, mentor = replies.name(pair.student_name), replies.name(pair.mentor_name)
    return Reply(f"{NAMES[what]} is sent again: **{student}** with **{mentor}**. It stands in the audit log.")


async def _student(ask: Ask) -> UUID:
    """The student that an option names. Raises Refused."""
    member, email = ask.options.get("member"), ask.options.get("student", "").strip()
    if member:
        owner = await discord.owner_of(ask.uow, member) if member.isdecimal() else None
        if owner is None or owner.user_id is None:
            raise Refused(
                "no_student", "That Discord account isn’t linked to anybody here. Try the e-mail address."
            )
        return (await holdings.student(ask.uow, owner.user_id)).id
    if not email:
        raise Refused(
            "no_student", "Whom is it about? Give the student’s e-mail address, or their Discord account."
        )
    found = await accounts.find_by_email(ask.uow, email)
    if found is None:
        raise Refused("no_student", "Nobody here has that e-mail address.")
    return (await holdings.student(ask.uow, found.id)).id


async def _mentor(ask: Ask, email: str) -> UUID:
    try:
        return await holdings.mentor_by_email(ask.uow, email)
    except Invalid:
        raise Refused("no_mentor", "No instructor has that e-mail address.") from None


def _command(name: str, about: str, what: Again) -> Command:
    return Command(name, about, Role.ADMIN, partial(command, what=what), PARAMETERS)


COMMANDS: Final = (
    _command("pack-purchased", "Send the confirmation of a pack again", Again.PACK_PURCHASED),
    _command("renewal-reminder", "Send the renewal reminder again", Again.RENEWAL_REMINDER),
    _command("grace-warning", "Send the warning that a seat goes again", Again.GRACE_WARNING),
)
ACTIONS: Final = (Action("again", Role.ADMIN, pick_mentor),)
