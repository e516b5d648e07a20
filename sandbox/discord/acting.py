"""A member's own hand: typing a command with its options, clicking a button, choosing in a menu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.discord.commands import GROUP, SUBCOMMAND
from sandbox.discord.content import BUTTON, USER_SELECT
from sandbox.discord.errors import DiscordError
from sandbox.discord.gateway import Gateway
from sandbox.discord.interactions import COMMAND, COMPONENT, Interaction, Interactions, place_for
from sandbox.discord.service import Discord
from sandbox.discord.shown import OF_EVERYBODY
from sandbox.discord.things import LOADING, Channel, Command, Member, Message, member_shown, user_shown

STRING, INTEGER, BOOLEAN, USER, NUMBER = 3, 4, 5, 6, 10
GUILD_ONLY = 0
PRIVATE = 1
NO_BOT = "No bot is connected to the gateway, so nobody hears this."
SILENT = "The application did not respond."


class ActingError(Exception):
    """Something that a member can't do; the sentence says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Acting:
    """Members who act, and what comes back to them."""

    discord: Discord
    gateway: Gateway
    interactions: Interactions

    async def type(
        self, member_id: str, command: str, options: dict[str, Any], *, private: bool
    ) -> Interaction:
        """Type a command ("book", or "pack renew" for a subcommand) and wait for what comes back.

        Raises ActingError: 404 for who or what isn't there, 400 for options that Discord wouldn't send, 409 without a
        bot, 504 when nothing comes back in time.
        """
        member = self._member(member_id)
        channel = place_for(self.discord, member, private=private or not member.here)
        name, *below = command.removeprefix("/").split() or [""]
        found = command_named(self.discord, name, channel)
        data: dict[str, Any] = {"id": found.id, "name": found.name, "type": 1}
        if found.guild:
            data["guild_id"] = found.guild
        resolved: dict[str, Any] = {}
        filled = _below(self.discord, found.body.get("options", []), below, options, resolved)
        data |= ({"options": filled} if filled else {}) | ({"resolved": resolved} if resolved else {})
        return await self._wait(COMMAND, member, channel, data, name=found.name)

    async def click(self, member_id: str, message_id: str, custom_id: str, values: list[str]) -> Interaction:
        """Click a button, or choose `values` in a menu, of a message that the member sees. Raises ActingError."""
        member = self._member(member_id)
        message = self.discord.messages.get(message_id)
        if message is None or not sees(self.discord, member, message):
            raise ActingError(404, f"{member.name} sees no message {message_id}.")
        data = _clicked(self.discord, component_of(message, custom_id), values)
        channel = self.discord.channel(message.channel)
        return await self._wait(COMPONENT, member, channel, data, message=message.id)

    async def _wait(
        self,
        kind: int,
        member: Member,
        channel: Channel,
        data: dict[str, Any],
        name: str = "",
        message: str = "",
    ) -> Interaction:
        if not self.gateway.connections():
            raise ActingError(409, NO_BOT)
        begun = self.interactions.begin(kind, member, channel, data, name=name, message=message)
        ended = await self.interactions.outcome(begun)
        if not ended.answered:
            raise ActingError(504, SILENT)
        return ended

    def _member(self, id_: str) -> Member:
        try:
            return self.discord.member(id_)
        except DiscordError:
            raise ActingError(404, f"There is nobody with the id {id_!r}.") from None

    def messages_of(self, interaction: Interaction) -> list[Message]:
        """What the interaction's answers wrote or changed and is still there, in that order."""
        found = [self.discord.messages.get(id_) for id_ in interaction.touched]
        return [message for message in found if message]


def sees(discord: Discord, member: Member, message: Message) -> bool:
    """Whether a member sees a message: their direct messages, the server's channels, answers that are theirs."""
    channel = discord.channels.get(message.channel)
    if channel is None or message.viewer not in ("", member.id):
        return False
    return channel.recipient == member.id or (not channel.recipient and member.here)


def available(discord: Discord, channel: Channel) -> list[Command]:
    """The commands that can be typed there."""
    place = PRIVATE if channel.recipient else GUILD_ONLY
    return [
        command
        for command in discord.commands.values()
        if command.body.get("type", 1) == 1
        and not (channel.recipient and (command.guild or command.body.get("dm_permission") is False))
        and place in (command.body.get("contexts") or (GUILD_ONLY, PRIVATE))
    ]


def command_named(discord: Discord, name: str, channel: Channel) -> Command:
    """The command that is typed by this name; the server's own wins. Raises ActingError 404."""
    here = available(discord, channel)
    found = sorted((item for item in here if item.name == name), key=lambda item: not item.guild)
    if not found:
        names = ", ".join(f"/{item.name}" for item in here) or "none"
        raise ActingError(404, f"There is no command /{name} here; there are: {names}.")
    return found[0]


