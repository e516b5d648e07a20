"""Servers that help two browsers to find each other, as the operator names them (`ICE_SERVERS`)."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from app.settings import SettingsError

_ADDRESS: Final = re.compile(r"(stuns?|turns?):[^\s/@?]+(\?transport=(udp|tcp))?")
_WANTED: Final = 'a JSON list of RTCIceServer, such as [{"urls": "stun:stun.example.com:3478"}]'


class IceServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A server as the browser's RTCPeerConnection takes it; who relays (`turn:`) wants to know for whom."""

    urls: str | list[str]
    username: str | None = None
    credential: str | None = None

    @property
    def addresses(self) -> list[str]:
        """Its addresses, one or several."""
        return [self.urls] if isinstance(self.urls, str) else self.urls


def servers(text: str) -> list[IceServer]:
    """The servers that `text` names, none where it is empty. Raises SettingsError where browsers would refuse them."""
    if not text:
        return []
    try:
        found = msgspec.json.decode(text, type=list[IceServer])
    except msgspec.MsgspecError as error:
        raise SettingsError(f"ICE_SERVERS is not {_WANTED}: {error}") from error
    for server in found:
        _check(server)
    return found


def _check(server: IceServer) -> None:
    if not server.addresses:
        raise SettingsError("ICE_SERVERS: a server without an address")
    for address in server.addresses:
        if not _ADDRESS.fullmatch(address):
            raise SettingsError(f"ICE_SERVERS: {address!r} is no address of a STUN or TURN server")
        if address.startswith("turn") and not (server.username and server.credential):
            raise SettingsError(f"ICE_SERVERS: {address!r} needs a username and a credential")
