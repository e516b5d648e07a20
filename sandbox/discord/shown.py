"""How the server, its channels, roles and messages are shown to programs."""

from __future__ import annotations

from typing import Any

from sandbox.discord.content import embed_shown
from sandbox.discord.seeds import GUILD_NAME, JOINED, LOUNGE
from sandbox.discord.service import Discord
from sandbox.discord.things import Asked, Channel, Command, Message, account, member_shown, user_shown

# VIEW_CHANNEL, SEND_MESSAGES, EMBED_LINKS, READ_MESSAGE_HISTORY, USE_APPLICATION_COMMANDS, CREATE_INSTANT_INVITE
OF_EVERYBODY = str(1 | 1 << 10 | 1 << 11 | 1 << 14 | 1 << 16 | 1 << 31)
OF_BOT = str(int(OF_EVERYBODY) | 1 << 28)  # MANAGE_ROLES
PLAIN, REPLY_TO_COMMAND, REPLY = 0, 20, 19
GUILD_TEXT, PRIVATE = 0, 1
VERIFY_KEY = "0" * 64
STAFF_ROLE = "1000000000000000006"


def bot_user(discord: Discord, **more: Any) -> dict[str, Any]:
    """The bot's account."""
    return account(discord.bot_id, "huckleberry-bot", None, bot=True, **more)


def bot_itself(discord: Discord) -> dict[str, Any]:
    """The bot's account as it sees it itself."""
    return bot_user(discord, mfa_enabled=True, locale="en-US", premium_type=0, email=None, verified=True)


def application(discord: Discord) -> dict[str, Any]:
    """The application as it sees itself."""
    return {
        "id": discord.bot_id,
        "name": "Huckleberry",
        "icon": None,
        "description": "",
        "type": None,
        "bot": bot_user(discord),
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": VERIFY_KEY,
        "flags": 0,
        "owner": account("1000000000000000007", "owner", "Owner"),
        "team": None,
        "guild_id": discord.guild_id,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "integration_types_config": {"0": {}},
        "event_webhooks_url": None,
        "event_webhooks_status": 1,
    }


def roles(discord: Discord) -> list[dict[str, Any]]:
    """The server's roles, lowest first: everybody's, the mentees', the bot's own, and one above it."""
    named: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        (discord.guild_id, "@everyone", OF_EVERYBODY, {}),
        (discord.settings.discord_mentee_role_id, "Mentee", "0", {}),
        ("1000000000000000004", "Huckleberry", OF_BOT, {"managed": True, "tags": {"bot_id": discord.bot_id}}),
        (STAFF_ROLE, "Staff", "8", {}),
    )
    return [
        {
            "id": id_,
            "name": name,
            "description": None,
            "permissions": permissions,
            "position": position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": False,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
            **more,
        }
        for position, (id_, name, permissions, more) in enumerate(named)
    ]


def guild(discord: Discord) -> dict[str, Any]:
    """The server."""
    return {
        "id": discord.guild_id,
        "name": GUILD_NAME,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": "1000000000000000007",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": roles(discord),
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": LOUNGE.id,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": "en-US",
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "max_members": 250_000,
        "max_presences": None,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "nsfw_level": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "incidents_data": None,
    }


def guild_event(discord: Discord) -> dict[str, Any]:
    """The server as the gateway tells of it."""
    here = [member for member in discord.members.values() if member.here]
    return guild(discord) | {
        "joined_at": JOINED,
        "large": False,
        "unavailable": False,
        "member_count": len(here) + 1,
        "members": [bot_member(discord), *(member_shown(member) for member in here)],
        "channels": [channel_shown(discord, c) for c in discord.channels.values() if not c.recipient],
        "threads": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def bot_member(discord: Discord) -> dict[str, Any]:
    """The bot as a member of the server."""
    return {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": JOINED,
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": ["1000000000000000004"],
        "user": bot_user(discord),
        "mute": False,
        "deaf": False,
    }


def channel_shown(discord: Discord, channel: Channel) -> dict[str, Any]:
    """A channel."""
    last = max((m.id for m in discord.messages.values() if m.channel == channel.id), key=int, default=None)
    common = {"id": channel.id, "last_message_id": last, "flags": 0}
    if channel.recipient:
        return common | {"type": PRIVATE, "recipients": [user_shown(discord.member(channel.recipient))]}
    return common | {
        "type": GUILD_TEXT,
        "guild_id": discord.guild_id,
        "name": channel.name,
        "position": 0,
        "permission_overwrites": [],
        "parent_id": None,
        "topic": None,
        "nsfw": False,
        "rate_limit_per_user": 0,
        "last_pin_timestamp": None,
    }


def message_shown(discord: Discord, message: Message) -> dict[str, Any]:
    """A message."""
    mentions = [discord.members.get(id_) for id_ in message.mentions]
    shown: dict[str, Any] = {
        "id": message.id,
        "type": PLAIN,
        "channel_id": message.channel,
        "author": bot_user(discord),
        "content": message.content,
        "timestamp": message.at,
        "edited_timestamp": message.edited_at,
        "tts": False,
        "mention_everyone": message.everyone,
        "mentions": [user_shown(member) for member in mentions if member],
        "mention_roles": message.roles,
        "attachments": [],
        "embeds": [embed_shown(embed) for embed in message.embeds],
        "components": message.components,
        "flags": message.flags,
        "pinned": False,
    }
    if message.nonce is not None:
        shown["nonce"] = message.nonce
    return shown | (_answering(discord, message.asked) if message.asked else {})


def _answering(discord: Discord, asked: Asked) -> dict[str, Any]:
    """What the message of an application says about the interaction it answers."""
    user = user_shown(discord.member(asked.member))
    metadata: dict[str, Any] = {
        "id": asked.id,
        "type": asked.kind,
        "user": user,
        "authorizing_integration_owners": {"0": discord.guild_id},
    }
    more = {"webhook_id": discord.bot_id, "application_id": discord.bot_id, "interaction_metadata": metadata}
    if asked.message:
        metadata["interacted_message_id"] = asked.message
        return more | {"type": REPLY}
    name = {"id": asked.id, "type": asked.kind, "name": asked.name, "user": user}
    return more | {"type": REPLY_TO_COMMAND, "interaction": name}


def command_shown(discord: Discord, command: Command) -> dict[str, Any]:
    """A registered command."""
    shown = {
        "id": command.id,
        "application_id": discord.bot_id,
        "version": command.version,
        "default_member_permissions": None,
        "type": 1,
        "name": command.name,
        "name_localizations": None,
        "description": "",
        "description_localizations": None,
        "dm_permission": True,
        "contexts": None,
        "integration_types": [0],
        "nsfw": False,
    }
    if command.guild:
        shown["guild_id"] = command.guild
    return shown | command.body