def component_of(message: Message, custom_id: str) -> dict[str, Any]:
    """The component with that id. Raises ActingError 404 or, for one that is disabled or loading, 409."""
    for row in message.components:
        for item in row["components"]:
            if item.get("custom_id") == custom_id:
                if item.get("disabled") or message.flags & LOADING:
                    raise ActingError(409, f"{custom_id!r} is disabled.")
                return dict(item)
    raise ActingError(404, f"Message {message.id} has nothing to click called {custom_id!r}.")


def _clicked(discord: Discord, component: dict[str, Any], values: list[str]) -> dict[str, Any]:
    data = {"custom_id": component["custom_id"], "component_type": component["type"], "id": component["id"]}
    if component["type"] == BUTTON:
        if values:
            raise ActingError(400, "A button has no values.")
        return data
    if not component["min_values"] <= len(values) <= component["max_values"]:
        wanted = f"{component['min_values']} to {component['max_values']}"
        raise ActingError(400, f"Choose {wanted} of the values.")
    if component["type"] == USER_SELECT:
        resolved: dict[str, Any] = {}
        for value in values:
            _resolve(discord, value, resolved)
        return data | {"values": values, "resolved": resolved}
    offered = [option["value"] for option in component["options"]]
    strange = [value for value in values if value not in offered]
    if strange:
        raise ActingError(400, f"{strange[0]!r} is none of the menu's values: {', '.join(offered)}.")
    return data | {"values": values}


def _below(
    discord: Discord,
    rules: list[dict[str, Any]],
    path: list[str],
    given: dict[str, Any],
    resolved: dict[str, Any],
) -> list[dict[str, Any]]:
    """The options as Discord sends them, subcommands by `path` around them. Raises ActingError 400."""
    nested = {rule["name"]: rule for rule in rules if rule["type"] in (SUBCOMMAND, GROUP)}
    if nested:
        if not path or path[0] not in nested:
            raise ActingError(400, f"Add one of the subcommands: {', '.join(nested)}.")
        rule = nested[path[0]]
        inside = _below(discord, rule.get("options", []), path[1:], given, resolved)
        return [{"type": rule["type"], "name": rule["name"], "options": inside}]
    if path:
        raise ActingError(400, f"There is no subcommand {path[0]!r}.")
    known = {rule["name"]: rule for rule in rules}
    strange = sorted(given.keys() - known.keys())
    if strange:
        raise ActingError(400, f"There is no option {strange[0]!r}; there are: {', '.join(known) or 'none'}.")
    missing = [name for name, rule in known.items() if rule.get("required") and given.get(name) in (None, "")]
    if missing:
        raise ActingError(400, f"The option {missing[0]!r} is required.")
    return [
        {"type": rule["type"], "name": name, "value": _value(discord, rule, given[name], resolved)}
        for name, rule in known.items()
        if given.get(name) not in (None, "")
    ]


def _value(discord: Discord, rule: dict[str, Any], value: Any, resolved: dict[str, Any]) -> Any:
    """An option's value with its type: of choices one (also by its name). Raises ActingError 400."""
    name, kind = rule["name"], rule["type"]
    if rule.get("choices"):
        for choice in rule["choices"]:
            if value in (choice["value"], str(choice["value"]), choice["name"]):
                return choice["value"]
        raise ActingError(
            400, f"{name}={value!r} is none of: {', '.join(str(c['name']) for c in rule['choices'])}."
        )
    if kind == USER:
        return _resolve(discord, str(value), resolved)
    if kind == STRING:
        return _long_enough(rule, str(value))
    if kind == BOOLEAN:
        return value is True or str(value).lower() in ("true", "on", "yes", "1")
    if kind in (INTEGER, NUMBER):
        return _in_range(rule, value)
    raise ActingError(400, f"The option {name!r} is of a type that can't be typed here.")


def _long_enough(rule: dict[str, Any], value: str) -> str:
    if not rule.get("min_length", 0) <= len(value) <= rule.get("max_length", 6000):
        raise ActingError(400, f"{rule['name']} is too short or too long.")
    return value


def _in_range(rule: dict[str, Any], value: Any) -> int | float:
    try:
        number = int(str(value)) if rule["type"] == INTEGER else float(str(value))
    except ValueError:
        raise ActingError(400, f"{rule['name']}={value!r} is no number.") from None
    if not rule.get("min_value", number) <= number <= rule.get("max_value", number):
        raise ActingError(400, f"{rule['name']}={number} is too small or too large.")
    return number


def _resolve(discord: Discord, id_: str, resolved: dict[str, Any]) -> str:
    """Add somebody's account to what comes with an interaction. Raises ActingError 400."""
    member = discord.members.get(id_)
    if member is None:
        raise ActingError(400, f"There is nobody with the id {id_!r}.")
    resolved.setdefault("users", {})[id_] = user_shown(member)
    if member.here:
        here = member_shown(member) | {"permissions": OF_EVERYBODY}
        for name in ("user", "mute", "deaf"):
            here.pop(name)
        resolved.setdefault("members", {})[id_] = here
    return id_
