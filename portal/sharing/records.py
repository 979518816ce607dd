"""What outsiders may know, field by field. Adding a field here is a decision to disclose it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class SharedCaseRow:
    """A line of the portal's list. `updated_at` moves only with what its reader can see."""

    number: int
    title: str
    severity: int
    stage: str
    stage_at: datetime
    tags: list[str]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SharedCase:
    """A case on its own page."""

    number: int
    title: str
    severity: int
    stage: str
    stage_at: datetime
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    description_html: Markup
    start_date: datetime
    new_at: datetime | None
    in_progress_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SharedComment:
    """A message. `author` is a display name or the team's; `message` is the source text, for its author to edit."""

    uid: str
    author: str
    from_team: bool
    mine: bool
    message: str
    message_html: Markup
    created_at: datetime
    edited_at: datetime | None
