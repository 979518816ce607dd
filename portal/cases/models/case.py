"""Case: one incident under investigation."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from ...clock import now
from ...extensions import Model, words
from ...sharing.models import SHARED, Access, in_force


class Stage(StrEnum):
    """Where a case stands; every status belongs to one stage."""

    NEW = "New"
    IN_PROGRESS = "InProgress"
    CLOSED = "Closed"


STATUSES: dict[str, Stage] = {
    "New": Stage.NEW,
    "InProgress": Stage.IN_PROGRESS,
    "TruePositive": Stage.CLOSED,
    "FalsePositive": Stage.CLOSED,
    "Indeterminate": Stage.CLOSED,
    "Other": Stage.CLOSED,
    "Duplicated": Stage.CLOSED,
}


class Impact(StrEnum):
    """What the incident did, as told when the case is closed."""

    NOT_APPLICABLE = "NotApplicable"
    WITH_IMPACT = "WithImpact"
    NO_IMPACT = "NoImpact"


USUAL = ("organisation_id", "flagged", "updated_at", "id")
FILTERED = ("stage", "status", "severity", "assignee_id", "tlp", "access")
# What decides whether a colleague sees a case stands at the end of each index, so that counting opens no case; and in that of whose
# it is what people ask of their own cases besides, so that a few among many are found without opening each.
SEEN = ("access", "assignee_id")
BESIDES = {"access": ("assignee_id",), "assignee_id": ("stage", "severity", "access", "status", "tlp", "created_at")}
ORDERED = ("severity", "number", "title", "status", "start_date", "created_at", "closed_at")


class Case(Model):
    """Severity 1-4, TLP 0-4, PAP 0-3 as in behaviour.md 1.1. `number` is unique over the installation.

    `updated_at` moves with every change and is for colleagues; `outside_at` moves only with what outsiders can see,
    so that the portal's order and dates tell nothing of internal work. `details_at` is the part of it owed to the case itself.
    """

    __tablename__ = "incident_case"
    __table_args__ = (
        Index("ix_incident_case_console", "organisation_id", "updated_at", "id", *SEEN),
        Index("ix_incident_case_shared_until", "shared_until"),
        Index("ix_incident_case_portal", "organisation_id", "access", "outside_at", "id"),
        # The console's list: its usual order alone, behind each filter, and each order of its own.
        Index("ix_incident_case_usual", *USUAL, *SEEN, "shared_until"),
        *(Index(f"ix_incident_case_by_{name}", USUAL[0], name, *USUAL[1:], *BESIDES.get(name, SEEN)) for name in FILTERED),
        *(Index(f"ix_incident_case_order_{name}", "organisation_id", name, "id", *SEEN) for name in ORDERED),
        Index("ix_incident_case_reported", *USUAL, postgresql_where=text("reported_outside"), sqlite_where=text("reported_outside = 1")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    title: Mapped[str] = mapped_column(String(512))
    description: Mapped[str] = mapped_column(Text)
    description_html: Mapped[str] = mapped_column(Text)
    severity: Mapped[int] = mapped_column(default=2)
    tlp: Mapped[int] = mapped_column(default=2)
    pap: Mapped[int] = mapped_column(default=2)
    status: Mapped[str] = mapped_column(String(64), default="New")
    stage: Mapped[Stage] = mapped_column(words(Stage), default=Stage.NEW)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    start_date: Mapped[datetime] = mapped_column(default=now)
    end_date: Mapped[datetime | None]
    new_at: Mapped[datetime | None]
    in_progress_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_by_name: Mapped[str] = mapped_column(String(128))
    updated_at: Mapped[datetime] = mapped_column(default=now)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    access: Mapped[Access] = mapped_column(words(Access), default=Access.INTERNAL)
    shared_since: Mapped[datetime | None]
    details_at: Mapped[datetime] = mapped_column(default=now)
    outside_at: Mapped[datetime] = mapped_column(default=now)
    # What came of it, told when it was closed; never outside.
    summary: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    summary_html: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    impact: Mapped[Impact | None] = mapped_column(words(Impact))
    flagged: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Reported in the portal by somebody outside.
    reported_outside: Mapped[bool] = mapped_column(default=False, server_default=false())
    # When sharing ends by itself, or did; None: when somebody ends it. `ending_told`: the date people were told of before.
    shared_until: Mapped[datetime | None]
    ending_told: Mapped[datetime | None]
    # Raised with every edit of the case or its access; a form that shows an older one is stale. Comments do not raise it.
    version: Mapped[int] = mapped_column(default=1)

    @property
    def ended(self) -> bool:
        """Whether its sharing reached the end that was set, written down already or not."""
        return self.shared_until is not None and self.shared_until <= now()

    @property
    def access_now(self) -> Access:
        """The access as it holds at this moment: past its end, sharing is over though `access` may not say so yet."""
        return in_force(self.access, self.shared_until)

    @property
    def shared(self) -> bool:
        """Whether anybody outside may be able to see it now."""
        return self.access_now in SHARED

    @property
    def stage_at(self) -> datetime:
        """When the case first entered the stage it is in."""
        moments = {Stage.NEW: self.new_at, Stage.IN_PROGRESS: self.in_progress_at, Stage.CLOSED: self.closed_at}
        return moments[self.stage] or self.created_at


class CaseCounter(Model):
    """The last case number given out; one row, locked while the next is taken."""

    __tablename__ = "case_counter"

    id: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
