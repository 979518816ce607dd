"""Organisation: the security team's tenant; Party: a client, department or vendor whose people are invited."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model, words


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


class Party(Model):
    """An external organisation: who an external person works for."""

    __tablename__ = "party"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(128))
    kind: Mapped[PartyKind] = mapped_column(words(PartyKind))
