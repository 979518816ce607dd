"""Counting: the indexes of the usual order and of the last change hold what tells which cases are counted, so that none is opened

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-22 07:20:00.000000

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0011"
down_revision: str | Sequence[str] | None = "0010"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None

SEEN = ("access", "assignee_id")
COLUMNS = {"console": ("organisation_id", "updated_at", "id"), "usual": ("organisation_id", "flagged", "updated_at", "id", *SEEN)}
ADDED = {"console": SEEN, "usual": ("shared_until",)}


def upgrade() -> None:
    """Upgrade schema."""
    for name, columns in COLUMNS.items():
        op.drop_index(f"ix_incident_case_{name}", table_name="incident_case")
        op.create_index(f"ix_incident_case_{name}", "incident_case", [*columns, *ADDED[name]])


def downgrade() -> None:
    """Downgrade schema."""
    for name, columns in COLUMNS.items():
        op.drop_index(f"ix_incident_case_{name}", table_name="incident_case")
        op.create_index(f"ix_incident_case_{name}", "incident_case", list(columns))
