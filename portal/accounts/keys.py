"""API keys: what a program signs in with in somebody's name. Shown once, kept as a hash, one to an account."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, select

from ..audit.kinds import Kind
from ..audit.record import record
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import Refusal
from .models import AccountType, ApiKey, Membership, User
from .powers import account
from .sessions import viewer_of
from .viewer import Viewer

PREFIX = "pk_"  # so that people and secret scanners know what they found
SHOWN = 8


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def key_of(user_id: int) -> ApiKey | None:
    """What is known of the account's key: never the key itself."""
    return db.session.scalar(select(ApiKey).where(ApiKey.user_id == user_id))


def make(user_id: int, *, by: Viewer) -> str:
    """A new key for the account, to be shown this once; the older one stops working."""
    user, organisation = account(user_id, by=by)
    check_holder(user)
    before = key_of(user.id)
    key = PREFIX + secrets.token_urlsafe(32)
    start = key[:SHOWN]
    changes = {"key": [before.start if before else None, start]}
    db.session.execute(delete(ApiKey).where(ApiKey.user_id == user.id))
    db.session.add(ApiKey(user_id=user.id, start=start, key_hash=_hash(key), created_by_name=by.name))
    record(Kind.API_KEY_MADE, actor=by, organisation_id=organisation.id, object_id=user.id, changes=changes)
    return key


def check_holder(user: User) -> None:
    """Refuse a key to whom it would not help."""
    if user.type is AccountType.EXTERNAL:
        raise Refusal("External users use the portal only. API keys are for colleagues and programs.")
    if not user.active:
        raise Refusal(f"{user.name}'s account is locked. Unlock it before you make a key.")
    if user.activated_at is None:
        raise Refusal(f"{user.name} has not set up the account yet. Make a key once they have.")


def revoke(user_id: int, *, by: Viewer) -> User:
    """End the account's key."""
    user, organisation = account(user_id, by=by)
    key = key_of(user.id)
    if key is None:
        raise Refusal(f"{user.name} has no API key.")
    record(Kind.API_KEY_REVOKED, actor=by, organisation_id=organisation.id, object_id=user.id, changes={"key": [key.start, None]})
    db.session.delete(key)
    db.session.flush()
    return user


def owner_of(key: str) -> Viewer | None:
    """Who a key stands for, in the organisation they begin in; None when it opens nothing."""
    found = db.session.execute(
        select(User.id, Organisation.id)
        .join(ApiKey, ApiKey.user_id == User.id)
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            ApiKey.key_hash == _hash(key),
            User.active,
            User.deleted_at.is_(None),
            User.type != AccountType.EXTERNAL,
            Organisation.locked.is_(False),
        )
        .order_by(Membership.is_default.desc(), Organisation.built_in, Membership.id)
    ).first()
    return viewer_of(found[0], found[1]) if found else None
