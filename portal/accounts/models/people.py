"""People, and what they may do where."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, UniqueConstraint, event, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ...clock import now
from ...extensions import Base, Key, Model, new_uid, words
from ..permissions import ProfileType


class AccountType(StrEnum):
    """Fixed when the account is made: who may use the console, the API only, or the portal only."""

    NORMAL = "Normal"
    SERVICE = "Service"
    EXTERNAL = "External"


class User(Model):
    """One person or machine. `email` is the sign-in name, stored in lower case.

    A deleted account stays as a row without address, rights or secrets: what its owner wrote keeps a name.
    """

    __tablename__ = "user_account"
    __table_args__ = (
        Index("ix_user_account_search_text", "search_text", "id"),
        Index("ix_user_account_type", "type", "search_text", "id"),  # the few colleagues among many guests, by name
        Index("ix_user_account_last_sign_in_at", "last_sign_in_at", "id"),
        Index("uq_user_account_uid", "uid", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The name of the account in pages for people outside, where the number would tell how many accounts there are.
    uid: Mapped[str] = mapped_column(String(32), default=new_uid, server_default=text("''"))
    email: Mapped[str] = mapped_column(String(128), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    type: Mapped[AccountType] = mapped_column(words(AccountType))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    # Raised whenever what a session or link was made for no longer holds: each remembers the epoch it was born in.
    epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    activated_at: Mapped[datetime | None]
    last_sign_in_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    # Name and address without capitals and accents, for the search box; kept by the listener below.
    search_text: Mapped[str] = mapped_column(String(260), default="", server_default=text("''"))
    # Whether a second factor is set up; the factors themselves are rows of their own.
    mfa: Mapped[bool] = mapped_column(default=False, server_default=false())
    language: Mapped[str] = mapped_column(String(8), default="", server_default=text("''"))
    time_zone: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    # What the browser asked for at the last sign-in on the portal: letters follow it where no language was chosen.
    browser_language: Mapped[str] = mapped_column(String(8), default="", server_default=text("''"))
    # Changes with the picture, so that browsers fetch the new one; empty while there is none.
    picture: Mapped[str] = mapped_column(String(16), default="", server_default=text("''"))
    # Which kinds of news the person wants no letters about: words with spaces between.
    unwanted: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))

    @property
    def external(self) -> bool:
        """Whether the person may use the portal only."""
        return self.type is AccountType.EXTERNAL


def folded(text: str) -> str:
    """Without capitals and accents, so that "andre" finds "André"."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def search_text_of(name: str, email: str) -> str:
    """What the search box finds somebody by."""
    return folded(f"{name} {email}")[:260]


@event.listens_for(User, "before_insert")
@event.listens_for(User, "before_update")
def _index(_mapper: object, _connection: object, user: User) -> None:
    user.search_text = search_text_of(user.name, user.email)


class Profile(Model):
    """A named set of permissions of one type. `version` rises with every edit: a form made from an older one is shown the change."""

    __tablename__ = "profile"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    type: Mapped[ProfileType] = mapped_column(words(ProfileType))
    permissions: Mapped[list[str]] = mapped_column(JSON, default=list)
    built_in: Mapped[bool] = mapped_column(default=False)
    locked: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1, server_default="1")


membership_profile = Table(
    "membership_profile",
    Base.metadata,
    Column("membership_id", Key, ForeignKey("membership.id", ondelete="CASCADE"), primary_key=True),
    Column("profile_id", Key, ForeignKey("profile.id"), primary_key=True, index=True),
)


class Membership(Model):
    """A person in an organisation: one profile for colleagues, one or more for external people (their permissions add up)."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("user_id", "organisation_id"),
        Index("ix_membership_organisation_id", "organisation_id"),
        Index("ix_membership_party_id", "party_id"),
        Index("uq_membership_contact_id", "contact_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    party_id: Mapped[int | None] = mapped_column(ForeignKey("party.id"))
    is_default: Mapped[bool] = mapped_column(default=False)
    # Who may manage the people of their own external organisation in the portal.
    portal_admin: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The person's record at their external organisation; one account per contact at most. No foreign key: added to a table that is there.
    contact_id: Mapped[int | None]

    user: Mapped[User] = relationship(lazy="raise")
    profiles: Mapped[list[Profile]] = relationship(secondary=membership_profile, lazy="raise")
