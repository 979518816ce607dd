"""Signed-in browsers: a row for each, looked up on every request; what the row no longer allows is over at once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.exc import OperationalError

from ..clock import now
from ..database import apart
from ..extensions import db
from ..organisations.models import Organisation
from ..settings import values
from ..settings.models import Setting
from .models import AccountType, LoginSession, Membership, Profile, User, membership_profile
from .viewer import Viewer

SEEN_EVERY = timedelta(minutes=1)
MOST_PER_USER = 5
MARK = 16  # characters of the hash of its key, of which nobody can make the key
LOOK = "look"  # the face of a colleague who looks through an outsider's eyes; no cookie of the portal finds it
LOOK_LASTS = timedelta(minutes=15)


@dataclass(frozen=True)
class Found:
    """A living session: who it is, and when it was last seen."""

    viewer: Viewer
    last_seen_at: datetime


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def open_session(user: User, organisation_id: int, face: str, *, user_agent: str = "", ip: str = "", mfa_at: datetime | None = None) -> str:
    """Add a session to the running transaction and return its key, which only the browser keeps. The oldest beyond five end.

    `mfa_at`: when a second factor was shown for it.
    """
    key = secrets.token_urlsafe(32)
    own = (LoginSession.user_id == user.id, LoginSession.viewed_by_id.is_(None))
    kept = select(LoginSession.id).where(*own).order_by(LoginSession.id.desc()).limit(MOST_PER_USER - 1)
    db.session.execute(delete(LoginSession).where(*own, LoginSession.id.not_in(kept.scalar_subquery())))
    db.session.add(
        LoginSession(
            key_hash=_hash(key),
            face=face,
            user_id=user.id,
            organisation_id=organisation_id,
            epoch=user.epoch,
            user_agent=user_agent[:200],
            ip=ip,
            mfa_at=mfa_at,
        )
    )
    return key


def _group(name: str) -> Any:
    return select(Setting.value).where(Setting.name == name).scalar_subquery().label(f"{name}_settings")


_WANTED = (
    LoginSession.id.label("session_id"),
    LoginSession.organisation_id.label("current_id"),
    LoginSession.created_at,
    LoginSession.last_seen_at,
    LoginSession.viewed_by_id,
    User.id.label("user_id"),
    User.name,
    User.email,
    User.type,
    User.mfa,
    User.language,
    User.time_zone,
    User.picture,
    Organisation.id.label("organisation_id"),
    Organisation.name.label("organisation_name"),
    Organisation.built_in,
    Organisation.names_analysts,
    Organisation.picture.label("organisation_picture"),
    Membership.party_id,
    Membership.portal_admin,
    Profile.permissions,
    # What administrators set travels along, so that no page asks for it by itself.
    _group("sign_in"),
    _group("mail"),
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
        LoginSession.epoch == User.epoch,
        User.active,
        Organisation.locked.is_(False),
    )
    .order_by(Organisation.name)
)


def find(key: str, face: str) -> Found | None:
    """The living session behind a cookie's key on this face, in one query; None when anything about it is over."""
    rows: Sequence[Any] = db.session.connection().execute(_FIND, {"key_hash": _hash(key), "face": face}).all()
    current = [row for row in rows if row.organisation_id == row.current_id]
    if not current:
        return None
    row, moment = current[0], now()
    policy = values.policy_from(row.sign_in_settings)
    if row.last_seen_at <= moment - policy.idle(face) or row.created_at <= moment - policy.longest(face):
        return None
    values.remember(sign_in=row.sign_in_settings, mail=row.mail_settings)
    return Found(_viewer(current, rows, policy), row.last_seen_at)


def was_ended(key: str, face: str) -> bool:
    """Whether somebody ended the session behind this key, or their account: one that only rested for too long is still kept for a while."""
    return db.session.connection().execute(_FIND, {"key_hash": _hash(key), "face": face}).first() is None


def open_look(user: User, by: Viewer) -> str:
    """Add a look of this colleague through the person's eyes; its key opens it together with the colleague's own session only."""
    key = secrets.token_urlsafe(32)
    look = LoginSession(
        key_hash=_look_hash(key, by),
        face=LOOK,
        user_id=user.id,
        organisation_id=by.organisation_id,
        epoch=user.epoch,
        viewed_by_id=by.user_id,
    )
    db.session.add(look)
    return key


def _look_hash(key: str, by: Viewer) -> str:
    return _hash(f"{key}.{by.session_id}")


