"""People and settings

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-21 10:12:15.356464

"""

import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema. Columns are added and dropped in place: a batch would copy the table and drop the old one, which holds what others
    refer to."""
    op.create_table(
        "setting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting")),
        sa.UniqueConstraint("name", name=op.f("uq_setting_name")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("start", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_name", sa.String(length=128), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_api_key_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
        sa.UniqueConstraint("user_id", name=op.f("uq_api_key_user_id")),
    )
    op.create_table(
        "challenge",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("face", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_challenge_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_challenge_key_hash")),
    )
    op.create_index("ix_challenge_expires_at", "challenge", ["expires_at"], unique=False)
    op.create_index("ix_challenge_user_id", "challenge", ["user_id"], unique=False)

    op.create_table(
        "passkey",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_passkey_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index("ix_passkey_user_id", "passkey", ["user_id"], unique=False)

    op.create_table(
        "picture",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_picture_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_picture_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_picture_organisation_id")),
        sa.UniqueConstraint("user_id", name=op.f("uq_picture_user_id")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"], unique=False)

    op.create_table(
        "totp",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret", sa.String(length=400), nullable=False),
        sa.Column("last_counter", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_totp_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totp")),
        sa.UniqueConstraint("user_id", name=op.f("uq_totp_user_id")),
    )
    op.create_index("ix_attempt_at", "attempt", ["at"], unique=False)

    op.create_index("ix_comment_author_id", "comment", ["author_id", "created_at"], unique=False)

    op.create_index("ix_outbox_message_link_id", "outbox_message", ["link_id"], unique=False)

    op.add_column("login_session", sa.Column("mfa_at", sa.DateTime(timezone=True), nullable=True))

    op.create_index("ix_membership_profile_profile_id", "membership_profile", ["profile_id"], unique=False)

    op.add_column("one_time_link", sa.Column("email", sa.String(length=128), nullable=True))

    op.add_column("organisation", sa.Column("description", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("organisation", sa.Column("picture", sa.String(length=16), nullable=False, server_default=sa.text("''")))
    op.add_column(
        "organisation", sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, server_default="1")
    )

    op.add_column("profile", sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, server_default="1"))

    op.add_column("user_account", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("user_account", sa.Column("search_text", sa.String(length=260), nullable=False, server_default=sa.text("''")))
    op.add_column("user_account", sa.Column("mfa", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("user_account", sa.Column("language", sa.String(length=8), nullable=False, server_default=sa.text("''")))
    op.add_column("user_account", sa.Column("time_zone", sa.String(length=64), nullable=False, server_default=sa.text("''")))
    op.add_column("user_account", sa.Column("picture", sa.String(length=16), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_user_account_last_sign_in_at", "user_account", ["last_sign_in_at", "id"], unique=False)
    op.create_index("ix_user_account_search_text", "user_account", ["search_text", "id"], unique=False)

    _fill_search_text()


def _fill_search_text() -> None:
    """What the search box looks at, for the people who are there already."""
    connection = op.get_bind()
    user = sa.table("user_account", *(sa.column(name) for name in ("id", "name", "email", "search_text")))
    for row in connection.execute(sa.select(user.c.id, user.c.name, user.c.email)).all():
        plain = (c for c in unicodedata.normalize("NFKD", f"{row.name} {row.email}") if not unicodedata.combining(c))
        text = "".join(plain).casefold()[:260]
        connection.execute(sa.update(user).where(user.c.id == row.id).values(search_text=text))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_user_account_search_text", table_name="user_account")
    op.drop_index("ix_user_account_last_sign_in_at", table_name="user_account")
    op.drop_column("user_account", "picture")
    op.drop_column("user_account", "time_zone")
    op.drop_column("user_account", "language")
    op.drop_column("user_account", "mfa")
    op.drop_column("user_account", "search_text")
    op.drop_column("user_account", "deleted_at")

    op.drop_column("profile", "version")

    op.drop_column("organisation", "version")
    op.drop_column("organisation", "picture")
    op.drop_column("organisation", "description")

    op.drop_column("one_time_link", "email")

    op.drop_index("ix_membership_profile_profile_id", table_name="membership_profile")

    op.drop_column("login_session", "mfa_at")

    op.drop_index("ix_outbox_message_link_id", table_name="outbox_message")

    op.drop_index("ix_comment_author_id", table_name="comment")

    op.drop_index("ix_attempt_at", table_name="attempt")

    op.drop_table("totp")
    op.drop_index("ix_recovery_code_user_id", table_name="recovery_code")

    op.drop_table("recovery_code")
    op.drop_table("picture")
    op.drop_index("ix_passkey_user_id", table_name="passkey")

    op.drop_table("passkey")
    op.drop_index("ix_challenge_user_id", table_name="challenge")
    op.drop_index("ix_challenge_expires_at", table_name="challenge")

    op.drop_table("challenge")
    op.drop_table("api_key")
    op.drop_table("setting")
