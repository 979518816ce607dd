"""Reading the audit trail: the history of a case, and the feed of everything somebody may know of, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from ..accounts.models import User
from ..accounts.viewer import Viewer
from ..cases.models import Case
from ..extensions import db
from ..sharing import scope
from .kinds import SENTENCES, Kind
from .models import AuditEntry


@dataclass(frozen=True)
class Event:
    """One line of a history. `changes` = (field, old, new) as words."""

    id: int
    at: datetime
    actor: str
    external: bool
    channel: str
    sentence: str
    changes: list[tuple[str, str, str]]


def history(case_id: int, *, before: int | None = None, size: int = 50) -> list[Event]:
    """At most size + 1 events older than the entry `before`; what the viewer may not see is left out by the guard."""
    wanted = select(AuditEntry).where(AuditEntry.case_id == case_id)
    if before:
        wanted = wanted.where(AuditEntry.id < before)
    rows = db.session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(size + 1))
    return [_event(row) for row in rows]


@dataclass(frozen=True)
class Happening(Event):
    """A line of the feed: `case_number` and `case_title` where it is about a case, `about` where it is about a person."""

    case_number: int | None = None
    case_title: str = ""
    about: str = ""


GROUPS: dict[str, tuple[str, ...]] = {
    "people": ("user:", "membership:", "session:", "people:"),
    "platform": ("organisation:", "profile:", "settings:", "mail:"),
}


def newest(viewer: Viewer, *, group: str = "", before: int | None = None, size: int = 50) -> list[Happening]:
    """At most size + 1 happenings older than the entry `before`. `group`: "outside", "cases", "people", "platform" or all."""
    wanted = scope.visible(viewer, AuditEntry).outerjoin(Case, Case.id == AuditEntry.case_id).add_columns(Case.number, Case.title)
    if (condition := _in_group(group)) is not None:
        wanted = wanted.where(condition)
    if before:
        wanted = wanted.where(AuditEntry.id < before)
    rows = db.session.execute(wanted.order_by(AuditEntry.id.desc()).limit(size + 1)).all()
    names = _names([row for row, _, _ in rows])
    return [_happening(row, number, title, names) for row, number, title in rows]


def _in_group(group: str) -> ColumnElement[bool] | None:
    if group == "outside":
        return AuditEntry.actor_external.is_(True)
    if group == "cases":
        return AuditEntry.case_id.is_not(None)
    return or_(*(AuditEntry.kind.startswith(prefix) for prefix in GROUPS[group])) if group in GROUPS else None


def _names(rows: list[AuditEntry]) -> dict[str, str]:
    """Names of the people whom entries are about, by the id an entry holds."""
    ids = {int(row.object_id) for row in rows if row.kind.startswith(GROUPS["people"]) and row.object_id.isdecimal()}
    if not ids:
        return {}
    return {str(key): name for key, name in db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))}


def _happening(row: AuditEntry, number: int | None, title: str | None, names: dict[str, str]) -> Happening:
    about = names.get(row.object_id, "") if row.kind.startswith(GROUPS["people"]) and str(row.actor_id) != row.object_id else ""
    event = _event(row)
    return Happening(
        event.id, event.at, event.actor, event.external, event.channel, event.sentence, event.changes, number, title or "", about
    )


def _event(row: AuditEntry) -> Event:
    sentence = SENTENCES.get(Kind(row.kind), row.kind)
    changes = [(field.replace("_", " "), _words(pair[0]), _words(pair[1])) for field, pair in row.changes.items()]
    return Event(row.id, row.at, row.actor_name, row.actor_external, row.channel, sentence, changes)


def _words(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)
