"""Discord's pages for people: read as a member, type, choose, click."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import hikari
import httpx
import pytest

from sandbox.discord.markdown import rendered
from tests.sandbox.discord import GUILD, LOUNGE, NEW_STUDENT, STUDENT, bot_rest, gateway_bot, register
from tests.sandbox.test_discord_interactions import menu
from tests.sandbox.test_pages import Outline
from tests.support.sandbox import RunningSandbox

PAGE = f"/discord/members/{STUDENT}"
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def names(kind: str, id_: str) -> str:
    return {"@": "Demo Student", "@&": "Mentee", "#": "lounge"}[kind]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**Booked** with *Ada* _now_", "<strong>Booked</strong> with <em>Ada</em> <em>now</em>"),
        (
            "***all*** __under__ ~~gone~~ `<b>`",
            "<strong><em>all</em></strong> <u>under</u> <s>gone</s> <code>&lt;b&gt;</code>",
        ),
        (
            "**[Open](https://example.test/a?b=1&c=2)**",
            '<strong><a href="https://example.test/a?b=1&amp;c=2">Open</a></strong>',
        ),
        ("See https://example.test/x.", 'See <a href="https://example.test/x">https://example.test/x</a>.'),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\\*\\*not bold\\*\\* \\<@1> snake_case_word", "**not bold** &lt;@1&gt; snake_case_word"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        (
            "Hi <@1> <@&2> in <#3> </book:4>",
            'Hi <span class="mention">@Demo Student</span> <span class="mention">@Mentee</span> in <span class="mention">#lounge</span> <span class="mention">/book</span>',
        ),
        (
            "# Head\n- one\n> said\n-# small",
            '<strong class="heading">Head</strong><br>• one<br><q>said</q><br><small>small</small>',
        ),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
    ],
)
def test_markdown(written: str, shown: str) -> None:
    assert str(rendered(written, names, NOW)) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<t:1796122800>", "01 December 2026 11:00 UTC"),
        ("<t:1796122800:F>", "Tuesday, 01 December 2026 11:00 UTC"),
        ("<t:1796122800:t>", "11:00 UTC"),
        ("<t:1796122800:R>", "in 2 hours"),
        ("<t:1795942800:R>", "2 days ago"),
        ("<t:1796115600:R>", "now"),
    ],
)
def test_timestamps(written: str, shown: str) -> None:
    text = str(rendered(written, names, NOW))
    assert re.sub("<[^>]+>", "", text) == shown
    assert 'title="' in text


def test_a_time_that_no_calendar_holds(sandbox: RunningSandbox) -> None:
    assert str(rendered("<t:9999999999999:R>", names, NOW)) == "&lt;t:9999999999999:R&gt;"


async def test_every_page_has_landmarks_labels_and_no_script(sandbox: RunningSandbox) -> None:
    embed = hikari.Embed(title="Session", description="**Tomorrow**").add_field("When", "<t:1796122800:R>")
    async with gateway_bot(sandbox) as bot:
        await register(bot, "next", "book")
        rows = [menu(bot, "mentor", "lisbon"), bot.rest.build_message_action_row()]
        rows[1].add_interactive_button(hikari.ButtonStyle.DANGER, "cancel", label="Cancel", emoji="❌")
        rows[1].add_link_button("https://example.test/x", label="Open")
        channel = await bot.rest.create_dm_channel(STUDENT)
        await bot.rest.create_message(channel, "Hello", embed=embed, components=rows)
        for path in ("/discord", PAGE, f"{PAGE}?in=lounge", "/discord/members/1"):
            answer = sandbox.http.get(path)
            outline = Outline(answer.text)
            assert answer.status_code == (404 if path.endswith("/1") else 200)
            assert [outline.count(tag) for tag in ("main", "h1", "script", "style")] == [1, 1, 0, 0], path
            assert outline.unlabelled == [], path
            assert not [values for _, values in outline.tags if "style" in values]
            ids = [values["id"] for _, values in outline.tags if "id" in values]
            assert len(ids) == len(set(ids)), path
    page = sandbox.http.get(PAGE).text
    assert "<strong>Tomorrow</strong>" in page
    assert "https://example.test/x" in page
    assert sandbox.http.get("/discord").text.count("no bot connected") == 1


async def test_a_direct_message_is_read_by_its_recipient_only(sandbox: RunningSandbox) -> None:
    async with bot_rest(sandbox) as rest:
        await rest.create_message(await rest.create_dm_channel(STUDENT), "**For <b>you</b>**")
        await rest.create_message(LOUNGE, "For everybody")
    assert "<strong>For &lt;b&gt;you&lt;/b&gt;</strong>" in sandbox.http.get(PAGE).text
    assert "For everybody" not in sandbox.http.get(PAGE).text
    other = f"/discord/members/{NEW_STUDENT}"
    assert "you&lt;" not in sandbox.http.get(other).text
    assert "For everybody" in sandbox.http.get(f"{other}?in=lounge").text
    assert "1 message<" in sandbox.http.get("/discord").text
    assert "2 messages" in sandbox.http.get("/").text


async def submit(sandbox: RunningSandbox, **form: Any) -> httpx.Response:
    """Post a form of the student's page in the lounge, and follow it."""
    data = {"in": "lounge", **form}
    return await asyncio.to_thread(sandbox.http.post, PAGE, data=data, follow_redirects=True)


