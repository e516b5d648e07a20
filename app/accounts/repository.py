"""SQL of accounts: users, identities, links in mails, web sessions, access tokens, trips to consent pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import (
    AccessToken,
    EmailToken,
    OAuthState,
    Provider,
    Purpose,
    User,
    UserIdentity,
    WebSession,
)
from app.core.ids import new_id
from app.core.unit_of_work import Role

Values = dict[str, Any]


# Users


async def add_user(session: AsyncSession, values: Values) -> UUID | None:
    """Insert a user; None if the e-mail address is taken, also by somebody who took it at this very moment."""
    statement = (
        insert(User).values(**values).on_conflict_do_nothing(index_elements=[User.email]).returning(User.id)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def user_by_id(session: AsyncSession, user_id: UUID, *, lock: bool = False) -> User | None:
    """The user as the row is now; locked against other changes (not against rows that refer to it)."""
    return await _one_user(session, User.id == user_id, lock)


async def user_by_email(session: AsyncSession, email: str, *, lock: bool = False) -> User | None:
    """The user with that address, in whatever case it is written."""
    return await _one_user(session, User.email == email, lock)


async def _one_user(session: AsyncSession, condition: sa.ColumnElement[bool], lock: bool) -> User | None:
    query = sa.select(User).where(condition).execution_options(populate_existing=True)
    if lock:
        query = query.with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def lock_user(session: AsyncSession, user_id: UUID) -> User | None:
    """The user, locked also against new rows that refer to it (packs, sessions)."""
    query = sa.select(User).where(User.id == user_id).with_for_update()
    return (await session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def change_user(session: AsyncSession, user_id: UUID, values: Values) -> None:
    """Change some columns of a user."""
    await session.execute(
        sa.update(User)
        .where(User.id == user_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def lock_admins(session: AsyncSession) -> set[UUID]:
    """All admins there are, locked in one order: of two who change admins at the same time, one waits for the other.

    To be called before any of them is locked by itself.
    """
    query = (
        sa.select(User.id)
        .where(User.role == Role.ADMIN, User.deleted_at.is_(None))
        .order_by(User.id)
        .with_for_update(key_share=True)
    )
    return set((await session.execute(query)).scalars())


# Identities


async def identity_owner(session: AsyncSession, provider: Provider, subject: str) -> UUID | None:
    """Whose account at the provider this is."""
    query = sa.select(UserIdentity.user_id).where(
        UserIdentity.provider == provider, UserIdentity.subject == subject
    )
    return (await session.execute(query)).scalar_one_or_none()


async def identity_of(session: AsyncSession, user_id: UUID, provider: Provider) -> UserIdentity | None:
    """The user's account at the provider."""
    query = sa.select(UserIdentity).where(UserIdentity.user_id == user_id, UserIdentity.provider == provider)
    return (await session.execute(query)).scalar_one_or_none()


async def add_identity(session: AsyncSession, values: Values) -> bool:
    """Connect an account at a provider; False if it is somebody's, or the user has another one there."""
    statement = insert(UserIdentity).values(id=new_id(), **values).on_conflict_do_nothing()
    return _rows(await session.execute(statement.returning(UserIdentity.id))) == 1


async def take_identity(session: AsyncSession, user_id: UUID, provider: Provider) -> str | None:
    """Disconnect the user's account at the provider; its id there, None if there was none."""
    statement = sa.delete(UserIdentity).where(
        UserIdentity.user_id == user_id, UserIdentity.provider == provider
    )
    return (await session.execute(statement.returning(UserIdentity.subject))).scalar_one_or_none()


async def change_identity(session: AsyncSession, id_: UUID, values: Values) -> None:
    """Change some columns of an account at a provider."""
    statement = sa.update(UserIdentity).where(UserIdentity.id == id_).values(**values)
    await session.execute(statement.execution_options(synchronize_session=False))


# Links in mails


async def add_link(session: AsyncSession, values: Values) -> None:
    """Keep a link's hash."""
    await session.execute(sa.insert(EmailToken).values(**values))


async def link_by_id(session: AsyncSession, id_: UUID) -> EmailToken | None:
    """The link that a mail is to carry."""
    return await session.get(EmailToken, id_)


async def count_links(session: AsyncSession, user_id: UUID, purpose: Purpose, since: datetime) -> int:
    """How many links of this purpose the user was sent since then."""
    query = (
        sa.select(sa.func.count())
        .select_from(EmailToken)
        .where(EmailToken.user_id == user_id, EmailToken.purpose == purpose, EmailToken.created_at > since)
    )
    return (await session.execute(query)).scalar_one()


def _works(purpose: Purpose, token_hash: bytes, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        EmailToken.token_hash == token_hash,
        EmailToken.purpose == purpose,
        EmailToken.used_at.is_(None),
        EmailToken.expires_at > now,
    )


async def link_owner(
    session: AsyncSession, purpose: Purpose, token_hash: bytes, now: datetime
) -> UUID | None:
    """Whose link it is, if it works."""
    query = sa.select(EmailToken.user_id).where(_works(purpose, token_hash, now))
    return (await session.execute(query)).scalar_one_or_none()


