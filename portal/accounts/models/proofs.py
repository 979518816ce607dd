"""The ways people and machines prove who they are: links, sessions, second factors, keys; and what limits guessing."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ...clock import now
from ...extensions import Model, words


class Purpose(StrEnum):
    """What a one-time link lets its holder do."""

    INVITATION = "invitation"
    RESET = "reset"
    SETUP = "setup"
    EMAIL = "email"


class OneTimeLink(Model):
    """An invitation, password reset or first set-up: a mailed link that works once and for a while.

    Only a hash of the secret is kept. `used_at` and `superseded_at` end it; what is over stays NULL-able, never empty text.
    """

    __tablename__ = "one_time_link"
    __table_args__ = (
        Index("ix_one_time_link_user_id", "user_id", "purpose"),
        Index("ix_one_time_link_created_by_id", "created_by_id", "created_at"),  # how many somebody has sent today
        Index("ix_one_time_link_nonce_hash", "nonce_hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose] = mapped_column(words(Purpose))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    epoch: Mapped[int] = mapped_column(default=0)
    salt: Mapped[str] = mapped_column(String(64))
    nonce_hash: Mapped[str] = mapped_column(String(64))
    # The address being confirmed, where the link is for that.
    email: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_by_name: Mapped[str] = mapped_column(String(128), default="")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    superseded_at: Mapped[datetime | None]
    # When its person was reminded that it ends soon; once.
    reminded_at: Mapped[datetime | None]


class LoginSession(Model):
    """A signed-in browser on one face. Only the hash of its key is kept; the row decides, not the cookie."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    face: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    epoch: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    ip: Mapped[str] = mapped_column(String(45), default="")
    # When a second factor was shown in this session; None for password alone.
    mfa_at: Mapped[datetime | None]
    # The colleague who looks through this outsider's eyes, read only; None for the person's own session. No foreign key: SQLite could
    # not drop the column again.
    viewed_by_id: Mapped[int | None]


class Attempt(Model):
    """One counted try (sign-in, reset mail), so that limits survive a restart. `bucket` is a hash, never an address."""

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_bucket", "bucket", "at"), Index("ix_attempt_at", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=now)


class Submission(Model):
    """A form that was accepted: sending it again gives the first answer instead of a second thing."""

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("user_id", "token"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    token: Mapped[str] = mapped_column(String(64))
    location: Mapped[str] = mapped_column(String(400), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class Totp(Model):
    """The secret an authenticator app shares with us, sealed. Unconfirmed until a first code was right; each counter works once."""

    __tablename__ = "totp"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), unique=True)
    secret: Mapped[str] = mapped_column(String(400))
    last_counter: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None]


class RecoveryCode(Model):
    """One of ten codes that each replace the second factor once; only its hash is kept."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class Passkey(Model):
    """A key pair kept by somebody's device; we hold the public half. `credential_id` is base64url, `public_key` COSE in CBOR."""

    __tablename__ = "passkey"
    __table_args__ = (Index("ix_passkey_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]

    @property
    def uid(self) -> str:
        """What its owner's pages call it: its number would tell how many there are."""
        return hashlib.sha256(self.credential_id.encode()).hexdigest()[:16]


class Challenge(Model):
    """A step that was begun and waits for its proof: a sign-in between password and second factor, or a passkey being made.

    The browser holds the key in a cookie; only its hash is kept. It opens nothing by itself and ends after minutes.
    """

    __tablename__ = "challenge"
    __table_args__ = (Index("ix_challenge_user_id", "user_id"), Index("ix_challenge_expires_at", "expires_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(16))
    face: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    epoch: Mapped[int]
    # What an authenticator must sign, base64url; empty until a passkey is asked for.
    nonce: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class ApiKey(Model):
    """What a program signs in with in somebody's name: shown once, kept as a hash; a new one replaces it."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), unique=True)
    # The first characters, so that its owner can tell which key it is.
    start: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_name: Mapped[str] = mapped_column(String(128), default="")
    last_used_at: Mapped[datetime | None]


class Picture(Model):
    """The picture of a person or of an organisation: PNG, made by us from what was uploaded, never the uploaded bytes."""

    __tablename__ = "picture"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), unique=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), unique=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
