"""Commands, menus and buttons: a member acts, hikari's bot answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import hikari
import httpx
import pytest

from tests.sandbox.discord import GUILD, LOUNGE, MENTOR, NEW_STUDENT, STUDENT, gateway_bot, register
from tests.support.sandbox import RunningSandbox, running_sandbox

PRIVATELY = hikari.MessageFlag.EPHEMERAL


async def type_(sandbox: RunningSandbox, command: str, user: int = STUDENT, **more: Any) -> dict[str, Any]:
    return await asyncio.to_thread(sandbox.control.discord_command, str(user), command, **more)


async def click(
    sandbox: RunningSandbox, message: str, custom_id: str, *values: str, user: int = STUDENT
) -> dict[str, Any]:
    return await asyncio.to_thread(sandbox.control.discord_click, str(user), message, custom_id, *values)


async def refusal(doing: Any) -> tuple[int, str]:
    """The status and the sentence with which the control interface refuses."""
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await doing
    return refused.value.response.status_code, refused.value.response.json()["error"]


def menu(bot: hikari.GatewayBot, custom_id: str, *values: str) -> hikari.api.MessageActionRowBuilder:
    row = bot.rest.build_message_action_row()
    chooser = row.add_text_menu(custom_id, placeholder="Choose", min_values=1)
    for value in values:
        chooser.add_option(value.title(), value)
    return row


async def test_a_private_answer_is_seen_by_one_member(sandbox: RunningSandbox) -> None:
    async def answer(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        assert isinstance(told, hikari.CommandInteraction)
        assert (told.user.id, told.guild_id, told.member is not None) == (STUDENT, GUILD, True)
        response = await told.create_initial_response(
            hikari.ResponseType.MESSAGE_CREATE, "3 of 4 left", flags=PRIVATELY
        )
        assert response.resource
        further = await told.execute("And one more", flags=PRIVATELY)
        assert (await told.fetch_initial_response()).content == "3 of 4 left"
        await told.edit_message(further, "And no more")

    async with gateway_bot(sandbox, answer) as bot:
        await register(bot, "packs")
        done = await type_(sandbox, "/packs")
    (message,) = done["messages"][:1]
    assert (message["content"], message["ephemeral"], message["viewer"]) == (
        "3 of 4 left",
        True,
        str(STUDENT),
    )
    assert message["answers"] == {"member": str(STUDENT), "command": "packs"}
    assert (message["channel"], done["pending"]) == (str(LOUNGE), False)
    seen = await refusal(click(sandbox, message["id"], "x", user=NEW_STUDENT))
    assert seen == (404, f"New Student sees no message {message['id']}.")


async def test_a_promised_answer_is_waited_for(sandbox: RunningSandbox) -> None:
    async def answer(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        assert isinstance(told, hikari.CommandInteraction)
        await told.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE, flags=PRIVATELY)
        if told.command_name == "next":
            await told.edit_initial_response("Tomorrow", component=menu(bot, "day", "monday"))
        else:
            await told.execute("Here they are")

    async with gateway_bot(sandbox, answer) as bot:
        await register(bot, "next", "sessions")
        edited, followed = await type_(sandbox, "next"), await type_(sandbox, "sessions", user=NEW_STUDENT)
    (message,) = edited["messages"]
    assert (message["content"], message["loading"], message["ephemeral"]) == ("Tomorrow", False, True)
    assert message["components"][0]["components"][0]["custom_id"] == "day"
    assert [(m["content"], m["viewer"]) for m in followed["messages"]] == [
        ("Here they are", str(NEW_STUDENT))
    ]


async def test_menus_lead_from_choice_to_choice(sandbox: RunningSandbox) -> None:
    chosen: list[tuple[str, list[str]]] = []

    async def answer(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        if isinstance(told, hikari.CommandInteraction):
            await told.create_initial_response(
                hikari.ResponseType.MESSAGE_CREATE,
                "Who?",
                component=menu(bot, "mentor", "lisbon", "tokyo"),
                flags=PRIVATELY,
            )
            return
        assert isinstance(told, hikari.ComponentInteraction)
        chosen.append((told.custom_id, list(told.values)))
        if told.custom_id == "mentor":
            row = menu(bot, "day", "monday", "tuesday")
            await told.create_initial_response(hikari.ResponseType.MESSAGE_UPDATE, "When?", component=row)
        else:
            await told.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
            button = bot.rest.build_message_action_row()
            button.add_link_button("https://example.test/sessions/1", label="Open")
            await told.edit_initial_response("Booked", component=button)

    async with gateway_bot(sandbox, answer) as bot:
        await register(bot, "book")
        first = (await type_(sandbox, "book"))["messages"][0]
        second = (await click(sandbox, first["id"], "mentor", "tokyo"))["messages"][0]
        assert (second["id"], second["content"]) == (first["id"], "When?")
        assert await refusal(click(sandbox, first["id"], "mentor", "lisbon")) == (
            404,
            f"Message {first['id']} has nothing to click called 'mentor'.",
        )
        assert (await refusal(click(sandbox, first["id"], "day", "sunday")))[0] == 400
        assert (await refusal(click(sandbox, first["id"], "day")))[0] == 400
        third = (await click(sandbox, first["id"], "day", "monday"))["messages"][0]
    assert (third["id"], third["content"], third["ephemeral"]) == (first["id"], "Booked", True)
    assert chosen == [("mentor", ["tokyo"]), ("day", ["monday"])]


async def test_buttons_in_direct_messages(sandbox: RunningSandbox) -> None:
    async def answer(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        assert isinstance(told, hikari.ComponentInteraction)
        assert (told.member, told.user.id, told.guild_id) == (None, STUDENT, None)
        await told.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, f"You said {told.custom_id}")

    async with gateway_bot(sandbox, answer) as bot:
        row = bot.rest.build_message_action_row()
        row.add_interactive_button(hikari.ButtonStyle.SUCCESS, "yes", label="Yes")
        row.add_interactive_button(hikari.ButtonStyle.SECONDARY, "no", label="No", is_disabled=True)
        channel = await bot.rest.create_dm_channel(STUDENT)
        sent = await bot.rest.create_message(channel, "Still on?", component=row)
        done = await click(sandbox, str(sent.id), "yes")
        assert (await refusal(click(sandbox, str(sent.id), "no")))[0] == 409
        assert (await refusal(click(sandbox, str(sent.id), "yes", user=MENTOR)))[0] == 404
    assert [(m["content"], m["recipient"]) for m in done["messages"]] == [("You said yes", str(STUDENT))]


async def test_options_are_typed_as_registered(sandbox: RunningSandbox) -> None:
    heard: list[dict[str, Any]] = []

    async def answer(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        assert isinstance(told, hikari.CommandInteraction)
        heard.append({option.name: option.value for option in told.options or ()})
        if told.resolved:
            heard[-1]["resolved"] = [user.global_name for user in told.resolved.users.values()]
        await told.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "ok")

    async with gateway_bot(sandbox, answer) as bot:
        builder = bot.rest.slash_command_builder("pack-purchased", "Send again")
        for kind, name, required in (
            (hikari.OptionType.USER, "student", True),
            (hikari.OptionType.INTEGER, "sessions", False),
            (hikari.OptionType.BOOLEAN, "loud", False),
        ):
            builder.add_option(
                hikari.CommandOption(type=kind, name=name, description=name, is_required=required)
            )
        choices = [hikari.CommandChoice(name="By mail", value="email")]
        builder.add_option(
            hikari.CommandOption(
                type=hikari.OptionType.STRING, name="how", description="How", choices=choices
            )
        )
        await bot.rest.set_application_commands(bot.get_me() or 0, [builder], guild=GUILD)
        kept = await bot.rest.fetch_application_commands(bot.get_me() or 0, guild=GUILD)
        assert [(c.name, len(c.options or ())) for c in kept] == [("pack-purchased", 4)]  # type: ignore[attr-defined]

        def typed(**options: Any) -> Any:
            return type_(sandbox, "pack-purchased", options=options)

        await typed(student=str(STUDENT), sessions=4, loud=True, how="By mail")
        assert await refusal(typed()) == (400, "The option 'student' is required.")
        assert (await refusal(typed(student="1")))[0] == 400
        assert (await refusal(typed(student=str(STUDENT), sessions="many")))[0] == 400
        assert (await refusal(typed(student=str(STUDENT), how="by hand")))[0] == 400
        assert (await refusal(typed(student=str(STUDENT), who="x")))[0] == 400
        assert await refusal(type_(sandbox, "pack")) == (
            404,
            "There is no command /pack here; there are: /pack-purchased.",
        )
        assert (await refusal(type_(sandbox, "pack-purchased", private=True)))[0] == 404
    wanted = {"student": STUDENT, "sessions": 4, "loud": True, "how": "email", "resolved": ["Demo Student"]}
    assert heard == [wanted]


async def test_nobody_answers(tmp_path: Path) -> None:
    async def say_nothing(event: hikari.InteractionCreateEvent) -> None:
        late.append(event)

    late: list[hikari.InteractionCreateEvent] = []
    with running_sandbox(tmp_path, discord_answer_seconds=0.5) as sandbox:
        async with gateway_bot(sandbox, say_nothing) as bot:
            await register(bot, "next")
            assert await refusal(type_(sandbox, "next")) == (504, "The application did not respond.")
            told = late[0].interaction
            assert isinstance(told, hikari.CommandInteraction)
            with pytest.raises(hikari.NotFoundError) as gone:
                await told.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "Sorry")
            assert gone.value.code == 10062
        status, sentence = await refusal(type_(sandbox, "next"))
        assert (status, sentence) == (409, "No bot is connected to the gateway, so nobody hears this.")


async def test_an_interaction_is_answered_once(sandbox: RunningSandbox) -> None:
    codes: list[int] = []

    async def answer_twice(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        assert isinstance(told, hikari.CommandInteraction)
        with pytest.raises(hikari.NotFoundError) as too_early:
            await told.execute("Too early")
        with pytest.raises(hikari.BadRequestError) as empty:
            await told.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "")
        await told.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "Once")
        with pytest.raises(hikari.BadRequestError) as again:
            await told.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "Twice")
        codes.extend((too_early.value.code, empty.value.code, again.value.code))
        await told.delete_initial_response()
        finished.set()

    finished = asyncio.Event()
    async with gateway_bot(sandbox, answer_twice) as bot:
        await register(bot, "next")
        await type_(sandbox, "next")
        await finished.wait()
    assert codes == [10015, 50006, 40060]
    assert sandbox.control.discord_messages() == []


@pytest.mark.parametrize(
    "command",
    [
        {"name": "Next", "description": "x"},
        {"name": "next session", "description": "x"},
        {"name": "next"},
        {"name": "next", "description": "x" * 101},
        {"name": "next", "description": "x", "options": [{"type": 3, "name": "day"}]},
        {
            "name": "next",
            "description": "x",
            "options": [
                {"type": 3, "name": "a", "description": "a"},
                {"type": 3, "name": "b", "description": "b", "required": True},
            ],
        },
    ],
)
def test_commands_that_discord_refuses(sandbox: RunningSandbox, command: dict[str, Any]) -> None:
    answer = sandbox.http.put(
        f"/discord/api/v10/applications/{sandbox.settings.discord_client_id}/commands",
        json=[command],
        headers={"Authorization": f"Bot {sandbox.settings.discord_bot_token}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 50035)
    assert sandbox.control.call("GET", "/discord/commands")["items"] == []


async def test_a_command_keeps_its_id_when_it_is_registered_again(sandbox: RunningSandbox) -> None:
    async with gateway_bot(sandbox) as bot:
        await register(bot, "next", "packs")
        before = {
            c["name"]: (c["id"], c["version"])
            for c in sandbox.control.call("GET", "/discord/commands")["items"]
        }
        await register(bot, "next", "book")
        after = {
            c["name"]: (c["id"], c["version"])
            for c in sandbox.control.call("GET", "/discord/commands")["items"]
        }
    assert after.keys() == {"next", "book"}
    assert after["next"] == before["next"]
