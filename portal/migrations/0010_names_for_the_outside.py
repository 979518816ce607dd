"""Names for the outside: accounts and service agreements are not named by their number there, nor are mailed links

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-22 07:05:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0010"
down_revision: str | Sequence[str] | None = "0009"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None

TABLES = ("user_account", "agreement")
# Sixteen random characters for each row that is there.
RANDOM = {"sqlite": "lower(hex(randomblob(8)))", "postgresql": "left(md5(gen_random_uuid()::text), 16)"}


def upgrade() -> None:
    """Upgrade schema. Columns are added and dropped in place, see 0002."""
    for table in TABLES:
        op.add_column(table, sa.Column("uid", sa.String(length=32), nullable=False, server_default=sa.text("''")))
        op.execute(sa.table(table, sa.column("uid")).update().values(uid=sa.text(RANDOM[op.get_bind().dialect.name])))
        op.create_index(f"uq_{table}_uid", table, ["uid"], unique=True)
    op.create_index("ix_one_time_link_nonce_hash", "one_time_link", ["nonce_hash"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_one_time_link_nonce_hash", table_name="one_time_link")
    for table in reversed(TABLES):
        op.drop_index(f"uq_{table}_uid", table_name=table)
        op.drop_column(table, "uid")
