"""Accounts: one row a person, the ways to prove who they are, and where they are signed in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId, choice
from app.core.unit_of_work import Role


class Provider(StrEnum):
    """Whom an identity comes from."""

    GOOGLE = "google"
    DISCORD = "discord"


class MailPause(StrEnum):
    """Why an address takes no mail any more."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Purpose(StrEnum):
    """What a link in a mail is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105
    INVITATION = "invitation"


class User(WithId, Base):
    """A person. `deleted_at` set: signed out everywhere, invisible, restorable until `forgotten_at` is set, too.

    `mail_paused_at`: their address refused our mail, or they called it spam; an admin, or they, may try again.
    """

    __tablename__ = "users"
    __table_args__ = (
        sa.CheckConstraint("char_length(name) between 1 and 120", name="name"),
        sa.CheckConstraint("position('@' in email) > 1 and char_length(email) <= 254", name="email"),
        sa.CheckConstraint("theme in ('auto', 'light', 'dark')", name="theme"),
        sa.CheckConstraint("forgotten_at is null or deleted_at is not null", name="forgotten_at"),
        sa.CheckConstraint("(mail_paused_at is null) = (mail_paused_reason is null)", name="mail_paused_at"),
        sa.Index(
            "ix_users_mail_paused", "mail_paused_at", postgresql_where=sa.text("mail_paused_at is not null")
        ),
    )

    email: Mapped[str] = mapped_column(CITEXT, unique=True)
    email_verified_at: Mapped[datetime | None]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    role: Mapped[Role] = mapped_column(choice(Role, "role"))
    time_zone: Mapped[str]
    theme: Mapped[str] = mapped_column(default="auto", server_default="auto")
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]
    mail_paused_at: Mapped[datetime | None]
    mail_paused_reason: Mapped[MailPause | None] = mapped_column(choice(MailPause, "mail_paused_reason"))


class StudentProfile(Base):
    """What a student says about themselves, for their mentors, and how far they are with getting started.

    `zone_confirmed_at`: they said that their time zone is right. `put_aside_at`: they don't want to be asked.
    """

    __tablename__ = "student_profiles"
    __table_args__ = (
        sa.CheckConstraint("char_length(about) <= 1000", name="about"),
        sa.CheckConstraint("char_length(goals) <= 1000", name="goals"),
    )

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    about: Mapped[str] = mapped_column(default="")
    goals: Mapped[str] = mapped_column(default="")
    zone_confirmed_at: Mapped[datetime | None]
    put_aside_at: Mapped[datetime | None]


class UserIdentity(WithId, Base):
    """An account at a provider that belongs to a user: unique both ways round.

    `name`: what it is called there. `closed_at`: since when it takes no direct messages from us.
    """

    __tablename__ = "user_identities"
    __table_args__ = (sa.UniqueConstraint("provider", "subject"), sa.UniqueConstraint("user_id", "provider"))

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    provider: Mapped[Provider] = mapped_column(choice(Provider, "provider"))
    subject: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[datetime]
    name: Mapped[str | None]
    closed_at: Mapped[datetime | None]


class WebSession(WithId, Base):
    """A signed-in browser. The cookie's secret is kept hashed; a new secret replaces it at every sign-in.

    `impersonator_id`: the admin who is signed in as this user.
    """

    __tablename__ = "web_sessions"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    last_seen_at: Mapped[datetime]
    user_agent: Mapped[str | None]
    impersonator_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), index=True
    )


class AccessToken(WithId, Base):
    """A personal access token for the JSON endpoints: hashed, named, with expiry, shown once."""

    __tablename__ = "access_tokens"
    __table_args__ = (sa.CheckConstraint("char_length(name) between 1 and 80", name="name"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class EmailToken(WithId, Base):
    """A link sent by mail: single use, hashed, with expiry."""

    __tablename__ = "email_tokens"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose, "purpose"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OAuthState(WithId, Base):
    """A trip to a provider's consent page under way: its state (hashed), PKCE verifier and what to do on return.

    `browser_hash`: of the cookie that the browser must bring back, so that nobody can be sent back with another's code.
    """

    __tablename__ = "oauth_states"

    state_hash: Mapped[bytes] = mapped_column(unique=True)
    browser_hash: Mapped[bytes]
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]
    verifier: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    expires_at: Mapped[datetime] = mapped_column(index=True)
