"""Steps that were begun and wait for their proof: a sign-in after the password, a second factor being set up."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from flask import current_app
from sqlalchemy import CursorResult, delete, select

from ..clock import now
from ..extensions import db
from .models import Challenge, User

LIFETIME = timedelta(minutes=10)


class Aim(StrEnum):
    """What the step leads to."""

    SIGN_IN = "sign-in"
    APP = "app"
    PASSKEY = "passkey"
    CODES = "codes"
    FIRST_CODES = "first-codes"


@dataclass(frozen=True)
class Step:
    """A step under way; `nonce` is what a passkey signs, and what secrets shown meanwhile are made of."""

    id: int
    aim: Aim
    user_id: int
    nonce: str


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def start(aim: Aim, user: User, face: str) -> tuple[str, Step]:
    """Begin a step of this person as the account is now; its key goes to the browser. What they left unfinished before is forgotten."""
    key, nonce, moment = secrets.token_urlsafe(32), secrets.token_urlsafe(32), now()
    over = Challenge.expires_at <= moment
    if aim is not Aim.SIGN_IN:
        over |= Challenge.purpose == aim.value
    db.session.execute(delete(Challenge).where(Challenge.user_id == user.id, over))
    row = Challenge(
        key_hash=_hash(key), purpose=aim.value, face=face, user_id=user.id, epoch=user.epoch, nonce=nonce, expires_at=moment + LIFETIME
    )
    db.session.add(row)
    db.session.flush()
    return key, Step(row.id, aim, user.id, nonce)


def find(key: str, face: str, *aims: Aim) -> Step | None:
    """The living step behind a cookie's key; None once the account is locked, changed or ten minutes have passed."""
    row = db.session.execute(
        select(Challenge.id, Challenge.purpose, Challenge.user_id, Challenge.nonce)
        .join(User, User.id == Challenge.user_id)
        .where(
            Challenge.key_hash == _hash(key),
            Challenge.face == face,
            Challenge.purpose.in_([aim.value for aim in aims]),
            Challenge.expires_at > now(),
            Challenge.epoch == User.epoch,
            User.active,
        )
    ).first()
    return Step(row.id, Aim(row.purpose), row.user_id, row.nonce) if row else None


def consume(step: Step) -> bool:
    """End the step, in the transaction of what it leads to. False when another request was quicker."""
    result: Any = db.session.execute(delete(Challenge).where(Challenge.id == step.id))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def derived(step: Step, what: str, size: int) -> bytes:
    """A secret of this step: not stored, since the step can be shown again while it lasts, and the database must not hold it."""
    key: str = current_app.config["SETTINGS"].secret_key
    return hmac.new(key.encode(), f"step:{what}:{step.nonce}".encode(), hashlib.sha256).digest()[:size]