def find_look(key: str, by: Viewer) -> Viewer | None:
    """The outsider whom the colleague looks as, in the colleague's organisation alone; None when anything about it is over."""
    rows = db.session.execute(_FIND, {"key_hash": _look_hash(key, by), "face": LOOK}).all()
    here = [row for row in rows if row.organisation_id == row.current_id == by.organisation_id and row.viewed_by_id == by.user_id]
    if not here or here[0].type is not AccountType.EXTERNAL or here[0].created_at <= now() - LOOK_LASTS:
        return None
    viewer = _viewer(here, here, values.policy_from(here[0].sign_in_settings))
    return replace(viewer, must_enrol=False, viewed_by_id=by.user_id)


def _viewer(current: Sequence[Any], rows: Sequence[Any], policy: values.SignInPolicy) -> Viewer:
    first = current[0]
    permissions = frozenset(name for row in current for name in row.permissions or ())
    places = dict.fromkeys((row.organisation_id, row.organisation_name) for row in rows)
    external = first.type is AccountType.EXTERNAL
    return Viewer(
        user_id=first.user_id,
        name=first.name,
        email=first.email,
        external=external,
        organisation_id=first.organisation_id,
        organisation_name=first.organisation_name,
        permissions=permissions,
        platform=first.built_in,
        session_id=first.session_id,
        names_analysts=first.names_analysts,
        organisations=tuple(places),
        language=first.language,
        time_zone=first.time_zone,
        picture=first.picture,
        organisation_picture=first.organisation_picture,
        must_enrol=not first.mfa and policy.demands_mfa(external=external, platform=first.built_in),
        party_id=first.party_id if external else None,
        portal_admin=external and first.portal_admin and first.party_id is not None,
    )


def viewer_of(user_id: int, organisation_id: int) -> Viewer | None:
    """The person as they would look at this organisation now, without a session; for letters. None when they may not."""
    place = (Organisation.name.label("place"), Organisation.built_in)
    seat = (*place, Membership.party_id, Membership.portal_admin, Profile.permissions)
    rows = db.session.execute(
        select(User.id, User.name, User.email, User.type, *seat)
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
    works_for = {"party_id": first.party_id, "portal_admin": first.portal_admin and first.party_id is not None} if external else {}
    return Viewer(first.id, first.name, first.email, external, organisation_id, first.place, permissions, first.built_in, **works_for)


def touch(found: Found, *, writing: bool) -> None:
    """Note that the person is there, at most once a minute; apart from the request when that one only reads."""
    if now() - found.last_seen_at < SEEN_EVERY:
        return
    change = update(LoginSession).where(LoginSession.id == found.viewer.session_id).values(last_seen_at=now())
    if writing:
        db.session.execute(change)
        return
    try:
        with apart(patience=0.25) as connection:
            connection.execute(change)
    except OperationalError:
        pass  # the database is busy; the next request notes it


def switch(session_id: int, organisation_id: int) -> None:
    """Work in another organisation of one's own from the next request on; the caller has checked the membership."""
    db.session.execute(update(LoginSession).where(LoginSession.id == session_id).values(organisation_id=organisation_id))


def still_open(viewer: Viewer, user: User) -> bool:
    """Whether the browser that asks may still go on, after slow work during which it may have been signed out."""
    if viewer.session_id is None:
        return user.active
    row = LoginSession.__table__.c
    wanted = select(row.id).where(row.id == viewer.session_id, row.user_id == user.id, row.epoch == user.epoch)
    return user.active and db.session.connection().scalar(wanted) is not None


def end(session_id: int | None) -> None:
    """Sign one browser out."""
    db.session.execute(delete(LoginSession).where(LoginSession.id == session_id))


def end_all(user: User) -> None:
    """Sign a person out everywhere and kill what was made for the account as it was."""
    user.epoch += 1
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


def mark_of(session: LoginSession) -> str:
    """What a signed-in browser is called by its owner's page: random, where its number would tell how often others sign in."""
    return session.key_hash[:MARK]


def is_marked(mark: str) -> ColumnElement[bool]:
    """The condition that a session has this mark; only ever asked together with whose it is."""
    return func.substr(LoginSession.key_hash, 1, MARK) == mark


def sessions_of(user_id: int) -> list[LoginSession]:
    """The person's signed-in browsers that still live, newest first."""
    epoch = select(User.epoch).where(User.id == user_id).scalar_subquery()
    wanted = select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.epoch == epoch, LoginSession.viewed_by_id.is_(None))
    policy, moment = values.sign_in_policy(), now()
    return [
        row
        for row in db.session.scalars(wanted.order_by(LoginSession.id.desc()))
        if row.last_seen_at > moment - policy.idle(row.face) and row.created_at > moment - policy.longest(row.face)
    ]
