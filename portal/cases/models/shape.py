"""What a platform adds to a case: statuses, custom fields and their values, tags to search by, templates."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ...clock import now
from ...extensions import Model, words
from .case import Stage


class Status(Model):
    """A status a case can have. Value and stage are fixed at birth; a hidden one stays on cases but cannot be picked."""

    __tablename__ = "case_status"

    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(String(64), unique=True)
    stage: Mapped[Stage] = mapped_column(words(Stage))
    label: Mapped[str] = mapped_column(String(64))
    colour: Mapped[str] = mapped_column(String(7), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    hidden: Mapped[bool] = mapped_column(default=False)
    built_in: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)


class FieldType(StrEnum):
    """What a custom field holds."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    URL = "url"


class CustomField(Model):
    """A field of the platform's own. `shown_outside`: whether the portal shows its values on shared cases; off until somebody decides."""

    __tablename__ = "custom_field"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(64))
    group: Mapped[str] = mapped_column("group_name", String(64), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    type: Mapped[FieldType] = mapped_column(words(FieldType))
    options: Mapped[list[str]] = mapped_column(JSON, default=list)
    mandatory: Mapped[bool] = mapped_column(default=False)
    shown_outside: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)


class CustomValue(Model):
    """A value of a custom field on a case, written the one way its type allows (dates as 2026-11-21, yes and no, plain numbers)."""

    __tablename__ = "custom_value"
    __table_args__ = (
        UniqueConstraint("case_id", "field_id", "position"),
        Index("ix_custom_value_field_id", "field_id", "value", "case_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"))
    field_id: Mapped[int] = mapped_column(ForeignKey("custom_field.id"))
    position: Mapped[int] = mapped_column(default=0)
    value: Mapped[str] = mapped_column(String(1024))


class CaseTag(Model):
    """A case's tag once more, to find cases by and to suggest; `cases.tags` writes both together."""

    __tablename__ = "case_tag"
    __table_args__ = (UniqueConstraint("case_id", "tag"), Index("ix_case_tag_organisation_id", "organisation_id", "tag", "case_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("incident_case.id", ondelete="CASCADE"))
    # By code points on both databases, so that what begins alike stands together in the index.
    tag: Mapped[str] = mapped_column(String(128).with_variant(String(128, collation="C"), "postgresql"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))


class CaseTemplate(Model):
    """What a new case of a kind begins with. `tasks`: dicts of title, group, description, mandatory; `fields`: name -> value as text."""

    __tablename__ = "case_template"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(Text, default="")
    title_prefix: Mapped[str] = mapped_column(String(128), default="")
    case_description: Mapped[str] = mapped_column(Text, default="")
    severity: Mapped[int] = mapped_column(default=2)
    tlp: Mapped[int] = mapped_column(default=2)
    pap: Mapped[int] = mapped_column(default=2)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    tasks: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    fields: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)
