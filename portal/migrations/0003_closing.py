"""Closing: what came of a case

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21 10:58:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    impact = sa.Enum("NotApplicable", "WithImpact", "NoImpact", name="impact", native_enum=False, length=16)
    with op.batch_alter_table("incident_case", schema=None) as batch_op:
        batch_op.add_column(sa.Column("summary", sa.Text(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("summary_html", sa.Text(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column("impact", impact, nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    with op.batch_alter_table("incident_case", schema=None) as batch_op:
        batch_op.drop_column("impact")
        batch_op.drop_column("summary_html")
        batch_op.drop_column("summary")
