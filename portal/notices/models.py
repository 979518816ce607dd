"""Notice: something on a case that one colleague should look at."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model, words


class Reason(StrEnum):
    """Why somebody is told."""

    ASSIGNED = "assigned"
    TASK = "task"
    EXTERNAL_REPLY = "external_reply"
    REPORTED = "reported"


class Notice(Model):
    """Told to one person; what it says is read from the case when it is shown, so that a right lost since then is respected."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_user_id", "user_id", "read_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"), index=True)
    reason: Mapped[Reason] = mapped_column(words(Reason))
    actor_name: Mapped[str] = mapped_column(String(128))
    actor_external: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)
    read_at: Mapped[datetime | None]
