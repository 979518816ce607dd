"""Who closed it: what was done to one account is looked up in the audit, however long that has become

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-22 01:45:00.000000

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0009"
down_revision: str | Sequence[str] | None = "0008"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_index("ix_audit_entry_object_id", "audit_entry", ["object_id", "kind", "id"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_audit_entry_object_id", table_name="audit_entry")
