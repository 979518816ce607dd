"""Languages: what the browser of somebody outside asks for, so that their letters speak it

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-21 20:08:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0007"
down_revision: str | Sequence[str] | None = "0006"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema. Columns are added and dropped in place, see 0002."""
    op.add_column("user_account", sa.Column("browser_language", sa.String(length=8), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("user_account", "browser_language")
