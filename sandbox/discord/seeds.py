"""What Discord holds after the first start: accounts of the demo cast on one server with one text channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.discord.things import Channel, Member

if TYPE_CHECKING:
    from sandbox.discord.service import Discord

GUILD_NAME = "Huckleberry Mentorships"
LOUNGE = Channel("1000000000000000005", name="lounge")
STUDENT = "100000000000000001"  # the account that the demo's student@example.test has linked
JOINED = "2026-01-05T09:00:00.000000+00:00"
CAST = (
    (STUDENT, "demo.student", "Demo Student", "student@example.test"),
    ("100000000000000002", "last.student", "Last Student", "student-last@example.test"),
    ("100000000000000003", "new.student", "New Student", "student-new@example.test"),
    ("100000000000000004", "lisbon.mentor", "Lisbon Mentor", "mentor@example.test"),
    ("100000000000000005", "tokyo.mentor", "Tokyo Mentor", "mentor-tokyo@example.test"),
    ("100000000000000006", "kolkata.mentor", "Kolkata Mentor", "mentor-kolkata@example.test"),
    ("100000000000000007", "studio.admin", "Studio Admin", "admin@example.test"),
)


def plant(discord: Discord) -> None:
    """Fill empty collections. The linked student has bought before, and so has the mentee role."""
    discord.channels.put(LOUNGE.id, LOUNGE)
    for id_, username, name, email in CAST:
        roles = [discord.settings.discord_mentee_role_id] if id_ == STUDENT else []
        discord.members.put(id_, Member(id_, username, name, email, JOINED, roles))
