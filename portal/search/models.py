"""SearchText: what is written on a case once more, in the shape the database can search."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Model

# The key of a part is its case's key and its place, so that walking the index backwards meets the newest cases first.
PARTS = 1024


class SearchText(Model):
    """A part of what is written on a case; most cases have one. Written by `search.index` alone.

    `body`: the texts as they were written, each behind the sign of its source. `words`: for PostgreSQL, the folded words with their
    places; SQLite keeps an index of its own over `body`, the table search_index, which triggers of the migration keep in step.
    """

    __tablename__ = "search_text"
    __table_args__ = (Index("ix_search_text_words", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"), index=True)
    body: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(TSVECTOR().with_variant(Text(), "sqlite"), default="")
