"""`ICE_SERVERS`: what browsers would take passes, what they would refuse stops the start."""

from __future__ import annotations

import dataclasses
import json

import pytest

from app import wiring
from app.settings import Settings, SettingsError
from app.video import ice
from app.video.ice import IceServer
from app.video.tokens import Video

STUN = {"urls": "stun:stun.example.com:3478"}
TURN = {
    "urls": ["turn:turn.example.com:3478?transport=udp", "turns:turn.example.com:443?transport=tcp"],
    "username": "someone",
    "credential": "secret",
}


def test_what_browsers_take() -> None:
    assert ice.servers("") == []
    assert ice.servers("[]") == []
    assert ice.servers(json.dumps([STUN, TURN])) == [
        IceServer("stun:stun.example.com:3478"),
        IceServer(TURN["urls"], "someone", "secret"),  # type: ignore[arg-type]
    ]
    assert ice.servers('[{"urls": "stun:[2001:db8::1]:3478"}]')[0].addresses == ["stun:[2001:db8::1]:3478"]


@pytest.mark.parametrize(
    "wrong",
    [
        "stun:stun.example.com",
        json.dumps(STUN),
        "[{}]",
        '[{"urls": []}]',
        '[{"urls": ""}]',
        '[{"urls": "https://stun.example.com"}]',
        '[{"urls": "stun:"}]',
        '[{"urls": "stun:a b"}]',
        '[{"url": "stun:stun.example.com"}]',
        json.dumps([TURN | {"username": ""}]),
        json.dumps([{"urls": "turn:turn.example.com"}]),
        json.dumps([{"urls": "turn:u:p@turn.example.com", "username": "u", "credential": "p"}]),
        '[{"urls": 5}]',
    ],
)
def test_what_they_would_refuse(settings: Settings, wrong: str) -> None:
    with pytest.raises(SettingsError, match="ICE_SERVERS"):
        ice.servers(wrong)
    with pytest.raises(SettingsError, match="ICE_SERVERS"):
        wiring.build(dataclasses.replace(settings, ice_servers=wrong))


@pytest.mark.parametrize(
    ("app_id", "certificate", "name"),
    [("a" * 31, "b" * 32, "AGORA_APP_ID"), ("a" * 32, "z" * 32, "AGORA_APP_CERTIFICATE")],
)
def test_keys_of_agora_that_can_not_be_any(app_id: str, certificate: str, name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Video.of(Settings(agora_app_id=app_id, agora_app_certificate=certificate))


def test_one_key_alone_means_none() -> None:
    assert Video.of(Settings(agora_app_id="a" * 32)).provider == "peer"
    assert Video.of(Settings(agora_app_id="a" * 32, agora_app_certificate="b" * 32)).provider == "agora"
