"""Comment: what people say on a case, and what they said before they changed it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ...clock import now
from ...extensions import Model, new_uid


class Comment(Model):
    """A comment is internal unless `external` is set; external ones are seen by everyone the case is shared with.

    The author's name is kept with the comment: outsiders may not read accounts, and it survives the account.
    One that somebody other than its author took away stays as a trace: internal, without its words.
    """

    __tablename__ = "comment"
    __table_args__ = (Index("ix_comment_case_id", "case_id", "created_at"), Index("ix_comment_author_id", "author_id", "created_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    author_name: Mapped[str] = mapped_column(String(128))
    author_external: Mapped[bool]
    message: Mapped[str] = mapped_column(Text)
    message_html: Mapped[str] = mapped_column(Text)
    external: Mapped[bool] = mapped_column(default=False)
    # When outsiders last got something new from it: published, or edited while published.
    outside_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    removed_by_name: Mapped[str | None] = mapped_column(String(128))


class CommentRevision(Model):
    """A comment as it read until `replaced_at`. Colleagues only."""

    __tablename__ = "comment_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"), index=True)
    message: Mapped[str] = mapped_column(Text)
    message_html: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime]
    replaced_at: Mapped[datetime] = mapped_column(default=now)
