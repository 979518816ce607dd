"""Blob: one file's content, kept once however many attachments name it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..extensions import Model


class Blob(Model):
    """`size` in bytes; the hashes are lower-case hexadecimal. The bytes lie in the store under the SHA-256.

    `unused_since`: since when no attachment, log, observable or agreement names it; a later sweep removes bytes and row.
    """

    __tablename__ = "blob"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    sha1: Mapped[str] = mapped_column(String(40))
    md5: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
    unused_since: Mapped[datetime | None]
