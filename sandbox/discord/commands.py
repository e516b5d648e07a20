"""The bot's commands: registering them, and what somebody typed as Discord hands it on."""

from __future__ import annotations

from typing import Any

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.chaos import Chaos
from sandbox.discord.errors import DiscordError
from sandbox.discord.forms import (
    Findings,
    Members,
    Place,
    Rule,
    body_of,
    checked,
    each,
    flag,
    members,
    one_of,
    snowflake,
    text,
    whole,
)
from sandbox.discord.http import as_bot
from sandbox.discord.service import Discord
from sandbox.discord.shown import command_shown
from sandbox.discord.things import Command
from sandbox.http import HttpRequest, HttpResponse

SLASH = 1
SUBCOMMAND, GROUP = 1, 2
NAME = r"[-_'\w]{1,32}"
ALL = "/applications/{application_id:str}/commands"
OF_GUILD = "/applications/{application_id:str}/guilds/{guild_id:str}/commands"


def small_name(value: Any, place: Place, findings: Findings) -> Any:
    """A command's or option's name: no capitals, no spaces."""
    kept = text(32, 1, NAME)(value, place, findings)
    if isinstance(kept, str) and kept != kept.lower():
        findings.add(place, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return kept


def words(value: Any, place: Place, findings: Findings) -> Any:
    """Translations by locale."""
    if not isinstance(value, dict):
        findings.add(place, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    return value


def number(value: Any, place: Place, findings: Findings) -> Any:
    """A number, whole or not."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        findings.add(place, "NUMBER_TYPE_COERCE", f'Value "{value}" is not a number.')
    return value


def choice_value(value: Any, place: Place, findings: Findings) -> Any:
    """What a choice stands for."""
    return text(100)(value, place, findings) if isinstance(value, str) else number(value, place, findings)


_CHOICE = members("name value", name=text(100, 1), name_localizations=words, value=choice_value)
_TEXTS: dict[str, Rule] = {
    "name": small_name,
    "name_localizations": words,
    "description": text(100, 1),
    "description_localizations": words,
}


def option(value: Any, place: Place, findings: Findings) -> Any:
    """One option; subcommands and groups carry options themselves."""
    kept = _OPTION(value, place, findings)
    if isinstance(kept, dict):
        check_options(kept.get("options"), (*place, "options"), findings)
    return kept


_OPTION = Members(
    {
        **_TEXTS,
        "type": one_of(*range(1, 12)),
        "required": flag,
        "choices": each(_CHOICE, 25),
        "autocomplete": flag,
        "min_value": number,
        "max_value": number,
        "min_length": whole(0, 6000),
        "max_length": whole(1, 6000),
        "channel_types": each(whole(0, 99), 20),
        "options": each(lambda *args: option(*args), 25),
    },
    ("type", "name", "description"),
)


def check_options(options: Any, place: Place, findings: Findings) -> None:
    """Names only once, and what is required first."""
    given = [item for item in options if isinstance(item, dict)] if isinstance(options, list) else []
    names = [item.get("name") for item in given]
    if len(set(map(str, names))) != len(names):
        findings.add(place, "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE", "Option names must be unique")
    wanted = [bool(item.get("required")) for item in given]
    if wanted != sorted(wanted, reverse=True):
        message = "Required options must be placed before non-required options"
        findings.add(place, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)


_COMMAND = Members(
    {
        **_TEXTS,
        "name": text(32, 1),
        "description": text(100),
        "type": one_of(1, 2, 3),
        "id": snowflake,
        "options": each(option, 25),
        "default_member_permissions": whole(0, 2**60),
        "dm_permission": flag,
        "contexts": each(one_of(0, 1, 2), 3, 1),
        "integration_types": each(one_of(0, 1), 2, 1),
        "nsfw": flag,
    },
    ("name",),
)


def command(value: Any, place: Place, findings: Findings) -> Any:
    """A command."""
    kept = _COMMAND(value, place, findings)
    if isinstance(kept, dict):
        if kept.get("type", SLASH) == SLASH:
            small_name(kept.get("name"), (*place, "name"), findings)
            text(100, 1)(kept.get("description", ""), (*place, "description"), findings)
        check_options(kept.get("options"), (*place, "options"), findings)
    return kept


_ALL = each(command, 110)


def overwrite(discord: Discord, guild: str, body: Any) -> list[dict[str, Any]]:
    """Let these be the commands there; one of the same name keeps its id. Raises DiscordError 400."""
    wishes: list[dict[str, Any]] = checked(_ALL, [] if body is None else body)
    names = [(wish.get("type", SLASH), wish["name"]) for wish in wishes]
    if len(set(names)) != len(names):
        raise DiscordError(400, 50035, "Invalid Form Body", errors={"_errors": [_TWIN]})
    before = {item.name: item for item in discord.commands.values() if item.guild == guild}
    for item in before.values():
        discord.commands.drop(item.id)
    return [command_shown(discord, _kept(discord, guild, wish, before.get(wish["name"]))) for wish in wishes]


_TWIN = {
    "code": "APPLICATION_COMMANDS_DUPLICATE_NAME",
    "message": "Application command names must be unique",
}


def _kept(discord: Discord, guild: str, wish: dict[str, Any], before: Command | None) -> Command:
    body = {name: value for name, value in wish.items() if name != "id"}
    if "default_member_permissions" in body:
        body["default_member_permissions"] = str(body["default_member_permissions"])
    if before and before.body == body:
        return discord.commands.put(before.id, before)
    fresh = discord.numbers.next()
    id_ = before.id if before else fresh
    return discord.commands.put(id_, Command(id_, fresh, wish["name"], guild, body))


@put([ALL, OF_GUILD], status_code=200)
async def set_commands(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    application_id: FromPath[str],
) -> HttpResponse:
    """Replace all commands, those of everywhere or those of one server."""
    guild = request.path_params.get("guild_id") or ""
    leave = as_bot(request, discord, chaos, "commands", guild)
    check_place(discord, application_id, guild)
    return leave.answer(overwrite(discord, guild, await body_of(request)))


@get([ALL, OF_GUILD])
async def list_commands(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    application_id: FromPath[str],
) -> HttpResponse:
    """The commands of everywhere, or those of one server."""
    guild = request.path_params.get("guild_id") or ""
    leave = as_bot(request, discord, chaos, "commands", guild)
    check_place(discord, application_id, guild)
    found = [item for item in discord.commands.values() if item.guild == guild]
    return leave.answer([command_shown(discord, item) for item in found])


def check_place(discord: Discord, application_id: str, guild: str) -> None:
    """Raises DiscordError 403 for another application or server."""
    if application_id != discord.bot_id:
        raise DiscordError(403, 20012, "You are not authorized to perform this action on this application")
    if guild not in ("", discord.guild_id):
        raise DiscordError(403, 50001, "Missing Access")


HANDLERS = [set_commands, list_commands]
