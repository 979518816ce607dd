"""External organisations: contacts, addresses, agreements, open roles, portal administrators, cases shared with them

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-21 20:30:00.000000

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "0008"
down_revision: str | Sequence[str] | None = "0007"
branch_labels: str | Sequence[str] | None = ()
depends_on: str | Sequence[str] | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("case_party", "agreement_contact", "agreement", "party_address", "contact_email", "contact", "party_profile")


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), server_default=sa.text("''"), nullable=False)


def _number(name: str, default: str) -> sa.Column[int]:
    return sa.Column(name, KEY, server_default=default, nullable=False)


def _word(name: str, *words: str) -> sa.Column[str]:
    return sa.Column(name, sa.Enum(*words, native_enum=False, length=16), nullable=False)


def _to(table: str, column: str, target: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete="CASCADE" if cascade else None)


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    key = sa.Column("id", KEY, nullable=False)
    op.create_table(name, key, *parts, sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")))


def _pairs(name: str, one: str, other: str, target: str) -> None:
    op.create_table(
        name,
        sa.Column(one, KEY, nullable=False),
        sa.Column(other, KEY, nullable=False),
        _to(name, one, one.removesuffix("_id"), cascade=True),
        _to(name, other, target, cascade=True),
        sa.PrimaryKeyConstraint(one, other, name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_{other}"), name, [other])


def _party() -> sa.Column[int]:
    return sa.Column("party_id", KEY, nullable=False)


def _contacts() -> None:
    _table(
        "contact",
        _party(),
        sa.Column("name", sa.String(128), nullable=False),
        _text("phone", 64),
        _text("job_title", 128),
        sa.Column("confirmed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _number("version", "1"),
        _to("contact", "party_id", "party", cascade=True),
    )
    op.create_index("ix_contact_party_id", "contact", ["party_id", "name"])
    _table(
        "contact_email",
        sa.Column("contact_id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=False),
        sa.Column("email", sa.String(128), nullable=False),
        _number("position", "0"),
        _to("contact_email", "contact_id", "contact", cascade=True),
        _to("contact_email", "organisation_id", "organisation"),
        sa.UniqueConstraint("organisation_id", "email", name=op.f("uq_contact_email_organisation_id_email")),
    )
    op.create_index("ix_contact_email_contact_id", "contact_email", ["contact_id", "position"])
    _table(
        "party_address",
        _party(),
        _word("kind", "actual", "legal", "shipping"),
        *(_text(name, length) for name, length in (("street", 200), ("city", 128), ("region", 128), ("postal_code", 32), ("country", 64))),
        _number("position", "0"),
        _to("party_address", "party_id", "party", cascade=True),
    )
    op.create_index("ix_party_address_party_id", "party_address", ["party_id", "position"])


def _agreements() -> None:
    _table(
        "agreement",
        _party(),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        _word("status", "draft", "active", "ended"),
        sa.Column("starts_on", sa.Date()),
        sa.Column("ends_on", sa.Date()),
        _text("hours", 300),
        sa.Column("times", sa.JSON(), nullable=False),
        _text("document_name", 255),
        sa.Column("document_id", KEY),
        _number("version", "1"),
        _to("agreement", "party_id", "party", cascade=True),
        _to("agreement", "document_id", "blob"),
        sa.UniqueConstraint("party_id", "number", name=op.f("uq_agreement_party_id_number")),
    )
    op.create_index(op.f("ix_agreement_document_id"), "agreement", ["document_id"])
    _pairs("agreement_contact", "agreement_id", "contact_id", "contact")


def _grants() -> None:
    op.create_table(
        "case_party",
        sa.Column("case_id", KEY, nullable=False),
        _party(),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by_id", KEY),
        _to("case_party", "case_id", "incident_case", cascade=True),
        _to("case_party", "party_id", "party", cascade=True),
        _to("case_party", "granted_by_id", "user_account"),
        sa.PrimaryKeyConstraint("case_id", "party_id", name=op.f("pk_case_party")),
    )
    op.create_index("ix_case_party_party_id", "case_party", ["party_id", "case_id"])


def upgrade() -> None:
    """Upgrade schema. Columns are added and dropped in place, see 0002."""
    for column in (_text("own_name", 128), _text("phone", 64), _text("domains"), _text("notes")):
        op.add_column("party", column)
    op.add_column("party", sa.Column("cap", KEY))
    op.add_column("party", sa.Column("primary_contact_id", KEY))
    op.add_column("party", _number("version", "1"))
    op.add_column("organisation", sa.Column("people_told_at", sa.DateTime(timezone=True)))
    op.add_column("one_time_link", sa.Column("reminded_at", sa.DateTime(timezone=True)))
    op.create_index("ix_one_time_link_created_by_id", "one_time_link", ["created_by_id", "created_at"])
    op.add_column("membership", sa.Column("portal_admin", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("membership", sa.Column("contact_id", KEY))
    op.create_index("ix_membership_party_id", "membership", ["party_id"])
    op.create_index("uq_membership_contact_id", "membership", ["contact_id"], unique=True)
    _pairs("party_profile", "party_id", "profile_id", "profile")
    _contacts()
    _agreements()
    _grants()
    _fill()


def _fill() -> None:
    """Whoever works for an external organisation already becomes a contact of it, and the roles they hold are open to it."""
    bind = op.get_bind()
    opened = "INSERT INTO party_profile (party_id, profile_id) SELECT DISTINCT m.party_id, p.profile_id FROM membership m"
    bind.execute(sa.text(f"{opened} JOIN membership_profile p ON p.membership_id = m.id WHERE m.party_id IS NOT NULL"))
    contact = sa.table("contact", *map(sa.column, ("id", "party_id", "name", "confirmed", "created_at")))
    email = sa.table("contact_email", *map(sa.column, ("contact_id", "organisation_id", "email")))
    membership = sa.table("membership", sa.column("id"), sa.column("contact_id"))
    people = "SELECT m.id, m.party_id, m.organisation_id, u.name, u.email, u.created_at FROM membership m"
    wanted = sa.text(f"{people} JOIN user_account u ON u.id = m.user_id WHERE m.party_id IS NOT NULL ORDER BY m.id")
    for number, row in enumerate(bind.execute(wanted).all(), 1):
        bind.execute(contact.insert().values(id=number, party_id=row.party_id, name=row.name, confirmed=True, created_at=row.created_at))
        bind.execute(email.insert().values(contact_id=number, organisation_id=row.organisation_id, email=row.email))
        bind.execute(membership.update().where(membership.c.id == row.id).values(contact_id=number))
    if bind.dialect.name == "postgresql":
        bind.execute(
            sa.text("SELECT setval(pg_get_serial_sequence('contact', 'id'), COALESCE((SELECT max(id) FROM contact), 0) + 1, false)")
        )


def downgrade() -> None:
    """Downgrade schema."""
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("uq_membership_contact_id", "membership")
    op.drop_index("ix_membership_party_id", "membership")
    op.drop_column("membership", "contact_id")
    op.drop_column("membership", "portal_admin")
    op.drop_index("ix_one_time_link_created_by_id", "one_time_link")
    op.drop_column("one_time_link", "reminded_at")
    op.drop_column("organisation", "people_told_at")
    for column in ("version", "primary_contact_id", "cap", "notes", "domains", "phone", "own_name"):
        op.drop_column("party", column)
