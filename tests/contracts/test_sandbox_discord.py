"""What the sandbox answers in Discord's place, against Discord's own description."""

from __future__ import annotations

import asyncio
from typing import Any

import hikari

from tests.contracts.specs import answers_valid, needs_specs, requests_valid
from tests.sandbox.discord import GUILD, STUDENT, bot_rest, gateway_bot
from tests.support.sandbox import RunningSandbox
from tests.support.waiting import until

pytestmark = needs_specs


def rows() -> list[Any]:
    buttons = hikari.impl.MessageActionRowBuilder()
    buttons.add_interactive_button(hikari.ButtonStyle.PRIMARY, "yes", label="Yes", emoji="✅")
    buttons.add_link_button("https://example.test/sessions", label="Open")
    menu = hikari.impl.MessageActionRowBuilder()
    chooser = menu.add_text_menu("mentor", placeholder="Choose", min_values=1, max_values=2)
    chooser.add_option("Lisbon", "1", description="Ceramics", is_default=True)
    chooser.add_option("Tokyo", "2", emoji="🗼")
    return [buttons, menu]


async def test_messages_members_and_roles_meet_the_contract(sandbox: RunningSandbox) -> None:
    guild, role = int(sandbox.settings.discord_guild_id), int(sandbox.settings.discord_mentee_role_id)
    embed = hikari.Embed(title="Session", description="Tomorrow", color=0x884488, url="https://example.test")
    embed.add_field("When", "10:00").set_footer("Huckleberry").set_author(name="Mentor")
    async with bot_rest(sandbox) as rest:
        channel = await rest.create_dm_channel(STUDENT)
        sent = await rest.create_message(
            channel, f"Hi <@{STUDENT}>", nonce="n", components=rows(), embed=embed, user_mentions=[STUDENT]
        )
        await rest.fetch_message(channel, sent)
        await rest.edit_message(channel, sent, "Changed", components=[], embeds=[])
        await rest.fetch_gateway_url()
        await rest.fetch_gateway_bot_info()
        await rest.fetch_my_user()
        await rest.fetch_member(guild, STUDENT)
        await rest.add_role_to_member(guild, STUDENT, role)
        await rest.remove_role_from_member(guild, STUDENT, role)
    recorded = sandbox.control.requests("discord")
    answers, requests = answers_valid(recorded), requests_valid(recorded)
    assert answers.problems == []
    assert requests.problems == []
    assert answers.checked == requests.checked == 10


async def test_commands_and_answers_meet_the_contract(sandbox: RunningSandbox) -> None:
    async def answer(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        if isinstance(told, hikari.ComponentInteraction):
            kind = hikari.ResponseType.MESSAGE_UPDATE
            await told.create_initial_response(kind, f"You chose {told.values}", components=rows())
            await told.execute("And privately", flags=hikari.MessageFlag.EPHEMERAL)
        elif isinstance(told, hikari.CommandInteraction):
            await told.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
            await told.edit_initial_response("Choose", components=rows())

    async with gateway_bot(sandbox, answer) as bot:
        builder = bot.rest.slash_command_builder("book", "Book a session")
        day = hikari.CommandOption(
            type=hikari.OptionType.STRING,
            name="day",
            description="When",
            is_required=True,
            choices=[hikari.CommandChoice(name="Monday", value="1")],
        )
        count = hikari.CommandOption(
            type=hikari.OptionType.INTEGER, name="count", description="How many", min_value=1, max_value=4
        )
        builder.add_option(day).add_option(count)
        await bot.rest.set_application_commands(bot.get_me() or 0, [builder], guild=GUILD)
        await bot.rest.set_application_commands(bot.get_me() or 0, [builder])
        done = await asyncio.to_thread(
            sandbox.control.discord_command, str(STUDENT), "book", {"day": "Monday"}
        )
        message = done["messages"][0]["id"]
        await asyncio.to_thread(sandbox.control.discord_click, str(STUDENT), message, "mentor", "1")
        await until(lambda: len(sandbox.control.discord_messages()) == 2)
    recorded = sandbox.control.requests("discord")
    answers, requests = answers_valid(recorded), requests_valid(recorded)
    assert answers.problems == []
    assert requests.problems == []
    paths = {(item["method"], item["path"].rsplit("/", 1)[-1]) for item in recorded}
    assert {("POST", "callback"), ("PATCH", "@original"), ("PUT", "commands")} <= paths
    assert answers.checked >= 7
