"""Signed-in browsers: a row for each, looked up on every request; what the row no longer allows is over at once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import OperationalError

from ..clock import now
from ..extensions import db
from ..organisations.models import Organisation
from .models import AccountType, LoginSession, Membership, Profile, User, membership_profile
from .viewer import Viewer

IDLE = timedelta(minutes=30)
LONGEST = {"console": timedelta(hours=12), "portal": timedelta(hours=8)}
SEEN_EVERY = timedelta(minutes=1)
MOST_PER_USER = 5


@dataclass(frozen=True)
class Found:
    """A living session: who it is, and when it was last seen."""

    viewer: Viewer
    last_seen_at: datetime


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def open_session(user: User, organisation_id: int, face: str, *, user_agent: str = "", ip: str = "") -> str:
    """Add a session to the running transaction and return its key, which only the browser keeps. The oldest beyond five end."""
    key = secrets.token_urlsafe(32)
    kept = select(LoginSession.id).where(LoginSession.user_id == user.id).order_by(LoginSession.id.desc()).limit(MOST_PER_USER - 1)
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id, LoginSession.id.not_in(kept.scalar_subquery())))
    db.session.add(
        LoginSession(
            key_hash=_hash(key),
            face=face,
            user_id=user.id,
            organisation_id=organisation_id,
            epoch=user.epoch,
            user_agent=user_agent[:200],
            ip=ip,
        )
    )
    return key


_WANTED = (
    LoginSession.id.label("session_id"),
    LoginSession.organisation_id.label("current_id"),
    LoginSession.last_seen_at,
    User.id.label("user_id"),
    User.name,
    User.email,
    User.type,
    Organisation.id.label("organisation_id"),
    Organisation.name.label("organisation_name"),
    Organisation.built_in,
    Organisation.names_analysts,
    Profile.permissions,
)


# Written once: the statement is the same for every request, only the values differ.
_FIND = (
    select(*_WANTED)
    .join(User, User.id == LoginSession.user_id)
    .join(Membership, Membership.user_id == User.id)
    .join(Organisation, Organisation.id == Membership.organisation_id)
    .outerjoin(membership_profile, membership_profile.c.membership_id == Membership.id)
    .outerjoin(Profile, Profile.id == membership_profile.c.profile_id)
    .where(
        LoginSession.key_hash == bindparam("key_hash"),
        LoginSession.face == bindparam("face"),
        LoginSession.last_seen_at > bindparam("seen_after"),
        LoginSession.created_at > bindparam("opened_after"),
        LoginSession.epoch == User.epoch,
        User.active,
        Organisation.locked.is_(False),
    )
    .order_by(Organisation.name)
)


def find(key: str, face: str) -> Found | None:
    """The living session behind a cookie's key on this face, in one query; None when anything about it is over."""
    moment = now()
    values = {"key_hash": _hash(key), "face": face, "seen_after": moment - IDLE, "opened_after": moment - LONGEST[face]}
    rows: Sequence[Any] = db.session.execute(_FIND, values).all()
    current = [row for row in rows if row.organisation_id == row.current_id]
    return Found(_viewer(current, rows), current[0].last_seen_at) if current else None


def _viewer(current: Sequence[Any], rows: Sequence[Any]) -> Viewer:
    first = current[0]
    permissions = frozenset(name for row in current for name in row.permissions or ())
    places = dict.fromkeys((row.organisation_id, row.organisation_name) for row in rows)
    return Viewer(
        user_id=first.user_id,
        name=first.name,
        email=first.email,
        external=first.type is AccountType.EXTERNAL,
        organisation_id=first.organisation_id,
        organisation_name=first.organisation_name,
        permissions=permissions,
        platform=first.built_in,
        session_id=first.session_id,
        names_analysts=first.names_analysts,
        organisations=tuple(places),
    )


def viewer_of(user_id: int, organisation_id: int) -> Viewer | None:
    """The person as they would look at this organisation now, without a session; for letters. None when they may not."""
    rows = db.session.execute(
        select(User.id, User.name, User.email, User.type, Organisation.name.label("place"), Organisation.built_in, Profile.permissions)
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(membership_profile, membership_profile.c.membership_id == Membership.id)
        .outerjoin(Profile, Profile.id == membership_profile.c.profile_id)
        .where(User.id == user_id, Organisation.id == organisation_id, User.active, Organisation.locked.is_(False))
    ).all()
    if not rows:
        return None
    first, permissions = rows[0], frozenset(name for row in rows for name in row.permissions or ())
    external = first.type is AccountType.EXTERNAL
    return Viewer(first.id, first.name, first.email, external, organisation_id, first.place, permissions, first.built_in)


def touch(found: Found, *, writing: bool) -> None:
    """Note that the person is there, at most once a minute; apart from the request when that one only reads."""
    if now() - found.last_seen_at < SEEN_EVERY:
        return
    change = update(LoginSession).where(LoginSession.id == found.viewer.session_id).values(last_seen_at=now())
    if writing:
        db.session.execute(change)
        return
    try:
        with db.engine.connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(change)
    except OperationalError:
        pass  # the database is busy; the next request notes it


def switch(session_id: int, organisation_id: int) -> None:
    """Work in another organisation of one's own from the next request on; the caller has checked the membership."""
    db.session.execute(update(LoginSession).where(LoginSession.id == session_id).values(organisation_id=organisation_id))


def end(session_id: int | None) -> None:
    """Sign one browser out."""
    db.session.execute(delete(LoginSession).where(LoginSession.id == session_id))


def end_all(user: User) -> None:
    """Sign a person out everywhere and kill what was made for the account as it was."""
    user.epoch += 1
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def sessions_of(user_id: int) -> list[LoginSession]:
    """The person's signed-in browsers, newest first."""
    return list(db.session.scalars(select(LoginSession).where(LoginSession.user_id == user_id).order_by(LoginSession.id.desc())))
