"""Finding cases: the text index and the indexes the list's filters and orders run on

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-21 13:55:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None

# The table SQLite searches in; it holds words only, the texts stay in search_text.
SEARCH_INDEX = """
CREATE VIRTUAL TABLE search_index USING fts5(
  body, content='search_text', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3 4'
)
"""
TRIGGERS = (
    """
    CREATE TRIGGER search_text_added AFTER INSERT ON search_text BEGIN
      INSERT INTO search_index(rowid, body) VALUES (new.id, new.body);
    END
    """,
    """
    CREATE TRIGGER search_text_removed AFTER DELETE ON search_text BEGIN
      INSERT INTO search_index(search_index, rowid, body) VALUES ('delete', old.id, old.body);
    END
    """,
    """
    CREATE TRIGGER search_text_changed AFTER UPDATE ON search_text BEGIN
      INSERT INTO search_index(search_index, rowid, body) VALUES ('delete', old.id, old.body);
      INSERT INTO search_index(rowid, body) VALUES (new.id, new.body);
    END
    """,
)
# For each filter alone with the usual order, which begins with what is flagged; and for each column the list can be ordered by.
# What decides whether a colleague sees a case stands in each of them; in that of whose it is, what is asked of one's own besides.
SEEN = ("access", "assignee_id")
BESIDES = {"access": ("assignee_id",), "assignee_id": ("stage", "severity", "access", "status", "tlp", "created_at")}
FILTERS = ("stage", "status", "severity", "assignee_id", "tlp", "access")
ORDERS = ("severity", "number", "title", "status", "start_date", "created_at", "closed_at")


def upgrade() -> None:
    """Upgrade schema; the texts there are come in when the program starts, see portal/upgrade.py."""
    op.create_table(
        "search_text",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_search_text_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_text")),
    )
    op.create_index(op.f("ix_search_text_case_id"), "search_text", ["case_id"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_search_text_words", "search_text", ["words"], unique=False, postgresql_using="gin")
    else:
        for statement in (SEARCH_INDEX, *TRIGGERS):
            op.execute(statement)
    op.create_index("ix_incident_case_usual", "incident_case", ["organisation_id", "flagged", "updated_at", "id", *SEEN])
    for name in FILTERS:
        besides = BESIDES.get(name, SEEN)
        op.create_index(f"ix_incident_case_by_{name}", "incident_case", ["organisation_id", name, "flagged", "updated_at", "id", *besides])
    for name in ORDERS:
        op.create_index(f"ix_incident_case_order_{name}", "incident_case", ["organisation_id", name, "id", *SEEN])
    op.create_index(
        "ix_incident_case_reported",
        "incident_case",
        ["organisation_id", "flagged", "updated_at", "id"],
        postgresql_where=sa.text("reported_outside"),
        sqlite_where=sa.text("reported_outside = 1"),
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_incident_case_reported", table_name="incident_case")
    for name in reversed(ORDERS):
        op.drop_index(f"ix_incident_case_order_{name}", table_name="incident_case")
    for name in reversed(FILTERS):
        op.drop_index(f"ix_incident_case_by_{name}", table_name="incident_case")
    op.drop_index("ix_incident_case_usual", table_name="incident_case")
    if op.get_bind().dialect.name != "postgresql":
        op.execute("DROP TABLE search_index")
    op.drop_table("search_text")
