"""Observable: a technical trace of an incident, and the types there are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ...clock import now
from ...extensions import Model, new_uid


class ObservableType(Model):
    """A kind of observable: a value of up to 4096 characters, or a file. What there is from the start stays."""

    __tablename__ = "observable_type"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    is_file: Mapped[bool] = mapped_column(default=False)
    built_in: Mapped[bool] = mapped_column(default=False)


class Observable(Model):
    """Type and value (or file) never change. Those of analysts stay inside; those of external users go to whom the case is shared with.

    `value`: the text, refanged; of a file its name. `value_key`: SHA-256 over type and normalised value, or over type and content,
    by which a duplicate from the same side and the same thing in other cases are found. TLP 0-4, PAP 0-3.
    """

    __tablename__ = "observable"
    __table_args__ = (
        UniqueConstraint("case_id", "value_key", "author_external"),  # outsiders must not collide with what they cannot see
        Index("ix_observable_case_id", "case_id", "created_at"),
        Index("ix_observable_value_key", "organisation_id", "value_key", "case_id"),
        Index("ix_observable_type", "type"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    type: Mapped[str] = mapped_column(String(64))
    value: Mapped[str] = mapped_column(Text)
    value_key: Mapped[str] = mapped_column(String(64))
    blob_id: Mapped[int | None] = mapped_column(ForeignKey("blob.id"), index=True)
    content_type: Mapped[str | None] = mapped_column(String(128))
    size: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(Text, default="")
    message_html: Mapped[str] = mapped_column(Text, default="")
    tlp: Mapped[int] = mapped_column(default=2)
    pap: Mapped[int] = mapped_column(default=2)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    ioc: Mapped[bool] = mapped_column(default=False)
    sighted: Mapped[bool] = mapped_column(default=False)
    sighted_at: Mapped[datetime | None]
    ignore_similarity: Mapped[bool] = mapped_column(default=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    author_name: Mapped[str] = mapped_column(String(128))
    author_external: Mapped[bool]
    outside_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
