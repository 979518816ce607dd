"""Organisation: the security team's tenant; Party: a client, department or vendor, with its contacts, addresses and agreements."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, Column, Date, ForeignKey, Index, String, Table, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Base, Key, Model, new_uid, words


class PartyKind(StrEnum):
    """What an outside party is to the security team."""

    CLIENT = "client"
    DEPARTMENT = "department"
    VENDOR = "vendor"


class Organisation(Model):
    """A tenant. The built-in one ("admin") holds the platform's administrators and can never hold cases."""

    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    built_in: Mapped[bool] = mapped_column(default=False)
    locked: Mapped[bool] = mapped_column(default=False)
    # How analysts sign towards outsiders: by their own name, or as the team.
    names_analysts: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    description: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    # Changes with the picture, so that browsers fetch the new one; empty while there is none.
    picture: Mapped[str] = mapped_column(String(16), default="", server_default=text("''"))
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    # Letters about cases may carry their titles; without it they carry numbers only.
    titles_in_mail: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Up to when the team has been told what portal administrators did to their people.
    people_told_at: Mapped[datetime | None]


class Party(Model):
    """An external organisation: who an external person works for. `name` is what the security team calls it, `own_name` what its portal
    administrators call it in their own portal: whoever decides what to share with it, or who works for it, reads the team's word.

    `domains`: those its people's addresses must have, in lower case with spaces between; empty for any. `cap`: how many people it may
    have that are not deactivated; None for any number. `notes` are for the security team alone. `primary_contact_id` names a contact
    of its own.
    """

    __tablename__ = "party"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(128))
    own_name: Mapped[str] = mapped_column(String(128), default="", server_default=text("''"))
    kind: Mapped[PartyKind] = mapped_column(words(PartyKind))
    phone: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    domains: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    cap: Mapped[int | None]
    notes: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    # No foreign key: contacts refer to their party, and what refers in a circle cannot be copied table by table.
    primary_contact_id: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")


# The functional roles (external profiles) open to an external organisation: others can be given to nobody there by its own administrators.
party_profile = Table(
    "party_profile",
    Base.metadata,
    Column("party_id", Key, ForeignKey("party.id", ondelete="CASCADE"), primary_key=True),
    Column("profile_id", Key, ForeignKey("profile.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Contact(Model):
    """A person an external organisation has, with or without an account (`Membership.contact_id`).

    `confirmed`: the person themselves or the team gave the name; until then it is what stood before the last @ of an address.
    """

    __tablename__ = "contact"
    __table_args__ = (Index("ix_contact_party_id", "party_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(128))
    phone: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    job_title: Mapped[str] = mapped_column(String(128), default="", server_default=text("''"))
    confirmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class ContactEmail(Model):
    """An address of a contact, in lower case; no two contacts of a tenant share one. The first is the one to write to."""

    __tablename__ = "contact_email"
    __table_args__ = (UniqueConstraint("organisation_id", "email"), Index("ix_contact_email_contact_id", "contact_id", "position"))

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    email: Mapped[str] = mapped_column(String(128))
    position: Mapped[int] = mapped_column(default=0, server_default="0")


class AddressKind(StrEnum):
    """What an address is for."""

    ACTUAL = "actual"
    LEGAL = "legal"
    SHIPPING = "shipping"


class PartyAddress(Model):
    """Where an external organisation is. `country` in words or as a code, as it was typed."""

    __tablename__ = "party_address"
    __table_args__ = (Index("ix_party_address_party_id", "party_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id", ondelete="CASCADE"))
    kind: Mapped[AddressKind] = mapped_column(words(AddressKind))
    street: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    city: Mapped[str] = mapped_column(String(128), default="", server_default=text("''"))
    region: Mapped[str] = mapped_column(String(128), default="", server_default=text("''"))
    postal_code: Mapped[str] = mapped_column(String(32), default="", server_default=text("''"))
    country: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    position: Mapped[int] = mapped_column(default=0, server_default="0")


class AgreementStatus(StrEnum):
    """How far a service agreement has come."""

    DRAFT = "draft"
    ACTIVE = "active"
    ENDED = "ended"


class Agreement(Model):
    """A service agreement with an external organisation, written by the security team.

    `hours`: the service hours in words. `times`: severity ("1" to "4") -> [response, resolution], each in words such as "4 hours".
    The document, where there is one, is the blob with its name.
    """

    __tablename__ = "agreement"
    __table_args__ = (UniqueConstraint("party_id", "number"), Index("uq_agreement_uid", "uid", unique=True))

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), default=new_uid, server_default=text("''"))
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[AgreementStatus] = mapped_column(words(AgreementStatus))
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    hours: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    times: Mapped[dict[str, list[str]]] = mapped_column(JSON, default=dict)
    document_name: Mapped[str] = mapped_column(String(255), default="", server_default=text("''"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("blob.id"), index=True)
    version: Mapped[int] = mapped_column(default=1, server_default="1")


# The contacts an agreement names.
agreement_contact = Table(
    "agreement_contact",
    Base.metadata,
    Column("agreement_id", Key, ForeignKey("agreement.id", ondelete="CASCADE"), primary_key=True),
    Column("contact_id", Key, ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, index=True),
)
