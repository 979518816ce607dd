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
    op.add_column("incident_case", sa.Column("summary", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("incident_case", sa.Column("summary_html", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("incident_case", sa.Column("impact", impact, nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("incident_case", "impact")
    op.drop_column("incident_case", "summary_html")
    op.drop_column("incident_case", "summary")
