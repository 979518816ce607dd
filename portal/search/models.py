"""What is written on a case once more, in the shape the database can search: all of it, and apart from that what can go outside."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Model

# The key of a part is its case's key and its place, so that walking the index backwards meets the newest cases first.
PARTS = 1024
ALONE = "field_id IS NULL"


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


class SharedText(Model):
    """What of a case could be read outside, and nothing else, so that a search from there never touches the rest.

    Each text is a line of folded words with a space on both sides. One row a case, and one for each custom field with a value on it:
    whether that is shown outside is asked when somebody searches. Written by `search.shared` alone.
    """

    __tablename__ = "shared_text"
    # One row of each kind, whoever writes at the same time: a second one would stay as it is for ever.
    __table_args__ = (
        Index(
            "ix_shared_text_case", "case_id", unique=True, postgresql_where=text("field_id IS NULL"), sqlite_where=text("field_id IS NULL")
        ),
        Index("ix_shared_text_value", "case_id", "field_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"))
    field_id: Mapped[int | None] = mapped_column(ForeignKey("custom_field.id", ondelete="CASCADE"), index=True)
    body: Mapped[str] = mapped_column(Text)
