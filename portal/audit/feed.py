"""Reading the audit trail: the history of a case, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ..extensions import db
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
