"""One-time links: signed, timed, stored as hashes, used once; the newest of its kind is the only one alive."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import ColumnElement, CursorResult, func, insert, select, update

from ..clock import now
from ..config import LIMITS, Settings
from ..extensions import db
from ..refusals import TooMany
from ..settings import values
from .models import OneTimeLink, Purpose, User

# The row decides when a link is over; the signature only bounds how long a forged clock could help.
SIGNED_FOR_SECONDS = LIMITS["invitation_hours"][1] * 3600


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _serializer(purpose: Purpose) -> URLSafeTimedSerializer:
    # A salt of its own per purpose: without one, any link would pass for any other (measured, security.md 3.4).
    return URLSafeTimedSerializer(
        _settings().secret_key, salt=f"{purpose.value}.v1", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )


def _nonce(purpose: Purpose, salt: str) -> str:
    """Derived, not stored: the letter is written later, and a stolen database must not hold what opens a link."""
    key = _settings().secret_key.encode()
    return hmac.new(key, f"link:{purpose.value}:{salt}".encode(), hashlib.sha256).hexdigest()[:32]


def _hash(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()


def lifetime(purpose: Purpose) -> timedelta:
    """How long a new link of this purpose works."""
    if purpose is Purpose.RESET:
        return timedelta(minutes=values.current().reset_minutes)
    return timedelta(hours=values.current().invitation_hours)


MOST_AN_HOUR = 10


def make_link(purpose: Purpose, *, user: User | None = None, organisation_id: int | None = None, by: Any = None) -> OneTimeLink:
    """Add a link to the running transaction; older ones of the same purpose for the same person die."""
    supersede(purpose, user)
    link = OneTimeLink(**_made(purpose, user, organisation_id, by))
    db.session.add(link)
    db.session.flush()
    return link


def make_links(purpose: Purpose, users: Collection[User], *, organisation_id: int, by: Any = None) -> dict[int, int | None]:
    """A link for each of these people, with as many statements as for one; its id by theirs."""
    if not users:
        return {}
    supersede_all(purpose, [user.id for user in users])
    rows = [_made(purpose, user, organisation_id, by) for user in users]
    made = db.session.execute(insert(OneTimeLink).returning(OneTimeLink.user_id, OneTimeLink.id), rows)
    return {user_id: key for user_id, key in made if user_id is not None}


def _made(purpose: Purpose, user: User | None, organisation_id: int | None, by: Any) -> dict[str, Any]:
    salt = secrets.token_hex(16)
    return {
        "purpose": purpose,
        "user_id": user.id if user else None,
        "organisation_id": organisation_id,
        "epoch": user.epoch if user else 0,
        "salt": salt,
        "nonce_hash": _hash(_nonce(purpose, salt)),
        "created_by_id": getattr(by, "user_id", None) or None,
        "created_by_name": getattr(by, "name", ""),
        "expires_at": now() + lifetime(purpose),
    }


def check_pace(purpose: Purpose, user: User) -> None:
    """Refuse to fill somebody's mailbox: so many links within an hour, whoever asks for them."""
    if paced(purpose, [user.id]):
        raise TooMany(f"{user.name} was sent {MOST_AN_HOUR} such letters within an hour. Wait before you send another one.", 600)


def paced(purpose: Purpose, user_ids: Collection[int]) -> set[int]:
    """Those of these people who were sent so many links within an hour that the next must wait."""
    since = now() - timedelta(hours=1)
    recent = (OneTimeLink.purpose == purpose, OneTimeLink.user_id.in_(user_ids), OneTimeLink.created_at > since)
    wanted = select(OneTimeLink.user_id).where(*recent).group_by(OneTimeLink.user_id)
    return {key for key in db.session.scalars(wanted.having(func.count() >= MOST_AN_HOUR)) if key is not None}


def supersede(purpose: Purpose, user: User | None) -> bool:
    """End every open link of this purpose for this person; whether there was one."""
    return bool(_end(purpose, OneTimeLink.user_id == user.id if user else OneTimeLink.user_id.is_(None)))


def supersede_all(purpose: Purpose, user_ids: Collection[int]) -> set[int]:
    """End every open link of this purpose for these people; who had one."""
    return {key for key in _end(purpose, OneTimeLink.user_id.in_(user_ids)) if key is not None} if user_ids else set()


def _end(purpose: Purpose, whose: ColumnElement[bool]) -> list[int | None]:
    opened = (OneTimeLink.used_at.is_(None), OneTimeLink.superseded_at.is_(None))
    ended = update(OneTimeLink).where(OneTimeLink.purpose == purpose, whose, *opened).values(superseded_at=now())
    return list(db.session.scalars(ended.returning(OneTimeLink.user_id)))


def token_for(link: OneTimeLink) -> str:
    """The text that goes into the address; the same link may be written into a letter more than once."""
    token = _serializer(link.purpose).dumps(_nonce(link.purpose, link.salt))
    return str(token)


def open_link(purpose: Purpose, token: str) -> OneTimeLink | None:
    """The living link behind a token, or None for whatever is wrong with it: tampered, used, replaced, expired, foreign."""
    try:
        told = _serializer(purpose).loads(token, max_age=SIGNED_FOR_SECONDS)
        # Letters from before revision 0010 carry the number of the link as well; they work until they are over.
        _number, nonce = ("", told) if isinstance(told, str) else told
    except (BadSignature, ValueError, TypeError):
        return None
    link = db.session.scalar(select(OneTimeLink).where(OneTimeLink.nonce_hash == _hash(nonce), OneTimeLink.purpose == purpose, *_alive()))
    if link is None or link.user_id is None:
        return link
    user = db.session.get(User, link.user_id)
    return link if user and user.active and user.epoch == link.epoch else None


def _alive() -> tuple[Any, ...]:
    moment = now()
    return (
        OneTimeLink.used_at.is_(None),
        OneTimeLink.superseded_at.is_(None),
        OneTimeLink.expires_at > moment,
        OneTimeLink.created_at <= moment,
    )


def consume(link: OneTimeLink) -> bool:
    """Use the link up, in the transaction of what it is used for. False when another request was quicker."""
    result = db.session.execute(update(OneTimeLink).where(OneTimeLink.id == link.id, *_alive()).values(used_at=now()))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