async def use_link(session: AsyncSession, purpose: Purpose, token_hash: bytes, now: datetime) -> UUID | None:
    """Mark a working link as used; the row decides who of two comes first."""
    statement = (
        sa.update(EmailToken)
        .where(_works(purpose, token_hash, now))
        .values(used_at=now)
        .returning(EmailToken.user_id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def end_links(session: AsyncSession, user_id: UUID, purpose: Purpose, now: datetime) -> None:
    """None of the user's links of this purpose works any more."""
    await session.execute(
        sa.update(EmailToken)
        .where(EmailToken.user_id == user_id, EmailToken.purpose == purpose, EmailToken.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )


# Web sessions


async def add_web_session(session: AsyncSession, values: Values) -> None:
    """Keep a signed-in browser."""
    await session.execute(sa.insert(WebSession).values(id=new_id(), **values))


async def web_session(session: AsyncSession, token_hash: bytes) -> WebSession | None:
    """The web session of this secret."""
    query = sa.select(WebSession).where(WebSession.token_hash == token_hash)
    return (await session.execute(query)).scalar_one_or_none()


async def web_sessions(session: AsyncSession, user_id: UUID, now: datetime) -> Sequence[WebSession]:
    """Where the user is signed in, the most recently seen first."""
    query = (
        sa.select(WebSession)
        .where(WebSession.user_id == user_id, WebSession.expires_at > now)
        .order_by(WebSession.last_seen_at.desc(), WebSession.id)
    )
    return (await session.execute(query)).scalars().all()


async def end_web_session(session: AsyncSession, token_hash: bytes) -> None:
    """End the web session of this secret, if there is one."""
    await session.execute(sa.delete(WebSession).where(WebSession.token_hash == token_hash))


async def end_web_session_by_id(session: AsyncSession, user_id: UUID, id_: UUID) -> bool:
    """End one of the user's web sessions; False if there is none with that id."""
    statement = sa.delete(WebSession).where(WebSession.user_id == user_id, WebSession.id == id_)
    return _rows(await session.execute(statement.returning(WebSession.id))) == 1


async def end_impersonations(session: AsyncSession, admin_id: UUID) -> None:
    """End the web sessions that an admin has as somebody else."""
    await session.execute(sa.delete(WebSession).where(WebSession.impersonator_id == admin_id))


async def end_web_sessions(session: AsyncSession, user_id: UUID, *, but: bytes | None = None) -> None:
    """End all of the user's web sessions, those as somebody else included, except that of the hash `but`."""
    theirs = sa.or_(WebSession.user_id == user_id, WebSession.impersonator_id == user_id)
    statement = sa.delete(WebSession).where(theirs)
    if but is not None:
        statement = statement.where(WebSession.token_hash != but)
    await session.execute(statement)


# Access tokens


async def add_access_token(session: AsyncSession, values: Values) -> None:
    """Keep an access token's hash."""
    await session.execute(sa.insert(AccessToken).values(id=new_id(), **values))


async def access_tokens(session: AsyncSession, user_id: UUID) -> Sequence[AccessToken]:
    """The user's tokens, the newest first, ended ones included."""
    query = sa.select(AccessToken).where(AccessToken.user_id == user_id).order_by(AccessToken.id.desc())
    return (await session.execute(query)).scalars().all()


async def drop_access_token(session: AsyncSession, user_id: UUID, id_: UUID) -> bool:
    """Revoke a token; False if the user has none with that id."""
    statement = sa.delete(AccessToken).where(AccessToken.user_id == user_id, AccessToken.id == id_)
    return _rows(await session.execute(statement.returning(AccessToken.id))) == 1


# Trips to consent pages


async def add_oauth_state(session: AsyncSession, values: Values) -> None:
    """Keep what a trip is for."""
    await session.execute(sa.insert(OAuthState).values(id=new_id(), **values))


async def take_oauth_state(session: AsyncSession, state_hash: bytes) -> OAuthState | None:
    """The trip of this state, which ends here: of two who bring it back, one gets it."""
    statement = sa.delete(OAuthState).where(OAuthState.state_hash == state_hash).returning(OAuthState)
    result = await session.execute(statement.execution_options(synchronize_session=False))
    return result.scalar_one_or_none()


# Shutting out, forgetting


async def shut_out(session: AsyncSession, user_id: UUID, email: str) -> None:
    """End web sessions and access tokens, and disconnect Google accounts whose address isn't the user's own."""
    await end_sign_ins(session, user_id)
    foreign = sa.func.lower(UserIdentity.email).is_distinct_from(email.lower())
    await session.execute(
        sa.delete(UserIdentity).where(
            UserIdentity.user_id == user_id, UserIdentity.provider == Provider.GOOGLE, foreign
        )
    )


async def end_sign_ins(session: AsyncSession, user_id: UUID) -> None:
    """End web sessions, those as somebody else included, and access tokens."""
    await end_web_sessions(session, user_id)
    await session.execute(sa.delete(AccessToken).where(AccessToken.user_id == user_id))


async def drop_secrets(session: AsyncSession, user_id: UUID) -> None:
    """Everything that lets somebody act as the user: identities, links, web sessions, tokens, trips."""
    await end_sign_ins(session, user_id)
    for table in (UserIdentity, EmailToken, OAuthState):
        await session.execute(sa.delete(table).where(table.user_id == user_id))


def _rows(result: sa.Result[Any]) -> int:
    return len(result.all())
