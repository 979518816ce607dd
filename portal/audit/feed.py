"""Reading the audit trail: the history of a case, and the feed of everything somebody may know of, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, or_, select, union_all

from ..accounts.models import User
from ..accounts.viewer import Viewer
from ..cases.models import Attachment, Case, Comment, Observable, Task
from ..extensions import db
from ..organisations.models import Organisation
from ..sharing import scope
from .kinds import SENTENCES, Kind
from .models import AuditEntry


@dataclass(frozen=True)
class Event:
    """One line of a history. `changes` = (field, old, new) as words; `about`: the name of the file or task, where it is about one."""

    id: int
    at: datetime
    actor: str
    external: bool
    channel: str
    sentence: str
    changes: list[tuple[str, str, str]]
    kind: str
    object_id: str
    about: str


K = Kind
# What a history can be narrowed to. A kind may be in several groups.
KINDS: dict[str, tuple[Kind, ...]] = {
    "case": (K.CASE_CREATED, K.CASE_UPDATED, K.CASE_CLOSED, K.CASE_REOPENED, K.FIELD_SET),
    "sharing": (
        *(K.ACCESS_CHANGED, K.ACCESS_ENDED, K.ACCESS_ENDING_TOLD, K.CASE_VIEWED_AS, K.SEEN_EXPORTED),
        *(K.COMMENT_SHARED, K.COMMENT_WITHDRAWN, K.FILE_SHARED, K.FILE_WITHDRAWN),
    ),
    "comments": tuple(kind for kind in Kind if kind.startswith("comment:")),
    "files": tuple(kind for kind in Kind if kind.startswith("file:")),
    "observables": tuple(kind for kind in Kind if kind.startswith("observable:")),
    "tasks": tuple(kind for kind in Kind if kind.startswith("task:")),
    "views": (K.CASE_VIEWED, K.CASE_DOWNLOADED, K.FILE_DOWNLOADED),
}


def history(case_id: int, *, group: str = "", side: str = "", before: int | None = None, size: int = 50) -> list[Event]:
    """At most size + 1 events older than the entry `before`; what the viewer may not see is left out by the guard.

    `group` is one of KINDS ("views": by external users), `side` "outside" or "inside"; anything else means all.
    """
    wanted = select(AuditEntry).where(AuditEntry.case_id == case_id)
    if group in KINDS:
        wanted = wanted.where(AuditEntry.kind.in_([kind.value for kind in KINDS[group]]))
    if group == "views":
        wanted = wanted.where(AuditEntry.actor_external.is_(True))
    if side in ("outside", "inside"):
        wanted = wanted.where(AuditEntry.actor_external.is_(side == "outside"))
    if before:
        wanted = wanted.where(AuditEntry.id < before)
    rows = db.session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(size + 1))
    return [_event(row) for row in rows]


def still_there(case_id: int, events: list[Event]) -> set[str]:
    """Of what these events are about, the uids of what the case still has; one query."""
    models: dict[str, Any] = {"comment": Comment, "file": Attachment, "observable": Observable, "task": Task}
    named = {name: {event.object_id for event in events if event.kind.startswith(f"{name}:")} for name in models}
    parts = [
        select(literal(name).label("kind"), model.uid).where(model.case_id == case_id, model.uid.in_(named[name]))
        for name, model in models.items()
    ]
    return {uid for _, uid in db.session.execute(union_all(*parts))}


def shown(case_id: int, *, before: int | None = None, size: int = 50) -> list[Event]:
    """At most size + 1 events about who could see the case and what outsiders opened of it."""
    views = and_(AuditEntry.kind.in_([kind.value for kind in KINDS["views"]]), AuditEntry.actor_external.is_(True))
    wanted = select(AuditEntry).where(
        AuditEntry.case_id == case_id, or_(views, AuditEntry.kind.in_([kind.value for kind in KINDS["sharing"]]))
    )
    if before:
        wanted = wanted.where(AuditEntry.id < before)
    return [_event(row) for row in db.session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(size + 1))]


@dataclass(frozen=True)
class Happening(Event):
    """A line of the feed: `case_number` and `case_title` where it is about a case; `about` is a person's name where it is about one."""

    case_number: int | None = None
    case_title: str = ""


