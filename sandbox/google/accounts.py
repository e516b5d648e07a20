"""The people with Google accounts, their calendars, and what they allowed whom."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable

import msgspec

from sandbox.state import Collection, Store

ACCESS_SECONDS = 3599
CODE_SECONDS = 600
REFRESH_TOKENS_AT_MOST = 100


class Account(msgspec.Struct, frozen=True):
    """A Google account; `address` is its e-mail address and its primary calendar's id."""

    address: str
    sub: str
    name: str
    time_zone: str
    email_verified: bool = True
    picture: str = ""


class Calendar(msgspec.Struct, frozen=True):
    """A calendar of one account; the primary one has the account's address as id."""

    id: str
    owner: str
    summary: str
    time_zone: str
    primary: bool = False


class Asked(msgspec.Struct, frozen=True):
    """An authorization request: what a client wants and where it wants the answer."""

    id: str
    client_id: str
    redirect_uri: str
    scopes: list[str]
    state: str
    challenge: str
    nonce: str
    offline: bool
    prompt: str
    login_hint: str
    include_granted: bool
    machine_time: float


class Code(msgspec.Struct, frozen=True):
    """An authorization code that was handed out."""

    asked: Asked
    account: str
    scopes: list[str]
    refreshable: bool
    expires: float
    used: bool = False


class Token(msgspec.Struct, frozen=True):
    """An access token (`expires` in epoch seconds, machine time) or a refresh token (never)."""

    account: str
    client_id: str
    scopes: list[str]
    expires: float | None = None


def fingerprint(secret: str) -> str:
    """The key under which a code or token is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def subject_of(address: str) -> str:
    """Google's stable 21-digit id of an account, derived from its address."""
    return str(10**20 + int(hashlib.sha256(address.encode()).hexdigest(), 16) % 10**20)


class Accounts:
    """Google's own records. Times are machine time."""

    def __init__(self, store: Store) -> None:
        self.people: Collection[Account] = store.collection("google.accounts", Account)
        self.calendars: Collection[Calendar] = store.collection("google.calendars", Calendar)
        self.asked: Collection[Asked] = store.collection("google.asked", Asked)
        self.codes: Collection[Code] = store.collection("google.codes", Code)
        self.access: Collection[Token] = store.collection("google.access_tokens", Token)
        self.refresh: Collection[Token] = store.collection("google.refresh_tokens", Token)

    def clear(self) -> None:
        """Forget everything."""
        for collection in (self.people, self.calendars, self.asked, self.codes, self.access, self.refresh):
            collection.clear()

    def calendar_of(self, account: str, calendar_id: str) -> Calendar | None:
        """A calendar that the account may use; "primary" names its own."""
        calendar = self.calendars.get(account if calendar_id == "primary" else calendar_id)
        return calendar if calendar and calendar.owner == account else None

    def calendars_of(self, account: str) -> list[Calendar]:
        """The account's calendars, the primary one first."""
        mine = [calendar for calendar in self.calendars.values() if calendar.owner == account]
        return sorted(mine, key=lambda calendar: (not calendar.primary, calendar.id))

    def granted(self, account: str, client_id: str) -> set[str]:
        """The scopes that the account allowed the client so far."""
        return {
            scope
            for token in (*self.refresh.values(), *self.access.values())
            if (token.account, token.client_id) == (account, client_id)
            for scope in token.scopes
        }

    def give_code(self, asked: Asked, account: str, scopes: Iterable[str]) -> str:
        """A new authorization code; it comes with a refresh token if offline access is new or consent was asked."""
        allowed, granted = set(scopes), self.granted(account, asked.client_id)
        refreshable = asked.offline and ("consent" in asked.prompt or not allowed <= granted)
        if asked.include_granted:
            allowed |= granted
        code = "4/" + secrets.token_urlsafe(48)
        entry = Code(asked, account, sorted(allowed), refreshable, time.time() + CODE_SECONDS)
        self.codes.put(fingerprint(code), entry)
        self.asked.drop(asked.id)
        return code

    def give_access(self, account: str, client_id: str, scopes: list[str]) -> str:
        """A new access token."""
        self._sweep()
        token = "ya29." + secrets.token_urlsafe(64)
        self.access.put(fingerprint(token), Token(account, client_id, scopes, time.time() + ACCESS_SECONDS))
        return token

    def give_refresh(self, account: str, client_id: str, scopes: list[str]) -> str:
        """A new refresh token; the oldest of more than 100 stops working."""
        token = "1//" + secrets.token_urlsafe(48)
        self.refresh.put(fingerprint(token), Token(account, client_id, scopes))
        mine = [
            key
            for key, known in self.refresh.items()
            if (known.account, known.client_id) == (account, client_id)
        ]
        for key in mine[:-REFRESH_TOKENS_AT_MOST]:
            self.refresh.drop(key)
        return token

    def revoke(self, account: str = "", client_id: str = "") -> int:
        """Forget all tokens of an account with a client (empty: any); gives the number of refresh tokens lost."""
        lost = 0
        for collection in (self.access, self.refresh):
            for key, token in collection.items():
                if account in ("", token.account) and client_id in ("", token.client_id):
                    collection.drop(key)
                    lost += collection is self.refresh
        return lost

    def expire_access(self) -> int:
        """Let every access token be out of date from now on; gives their number."""
        for key, token in self.access.items():
            self.access.put(key, msgspec.structs.replace(token, expires=0.0))
        return len(self.access)

    def _sweep(self) -> None:
        gone = time.time() - ACCESS_SECONDS
        for key, token in self.access.items():
            if token.expires is not None and 0 < token.expires < gone:
                self.access.drop(key)
        for key, code in self.codes.items():
            if code.expires < gone:
                self.codes.drop(key)
