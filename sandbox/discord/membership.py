"""Who is on the server with which roles, and telling the bots that may know."""

from __future__ import annotations

from typing import Any

from sandbox.discord.gateway import Gateway
from sandbox.discord.service import Discord
from sandbox.discord.things import Member, member_shown, user_shown

GUILD_MEMBERS = 1 << 1


def put(discord: Discord, gateway: Gateway, member: Member, **values: Any) -> Member:
    """The member with other values; the bots hear who came, who changed and who left (and lost their roles)."""
    known = discord.members.get(member.id)
    was_here = known is not None and known.here
    if values.get("here", member.here) is False:
        values["roles"] = []
    changed = discord.change(member, **values)
    if changed == known:
        return changed
    guild = {"guild_id": discord.guild_id}
    if changed.here:
        name = "GUILD_MEMBER_UPDATE" if was_here else "GUILD_MEMBER_ADD"
        gateway.tell_all(name, member_shown(changed) | guild, GUILD_MEMBERS)
    elif was_here:
        gateway.tell_all("GUILD_MEMBER_REMOVE", {"user": user_shown(changed)} | guild, GUILD_MEMBERS)
    return changed
