"""Attachment: a file on a case, or on the log of a task."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ...clock import now
from ...extensions import Model, new_uid


class Attachment(Model):
    """A file is internal unless `external` is set; external ones are seen by everyone the case is shared with.

    `size` in bytes; size, hash and type are kept here too, for outsiders may not read blobs. A log's file never goes outside.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_case_id", "case_id", "created_at"),
        CheckConstraint("log_id IS NULL OR NOT external", name="logs_stay_inside"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"))
    log_id: Mapped[int | None] = mapped_column(ForeignKey("task_log.id", ondelete="CASCADE"), index=True)
    blob_id: Mapped[int] = mapped_column(ForeignKey("blob.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(128))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    external: Mapped[bool] = mapped_column(default=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    author_name: Mapped[str] = mapped_column(String(128))
    author_external: Mapped[bool]
    # When outsiders last got something new from it.
    outside_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
