"""Readers outside: what they have read, mute, begin; which letters they want

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-21 14:12:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _kept_by_a_person(name: str, *more: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        *more,
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f(f"fk_{name}_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f(f"fk_{name}_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("user_id", "case_id", name=op.f(f"uq_{name}_user_id_case_id")),
    )
    op.create_index(op.f(f"ix_{name}_case_id"), name, ["case_id"])


def _shared_text() -> None:
    op.create_table(
        "shared_text",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("field_id", KEY, nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_shared_text_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["field_id"], ["custom_field.id"], name=op.f("fk_shared_text_field_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_text")),
    )
    alone = sa.text("field_id IS NULL")
    op.create_index("ix_shared_text_case", "shared_text", ["case_id"], unique=True, postgresql_where=alone, sqlite_where=alone)
    op.create_index("ix_shared_text_value", "shared_text", ["case_id", "field_id"], unique=True)
    op.create_index(op.f("ix_shared_text_field_id"), "shared_text", ["field_id"])


def upgrade() -> None:
    """Upgrade schema. Columns are added and dropped in place, see 0002."""
    _kept_by_a_person("read_mark", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False))
    _kept_by_a_person("mute")
    op.create_table(
        "draft",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_draft_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_draft_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("user_id", "organisation_id", "purpose", name=op.f("uq_draft_user_id_organisation_id_purpose")),
    )
    _shared_text()
    op.add_column("user_account", sa.Column("unwanted", sa.String(length=200), nullable=False, server_default=sa.text("''")))
    op.add_column("organisation", sa.Column("titles_in_mail", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_outbox_message_to_user_id", "outbox_message", ["to_user_id", "state"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_outbox_message_to_user_id", "outbox_message")
    op.drop_column("organisation", "titles_in_mail")
    op.drop_column("user_account", "unwanted")
    for name in ("shared_text", "draft", "mute", "read_mark"):
        op.drop_table(name)
