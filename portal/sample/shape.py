"""The shapes the sample world is written in: plain frozen data that knows nothing of a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Party:
    """An external organisation: a client, a department or a vendor."""

    key: str
    name: str
    kind: Literal["client", "department", "vendor"]


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `about` is the role shown in the table of sign-ins; `party` is set for external people only."""

    key: str
    name: str
    email: str
    kind: Literal["internal", "external"]
    roles: tuple[str, ...]
    party: str | None
    about: str
    state: Literal["active", "invited", "locked"] = "active"


@dataclass(frozen=True)
class Said:
    """A comment, `after` hours after the case was opened. What an external person says is always external."""

    by: str
    after: float
    text: str
    external: bool = False


@dataclass(frozen=True)
class Moved:
    """A change of status, `after` hours after the case was opened; with what came of it where that closes the case."""

    by: str
    after: float
    status: Literal["InProgress", "TruePositive", "FalsePositive", "Indeterminate", "Other", "Duplicated"]
    summary: str = ""
    impact: Literal["NotApplicable", "WithImpact", "NoImpact"] = "NotApplicable"


@dataclass(frozen=True)
class Paper:
    """A file of these lines, put on the case `after` hours after it was opened."""

    by: str
    after: float
    name: str
    lines: tuple[str, ...]
    external: bool = False


@dataclass(frozen=True)
class Trace:
    """Observables found `after` hours after the case was opened, one in each line; with `file` the lines are what is in it."""

    by: str
    after: float
    lines: tuple[str, ...]
    message: str = ""
    tags: tuple[str, ...] = ()
    ioc: bool = False
    sighted: bool = False
    file: str = ""


@dataclass(frozen=True)
class Clue:
    """Evidence somebody outside added `after` hours after the case was opened, one item in each line."""

    by: str
    after: float
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reported:
    """An incident somebody outside reported `days_ago` days before now: their answers, and what came of it.

    `assignee` took it on `taken_after` hours later, with this severity and these tags; without one it still waits for somebody.
    """

    key: str
    title: str
    by: str
    days_ago: float
    began_before_hours: float
    answers: dict[str, str]
    items: tuple[str, ...] = ()
    files: tuple[Paper, ...] = ()
    assignee: str | None = None
    taken_after: float = 0.0
    severity: Literal[1, 2, 3, 4] = 2
    tags: tuple[str, ...] = ()
    talk: tuple[Said, ...] = ()
    moves: tuple[Moved, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case opened `days_ago` days before now, about something that began `started_before_hours` hours before that.

    `shared_with` names external people when `access` is "external", colleagues when it is "restricted", nobody otherwise;
    `shared_by` and `shared_after` (hours) say who set that access and when, and mean nothing while it is "internal".
    """

    key: str
    title: str
    description: str
    severity: Literal[1, 2, 3, 4]
    tlp: Literal[0, 1, 2, 3, 4]
    pap: Literal[0, 1, 2, 3]
    tags: tuple[str, ...]
    opened_by: str
    assignee: str | None
    days_ago: float
    started_before_hours: float
    access: Literal["internal", "restricted", "external", "all_external"]
    shared_with: tuple[str, ...] = ()
    shared_by: str | None = None
    shared_after: float = 0.0
    shared_for_days: int = 0
    talk: tuple[Said, ...]
    moves: tuple[Moved, ...]
