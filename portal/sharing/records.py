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
class SharedField:
    """A custom field the platform shows outside, with its values on a case. `kind`: the type, for how a date is written."""

    label: str
    help: str
    kind: str
    values: list[str]


@dataclass(frozen=True, slots=True)
class SharedComment:
    """A message. `author` is a display name or the team's; `message` is the source text, for its author to edit.

    `withdrawn`: the team took it away; its own author is told so, without the words, and nobody else is told anything.
    `version`: of its words, for its author to edit.
    """

    uid: str
    author: str
    from_team: bool
    mine: bool
    message: str
    message_html: Markup
    created_at: datetime
    edited_at: datetime | None
    withdrawn: bool = False
    version: str = ""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that was made external. `author` is a display name or the team's."""

    uid: str
    name: str
    size: int
    author: str
    from_team: bool
    mine: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SharedContent:
    """What it takes to hand a file out: the hash is where its bytes are found, and shown to nobody."""

    name: str
    size: int
    sha256: str
