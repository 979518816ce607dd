"""Access: who of the outside, or of the inside, a case is open to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model


class Access(StrEnum):
    """One of four, so that restricted and shared can never be true together."""

    INTERNAL = "internal"
    RESTRICTED = "restricted"
    EXTERNAL = "external"
    ALL_EXTERNAL = "all_external"


SHARED = (Access.EXTERNAL, Access.ALL_EXTERNAL)


def in_force(access: Access, until: datetime | None) -> Access:
    """The access as it holds now: past its end, sharing is over though what is written down may not say so yet."""
    return Access.INTERNAL if access in SHARED and until is not None and until <= now() else access


class Grant(Model):
    """A person named on a case: external people while it is shared with selected ones, colleagues while it is restricted."""

    __tablename__ = "case_grant"
    __table_args__ = (Index("ix_case_grant_user_id", "user_id", "case_id"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(default=now)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class PartyGrant(Model):
    """An external organisation a case is shared with: its people of today and of later, while the case is shared with selected ones."""

    __tablename__ = "case_party"
    __table_args__ = (Index("ix_case_party_party_id", "party_id", "case_id"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id", ondelete="CASCADE"), primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(default=now)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
