"""What hangs on a case: files, findings, work, fields, statuses, templates, tags; the bell

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-21 13:40:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None

STATUSES = (
    ("New", "New", "New", "#64748b"),
    ("InProgress", "InProgress", "In progress", "#2563eb"),
    ("TruePositive", "Closed", "True positive", "#15803d"),
    ("FalsePositive", "Closed", "False positive", "#15803d"),
    ("Indeterminate", "Closed", "Indeterminate", "#15803d"),
    ("Other", "Closed", "Other", "#15803d"),
    ("Duplicated", "Closed", "Duplicated", "#15803d"),
)
TYPES = (
    *("autonomous-system", "domain", "file", "filename", "fqdn", "hash", "hostname", "ip", "mail", "mail-subject", "other", "phone"),
    *("regexp", "registry", "uri_path", "url", "user-agent"),
)


def upgrade() -> None:
    """Upgrade schema. Columns are added and dropped in place, see 0002."""
    op.create_index("ix_user_account_type", "user_account", ["type", "search_text", "id"], unique=False)
    op.create_table(
        "blob",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sha1", sa.String(length=40), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unused_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blob")),
        sa.UniqueConstraint("sha256", name=op.f("uq_blob_sha256")),
    )
    op.create_table(
        "case_status",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.Enum("New", "InProgress", "Closed", name="stage", native_enum=False, length=16), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("built_in", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_status")),
        sa.UniqueConstraint("value", name=op.f("uq_case_status_value")),
    )
    op.create_table(
        "custom_field",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("group_name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "type",
            sa.Enum("string", "integer", "float", "boolean", "date", "url", name="fieldtype", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("mandatory", sa.Boolean(), nullable=False),
        sa.Column("shown_outside", sa.Boolean(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
        sa.UniqueConstraint("name", name=op.f("uq_custom_field_name")),
    )
    op.create_table(
        "observable_type",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("is_file", sa.Boolean(), nullable=False),
        sa.Column("built_in", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observable_type")),
        sa.UniqueConstraint("name", name=op.f("uq_observable_type_name")),
    )
    op.create_table(
        "case_template",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("title_prefix", sa.String(length=128), nullable=False),
        sa.Column("case_description", sa.Text(), nullable=False),
        sa.Column("severity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tlp", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pap", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("tasks", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_case_template_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_template")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_case_template_organisation_id_name")),
    )
    op.create_table(
        "case_tag",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tag", sa.String(length=128).with_variant(sa.String(length=128, collation="C"), "postgresql"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_case_tag_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_case_tag_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_tag")),
        sa.UniqueConstraint("case_id", "tag", name=op.f("uq_case_tag_case_id_tag")),
    )
    op.create_index("ix_case_tag_organisation_id", "case_tag", ["organisation_id", "tag", "case_id"], unique=False)
    op.create_table(
        "custom_value",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("value", sa.String(length=1024), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_custom_value_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["field_id"], ["custom_field.id"], name=op.f("fk_custom_value_field_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_value")),
        sa.UniqueConstraint("case_id", "field_id", "position", name=op.f("uq_custom_value_case_id_field_id_position")),
    )
    op.create_index("ix_custom_value_field_id", "custom_value", ["field_id", "value", "case_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "reason", sa.Enum("assigned", "task", "external_reply", "reported", name="reason", native_enum=False, length=16), nullable=False
        ),
        sa.Column("actor_name", sa.String(length=128), nullable=False),
        sa.Column("actor_external", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_notice_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_notice_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_case_id"), "notice", ["case_id"], unique=False)
    op.create_index("ix_notice_user_id", "notice", ["user_id", "read_at", "id"], unique=False)
    op.create_table(
        "observable",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("value_key", sa.String(length=64), nullable=False),
        sa.Column("blob_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("content_type", sa.String(length=128), nullable=True),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("message_html", sa.Text(), nullable=False),
        sa.Column("tlp", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pap", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("ioc", sa.Boolean(), nullable=False),
        sa.Column("sighted", sa.Boolean(), nullable=False),
        sa.Column("sighted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ignore_similarity", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_name", sa.String(length=128), nullable=False),
        sa.Column("author_external", sa.Boolean(), nullable=False),
        sa.Column("outside_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user_account.id"], name=op.f("fk_observable_author_id")),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.id"], name=op.f("fk_observable_blob_id")),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_observable_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_observable_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observable")),
        sa.UniqueConstraint("case_id", "value_key", "author_external", name=op.f("uq_observable_case_id_value_key_author_external")),
        sa.UniqueConstraint("uid", name=op.f("uq_observable_uid")),
    )
    op.create_index(op.f("ix_observable_author_id"), "observable", ["author_id"], unique=False)
    op.create_index(op.f("ix_observable_blob_id"), "observable", ["blob_id"], unique=False)
    op.create_index("ix_observable_case_id", "observable", ["case_id", "created_at"], unique=False)
    op.create_index("ix_observable_type", "observable", ["type"], unique=False)
    op.create_index("ix_observable_value_key", "observable", ["organisation_id", "value_key", "case_id"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=128), nullable=False),
        sa.Column("group_name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("description_html", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("Waiting", "InProgress", "Completed", "Cancelled", name="taskstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("mandatory", sa.Boolean(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("assignee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_name", sa.String(length=128), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["assignee_id"], ["user_account.id"], name=op.f("fk_task_assignee_id")),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_task_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("uid", name=op.f("uq_task_uid")),
    )
    op.create_index("ix_task_assignee_id", "task", ["assignee_id", "status", "due_at"], unique=False)
    op.create_index("ix_task_case_id", "task", ["case_id", "position", "id"], unique=False)
    op.create_table(
        "comment_revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("message_html", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_comment_revision_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name=op.f("fk_comment_revision_comment_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_revision")),
    )
    op.create_index(op.f("ix_comment_revision_case_id"), "comment_revision", ["case_id"], unique=False)
    op.create_index(op.f("ix_comment_revision_comment_id"), "comment_revision", ["comment_id"], unique=False)
    op.create_table(
        "task_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_name", sa.String(length=128), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("message_html", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["user_account.id"], name=op.f("fk_task_log_author_id")),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_task_log_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_log_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_log")),
        sa.UniqueConstraint("uid", name=op.f("uq_task_log_uid")),
    )
    op.create_index(op.f("ix_task_log_case_id"), "task_log", ["case_id"], unique=False)
    op.create_index("ix_task_log_task_id", "task_log", ["task_id", "created_at"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("blob_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=128), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_name", sa.String(length=128), nullable=False),
        sa.Column("author_external", sa.Boolean(), nullable=False),
        sa.Column("outside_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("log_id IS NULL OR NOT external", name=op.f("ck_attachment_logs_stay_inside")),
        sa.ForeignKeyConstraint(["author_id"], ["user_account.id"], name=op.f("fk_attachment_author_id")),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.id"], name=op.f("fk_attachment_blob_id")),
        sa.ForeignKeyConstraint(["case_id"], ["incident_case.id"], name=op.f("fk_attachment_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["log_id"], ["task_log.id"], name=op.f("fk_attachment_log_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("uid", name=op.f("uq_attachment_uid")),
    )
    op.create_index(op.f("ix_attachment_author_id"), "attachment", ["author_id"], unique=False)
    op.create_index(op.f("ix_attachment_blob_id"), "attachment", ["blob_id"], unique=False)
    op.create_index("ix_attachment_case_id", "attachment", ["case_id", "created_at"], unique=False)
    op.create_index(op.f("ix_attachment_log_id"), "attachment", ["log_id"], unique=False)
    op.add_column("incident_case", sa.Column("flagged", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("incident_case", sa.Column("reported_outside", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("incident_case", sa.Column("shared_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incident_case", sa.Column("ending_told", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_audit_entry_actor_id", "audit_entry", ["actor_id", "at"], unique=False)
    op.create_index("ix_incident_case_shared_until", "incident_case", ["shared_until"], unique=False)
    op.add_column("comment", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("comment", sa.Column("removed_by_name", sa.String(length=128), nullable=True))
    op.add_column("login_session", sa.Column("viewed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
    _fill()


def _fill() -> None:
    """What there is from the start, and the tags of the cases there are."""
    connection = op.get_bind()
    names = ("case_status", "observable_type", "incident_case", "case_tag")
    tables = sa.MetaData()
    tables.reflect(connection, only=names)
    status, kind, case, tag = (tables.tables[name] for name in names)
    for position, (value, stage, label, colour) in enumerate(STATUSES):
        row = {"value": value, "stage": stage, "label": label, "colour": colour, "position": position}
        connection.execute(sa.insert(status).values(**row, description="", hidden=False, built_in=True, version=1))
    for name in TYPES:
        connection.execute(sa.insert(kind).values(name=name, is_file=name == "file", built_in=True))
    for case_id, organisation_id, tags in connection.execute(sa.select(case.c.id, case.c.organisation_id, case.c.tags)).all():
        for word in dict.fromkeys(tags or []):
            connection.execute(sa.insert(tag).values(case_id=case_id, organisation_id=organisation_id, tag=word))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_user_account_type", table_name="user_account")
    op.drop_column("login_session", "viewed_by_id")
    op.drop_column("comment", "removed_by_name")
    op.drop_column("comment", "removed_at")
    op.drop_index("ix_incident_case_shared_until", table_name="incident_case")
    op.drop_index("ix_audit_entry_actor_id", table_name="audit_entry")
    op.drop_column("incident_case", "ending_told")
    op.drop_column("incident_case", "shared_until")
    op.drop_column("incident_case", "reported_outside")
    op.drop_column("incident_case", "flagged")
    op.drop_index(op.f("ix_attachment_log_id"), table_name="attachment")
    op.drop_index("ix_attachment_case_id", table_name="attachment")
    op.drop_index(op.f("ix_attachment_blob_id"), table_name="attachment")
    op.drop_index(op.f("ix_attachment_author_id"), table_name="attachment")
    op.drop_table("attachment")
    op.drop_index("ix_task_log_task_id", table_name="task_log")
    op.drop_index(op.f("ix_task_log_case_id"), table_name="task_log")
    op.drop_table("task_log")
    op.drop_index(op.f("ix_comment_revision_comment_id"), table_name="comment_revision")
    op.drop_index(op.f("ix_comment_revision_case_id"), table_name="comment_revision")
    op.drop_table("comment_revision")
    op.drop_index("ix_task_case_id", table_name="task")
    op.drop_index("ix_task_assignee_id", table_name="task")
    op.drop_table("task")
    op.drop_index("ix_observable_type", table_name="observable")
    op.drop_index("ix_observable_value_key", table_name="observable")
    op.drop_index("ix_observable_case_id", table_name="observable")
    op.drop_index(op.f("ix_observable_blob_id"), table_name="observable")
    op.drop_index(op.f("ix_observable_author_id"), table_name="observable")
    op.drop_table("observable")
    op.drop_index("ix_notice_user_id", table_name="notice")
    op.drop_index(op.f("ix_notice_case_id"), table_name="notice")
    op.drop_table("notice")
    op.drop_index("ix_custom_value_field_id", table_name="custom_value")
    op.drop_table("custom_value")
    op.drop_index("ix_case_tag_organisation_id", table_name="case_tag")
    op.drop_table("case_tag")
    op.drop_table("case_template")
    op.drop_table("observable_type")
    op.drop_table("custom_field")
    op.drop_table("case_status")
    op.drop_table("blob")
