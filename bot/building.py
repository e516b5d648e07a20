"""Answers and commands in the form in which Discord's library sends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import hikari
from hikari.api import ComponentBuilder, SlashCommandBuilder
from hikari.impl import MessageActionRowBuilder
from hikari.impl import SlashCommandBuilder as Slash

from bot.replies import Button, Menu, Row
from bot.router import Command

_STYLES: Final[dict[bool, Literal[hikari.ButtonStyle.DANGER, hikari.ButtonStyle.SECONDARY]]] = {
    True: hikari.ButtonStyle.DANGER,
    False: hikari.ButtonStyle.SECONDARY,
}


def components_of(rows: Sequence[Row]) -> list[ComponentBuilder]:
    """The menus and buttons of an answer, a row each."""
    return [_menu(row) if isinstance(row, Menu) else _buttons(row) for row in rows]


def _menu(menu: Menu) -> ComponentBuilder:
    row = MessageActionRowBuilder()
    built = row.add_text_menu(menu.custom_id, placeholder=menu.placeholder, min_values=1)
    for option in menu.options:
        about = option.about or hikari.UNDEFINED
        built.add_option(option.label, option.value, description=about, is_default=option.chosen)
    return row


def _buttons(buttons: Sequence[Button]) -> ComponentBuilder:
    row = MessageActionRowBuilder()
    for button in buttons:
        if button.url:
            row.add_link_button(button.url, label=button.label)
        else:
            row.add_interactive_button(_STYLES[button.danger], button.custom_id, label=button.label)
    return row


def command_of(command: Command) -> SlashCommandBuilder:
    """A command as it is registered: seen by everybody, for Discord knows no role of the platform."""
    built = Slash(command.name, command.about)
    for parameter in command.parameters:
        kind = hikari.OptionType.USER if parameter.person else hikari.OptionType.STRING
        built.add_option(hikari.CommandOption(type=kind, name=parameter.name, description=parameter.about))
    return built
