"""People, what they may do where, and the ways they prove who they are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, Enum, ForeignKey, Index, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import now
from ..extensions import Base, Key, Model
from .permissions import ProfileType


def _enum(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda members: [m.value for m in members])


class AccountType(StrEnum):
    """Fixed when the account is made: who may use the console, the API only, or the portal only."""

    NORMAL = "Normal"
    SERVICE = "Service"
    EXTERNAL = "External"


class Purpose(StrEnum):
    """What a one-time link lets its holder do."""

    INVITATION = "invitation"
    RESET = "reset"
    SETUP = "setup"


class User(Model):
    """One person or machine. `email` is the sign-in name, stored in lower case."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(128), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    type: Mapped[AccountType] = mapped_column(_enum(AccountType))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    # Raised whenever what a session or link was made for no longer holds: each remembers the epoch it was born in.
    epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    activated_at: Mapped[datetime | None]
    last_sign_in_at: Mapped[datetime | None]

    @property
    def external(self) -> bool:
        """Whether the person may use the portal only."""
        return self.type is AccountType.EXTERNAL


class Profile(Model):
    """A named set of permissions of one type."""

    __tablename__ = "profile"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    type: Mapped[ProfileType] = mapped_column(_enum(ProfileType))
    permissions: Mapped[list[str]] = mapped_column(JSON, default=list)
    built_in: Mapped[bool] = mapped_column(default=False)
    locked: Mapped[bool] = mapped_column(default=False)


membership_profile = Table(
    "membership_profile",
    Base.metadata,
    Column("membership_id", Key, ForeignKey("membership.id", ondelete="CASCADE"), primary_key=True),
    Column("profile_id", Key, ForeignKey("profile.id"), primary_key=True),
)


class Membership(Model):
    """A person in an organisation: one profile for colleagues, one or more for external people (their permissions add up)."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "organisation_id"), Index("ix_membership_organisation_id", "organisation_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    party_id: Mapped[int | None] = mapped_column(ForeignKey("party.id"))
    is_default: Mapped[bool] = mapped_column(default=False)

    user: Mapped[User] = relationship(lazy="raise")
    profiles: Mapped[list[Profile]] = relationship(secondary=membership_profile, lazy="raise")


class OneTimeLink(Model):
    """An invitation, password reset or first set-up: a mailed link that works once and for a while.

    Only a hash of the secret is kept. `used_at` and `superseded_at` end it; what is over stays NULL-able, never empty text.
    """

    __tablename__ = "one_time_link"
    __table_args__ = (Index("ix_one_time_link_user_id", "user_id", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose] = mapped_column(_enum(Purpose))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    epoch: Mapped[int] = mapped_column(default=0)
    salt: Mapped[str] = mapped_column(String(64))
    nonce_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_by_name: Mapped[str] = mapped_column(String(128), default="")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    superseded_at: Mapped[datetime | None]


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


class Attempt(Model):
    """One counted try (sign-in, reset mail), so that limits survive a restart. `bucket` is a hash, never an address."""

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_bucket", "bucket", "at"),)

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
