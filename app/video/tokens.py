"""Tokens of the video room: for one session and one of its two, good for coming in once, until the door closes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec

from app.core import clock
from app.core.ids import hash_secret, new_secret
from app.core.unit_of_work import UnitOfWork
from app.settings import Settings
from app.video import ice, repository, rules
from app.video.agora import Agora
from app.video.ice import IceServer

Provider = Literal["peer", "agora"]


@dataclass(frozen=True)
class Video:
    """How people meet: over Agora where the platform has its keys, else straight from browser to browser."""

    agora: Agora | None
    ice_servers: tuple[IceServer, ...]

    @classmethod
    def of(cls, settings: Settings) -> Video:
        """As the settings say. Raises SettingsError where they can't work."""
        agora = Agora(settings) if settings.agora_enabled else None
        return cls(agora, tuple(ice.servers(settings.ice_servers)))

    @property
    def provider(self) -> Provider:
        """Who carries picture and sound."""
        return "agora" if self.agora else "peer"


class CallToken(msgspec.Struct, frozen=True):
    """What opens the room once, for this user, until `expires_at`: `token` is the first word at `signal_url`.

    With Agora it opens `channel` there, too, as `user`, and `app_id` is set; straight from browser to browser
    `ice_servers` help to find each other.
    """

    provider: Provider
    channel: str
    user: UUID
    token: str
    expires_at: datetime
    app_id: str | None
    ice_servers: list[IceServer]
    signal_url: str


async def issue(uow: UnitOfWork, video: Video, session_id: UUID) -> CallToken:
    """A token for the asker. Raises CallRefused: `not_yours`, `canceled`, `not_scheduled`, `no_session_left`,
    `too_early` (with `opens_at`), `too_late`.
    """
    now = clock.now()
    meeting = await repository.meeting(uow, session_id)
    impersonated = uow.principal.impersonator_id is not None
    refusal = rules.no_entry(meeting, uow.user_id, now, impersonated=impersonated)
    if meeting is None or refusal is not None:
        raise rules.CallRefused(refusal or rules.refusal("not_yours"))
    expires_at, channel = meeting.closes_at, f"session-{meeting.id}"
    if video.agora:
        # Agora's servers know nothing of business time.
        until = datetime.now(UTC) + (expires_at - now)
        token = video.agora.token(channel, str(uow.user_id), until)
    else:
        token = new_secret()
    await repository.add_token(uow, meeting.id, hash_secret(token), now, expires_at)
    return CallToken(
        provider=video.provider,
        channel=channel,
        user=uow.user_id,
        token=token,
        expires_at=expires_at,
        app_id=video.agora.app_id if video.agora else None,
        ice_servers=list(video.ice_servers),
        signal_url=f"/sessions/{meeting.id}/signal",
    )
