"""One-time links: signed, timed, stored as hashes, used once; the newest of its kind is the only one alive."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import CursorResult, func, select, update

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
    salt = secrets.token_hex(16)
    link = OneTimeLink(
        purpose=purpose,
        user_id=user.id if user else None,
        organisation_id=organisation_id,
        epoch=user.epoch if user else 0,
        salt=salt,
        nonce_hash=_hash(_nonce(purpose, salt)),
        created_by_id=getattr(by, "user_id", None),
        created_by_name=getattr(by, "name", ""),
        expires_at=now() + lifetime(purpose),
    )
    db.session.add(link)
    db.session.flush()
    return link


def check_pace(purpose: Purpose, user: User) -> None:
    """Refuse to fill somebody's mailbox: so many links within an hour, whoever asks for them."""
    since = now() - timedelta(hours=1)
    wanted = select(func.count(OneTimeLink.id)).where(OneTimeLink.purpose == purpose, OneTimeLink.user_id == user.id)
    if (db.session.scalar(wanted.where(OneTimeLink.created_at > since)) or 0) >= MOST_AN_HOUR:
        raise TooMany(f"{user.name} was sent {MOST_AN_HOUR} such letters within an hour. Wait before you send another one.", 600)


def supersede(purpose: Purpose, user: User | None) -> bool:
    """End every open link of this purpose for this person; whether there was one."""
    result = db.session.execute(
        update(OneTimeLink)
        .where(
            OneTimeLink.purpose == purpose,
            OneTimeLink.user_id == user.id if user else OneTimeLink.user_id.is_(None),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.superseded_at.is_(None),
        )
        .values(superseded_at=now())
    )
    assert isinstance(result, CursorResult)
    return result.rowcount > 0


def token_for(link: OneTimeLink) -> str:
    """The text that goes into the address; the same link may be written into a letter more than once."""
    token = _serializer(link.purpose).dumps([link.id, _nonce(link.purpose, link.salt)])
    return str(token)


def open_link(purpose: Purpose, token: str) -> OneTimeLink | None:
    """The living link behind a token, or None for whatever is wrong with it: tampered, used, replaced, expired, foreign."""
    try:
        link_id, nonce = _serializer(purpose).loads(token, max_age=SIGNED_FOR_SECONDS)
    except (BadSignature, ValueError, TypeError):
        return None
    link = db.session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.id == link_id, OneTimeLink.purpose == purpose, *_alive(), OneTimeLink.nonce_hash == _hash(nonce)
        )
    )
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