GROUPS: dict[str, tuple[str, ...]] = {
    "people": ("user:", "membership:", "session:", "people:", "party:"),
    "platform": ("organisation:", "profile:", "settings:", "mail:", "status:", "field:", "type:", "template:"),
}
# Kinds whose entries hold the id of an account.
OF_PEOPLE = ("user:", "membership:", "session:", "people:")
OF_PLACES = "organisation:"


def newest(viewer: Viewer, *, group: str = "", before: int | None = None, size: int = 50) -> list[Happening]:
    """At most size + 1 happenings older than the entry `before`. `group`: "outside", "cases", "people", "platform" or all."""
    wanted = scope.visible(viewer, AuditEntry).outerjoin(Case, Case.id == AuditEntry.case_id).add_columns(Case.number, Case.title)
    if (condition := _in_group(group)) is not None:
        wanted = wanted.where(condition)
    if before:
        wanted = wanted.where(AuditEntry.id < before)
    rows = db.session.execute(wanted.order_by(AuditEntry.id.desc()).limit(size + 1)).all()
    names = _names([row for row, _, _ in rows]) | _places([row for row, _, _ in rows])
    return [_happening(row, number, title, names) for row, number, title in rows]


def _in_group(group: str) -> ColumnElement[bool] | None:
    if group == "outside":
        return AuditEntry.actor_external.is_(True)
    if group == "cases":
        return or_(AuditEntry.case_id.is_not(None), AuditEntry.kind.in_([Kind.CASE_DELETED.value, Kind.CASES_EXPORTED.value]))
    return or_(*(AuditEntry.kind.startswith(prefix) for prefix in GROUPS[group])) if group in GROUPS else None


def _names(rows: list[AuditEntry]) -> dict[str, str]:
    """Names of the people whom entries are about, by the id an entry holds."""
    ids = {int(row.object_id) for row in rows if row.kind.startswith(OF_PEOPLE) and row.object_id.isdecimal()}
    if not ids:
        return {}
    return {str(key): name for key, name in db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))}


def _places(rows: list[AuditEntry]) -> dict[str, str]:
    """Names of the organisations entries are about, by OF_PLACES and the id an entry holds."""
    ids = {int(row.object_id) for row in rows if row.kind.startswith(OF_PLACES) and row.object_id.isdecimal()}
    if not ids:
        return {}
    found = db.session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids)))
    return {f"{OF_PLACES}{key}": name for key, name in found}


def _happening(row: AuditEntry, number: int | None, title: str | None, names: dict[str, str]) -> Happening:
    event, about = _event(row), ""
    if row.kind.startswith(OF_PLACES):
        about = names.get(f"{OF_PLACES}{row.object_id}", "")
    elif row.kind.startswith(OF_PEOPLE) and str(row.actor_id) != row.object_id:
        about = names.get(row.object_id, "")
    return Happening(**{**vars(event), "about": event.about or about}, case_number=number, case_title=title or "")


# What an entry is about is said in the sentence, not as a change: the kinds where it is kept among the changes, and as what.
KEEP_NAMES = ("file:", "task:", "party:", "profile:", "template:", "type:", "status:", "field:")
NAMED = ("party", "task", "file", "label", "name")
NAMED_BY_ID = ("status:", "field:")


def _event(row: AuditEntry) -> Event:
    sentence, told = SENTENCES.get(Kind(row.kind), row.kind), dict(row.changes)
    about = f"#{row.object_id}" if row.kind == Kind.CASE_DELETED else ""
    if row.kind.startswith(KEEP_NAMES):
        key = next((key for key in NAMED if key in told and (None in told[key] or told[key][0] == told[key][1])), None)
        about = _words(next(value for value in reversed(told.pop(key)) if value is not None)) if key and told[key] != [None, None] else ""
    if row.kind.startswith(NAMED_BY_ID) and not about and "label" not in told:
        about = row.object_id
    if len(added := (told.get("observables") or [None, None])[1] or ()) > 1:
        sentence = f"added {len(added)} observables"
    if told.get("external") == [None, False]:
        del told["external"]  # internal is what everything is born as
    changes = [(field.replace("_", " "), _words(pair[0]), _words(pair[1])) for field, pair in told.items() if pair[0] != pair[1]]
    return Event(row.id, row.at, row.actor_name, row.actor_external, row.channel, sentence, changes, row.kind, row.object_id, about)


def _words(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)