async def test_a_session_is_booked_by_hand(sandbox: RunningSandbox) -> None:
    async def answer(event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        private = hikari.MessageFlag.EPHEMERAL
        if isinstance(told, hikari.ComponentInteraction):
            kind = hikari.ResponseType.MESSAGE_UPDATE
            await told.create_initial_response(kind, f"Booked with {told.values[0]}", components=[])
        elif isinstance(told, hikari.CommandInteraction):
            row = menu(bot, "mentor", "lisbon", "tokyo")
            text = f"Who, for {(told.options or [])[0].value}?"
            await told.create_initial_response(
                hikari.ResponseType.MESSAGE_CREATE, text, component=row, flags=private
            )

    async with gateway_bot(sandbox, answer) as bot:
        builder = bot.rest.slash_command_builder("book", "Book a session")
        day = hikari.CommandOption(
            type=hikari.OptionType.STRING, name="day", description="When", is_required=True
        )
        await bot.rest.set_application_commands(bot.get_me() or 0, [builder.add_option(day)], guild=GUILD)
        assert "/book" in sandbox.http.get(f"{PAGE}?in=lounge").text
        assert "/book" not in sandbox.http.get(PAGE).text
        missing = await submit(sandbox, do="type", command="book")
        assert (missing.status_code, "The option &#39;day&#39; is required." in missing.text) == (400, True)
        asked = await submit(sandbox, do="type", command="book", **{"option-day": "Monday"})
        assert "Who, for Monday?" in asked.text
        assert "Only Demo Student can see this." in asked.text
        assert "Demo Student used /book" in asked.text
        assert "Who, for" not in sandbox.http.get(f"/discord/members/{NEW_STUDENT}?in=lounge").text
        (message,) = sandbox.control.discord_messages()
        booked = await submit(sandbox, do="click", message=message["id"], component="mentor", value="tokyo")
        assert "Booked with tokyo" in booked.text
        assert booked.url.fragment == f"m{message['id']}"
        gone = await submit(sandbox, do="click", message=message["id"], component="mentor", value="tokyo")
        assert gone.status_code == 404


async def test_a_command_without_a_bot_says_so(sandbox: RunningSandbox) -> None:
    async with gateway_bot(sandbox) as bot:
        await register(bot, "next")
    refused = await submit(sandbox, do="type", command="next")
    assert (refused.status_code, "No bot is connected" in refused.text) == (409, True)
    assert (await submit(sandbox, do="type", command="")).status_code == 404


def test_a_member_joins_closes_messages_and_leaves(sandbox: RunningSandbox) -> None:
    joined = sandbox.http.post("/discord", data={"name": "Ada <b>"}, follow_redirects=True)
    assert "Discord as Ada &lt;b&gt;" in joined.text
    path = joined.url.path
    left = sandbox.http.post(path, data={"do": "be"}, follow_redirects=True).text
    assert "# lounge" not in left
    listed = sandbox.http.get("/discord").text
    assert ("not on the server" in listed, "direct messages closed" in listed) == (True, True)
    back = sandbox.http.post(path, data={"do": "be", "open": "yes", "here": "yes"}, follow_redirects=True)
    assert "# lounge" in back.text
    assert sandbox.http.post("/discord", data={"name": " "}).status_code == 422
    assert sandbox.http.post("/discord/members/1", data={"do": "be"}).status_code == 404
