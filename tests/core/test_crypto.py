"""Encryption at rest: what the newest key writes, any of them reads, nothing else does."""

import pytest

from app.core.crypto import Cipher, Undecryptable, new_key
from app.settings import SettingsError

SECRET = "1//refresh-token of a mentor, é"


def test_what_is_encrypted_can_be_read_back_and_is_not_in_the_clear() -> None:
    cipher = Cipher(new_key())
    stored = cipher.encrypt(SECRET)
    assert b"refresh-token" not in stored
    assert cipher.decrypt(stored) == SECRET


def test_the_same_secret_never_looks_the_same_twice() -> None:
    cipher = Cipher(new_key())
    assert cipher.encrypt(SECRET) != cipher.encrypt(SECRET)


def test_a_new_key_in_front_still_reads_what_the_old_one_wrote() -> None:
    old, new = new_key(), new_key()
    stored = Cipher(old).encrypt(SECRET)
    rotated = Cipher(f"{new}, {old}")
    assert rotated.decrypt(stored) == SECRET
    assert rotated.outdated(stored)


def test_the_first_key_encrypts() -> None:
    old, new = new_key(), new_key()
    stored = Cipher(f"{new},{old}").encrypt(SECRET)
    assert Cipher(new).decrypt(stored) == SECRET
    with pytest.raises(Undecryptable):
        Cipher(old).decrypt(stored)


def test_rotation_lets_the_old_key_be_dropped() -> None:
    old, new = new_key(), new_key()
    both = Cipher(f"{new},{old}")
    stored = both.rotate(Cipher(old).encrypt(SECRET))
    assert not both.outdated(stored)
    assert Cipher(new).decrypt(stored) == SECRET


@pytest.mark.parametrize("at", [0, 9, 30, -1])
def test_a_changed_byte_is_noticed(at: int) -> None:
    cipher = Cipher(new_key())
    stored = bytearray(cipher.encrypt(SECRET))
    stored[at] ^= 1
    with pytest.raises(Undecryptable):
        cipher.decrypt(bytes(stored))


@pytest.mark.parametrize("keys", ["", " , ", "short", "not/base64!" * 4])
def test_missing_or_malformed_keys_are_named_without_showing_them(keys: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Cipher(keys)
    assert "ENCRYPTION_KEYS" in str(refused.value)
    assert "short" not in str(refused.value)
    assert "base64" not in str(refused.value)


def test_one_malformed_key_among_good_ones_is_refused() -> None:
    with pytest.raises(SettingsError):
        Cipher(f"{new_key()},oops")
