"""Reading: the list of cases one person outside sees, narrowed and ordered, and how far they have read."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BigInteger, Select, Table, and_, bindparam, false, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import IntegrityError, OperationalError

from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..cases.models import Case, CaseTag, Comment, ReadMark, Stage, Status
from ..clock import UTCDateTime
from ..database import apart, kept
from ..extensions import db
from ..paging import EPOCH, SIZE, Page
from ..search import terms
from ..search.models import SharedText
from ..search.shared import pattern
from . import scope
from .records import CaseWishes, SharedCaseRow, StageReached

log = logging.getLogger("portal.reading")
PATIENCE = 1.0  # seconds; a busy database does not keep the page from who may read it
MOST_TAGS = 100
TAGS_OF = 1000  # cases, latest news first, whose tags are offered
_MICROSECOND = timedelta(microseconds=1)
BASICS = (Case.number, Case.title, Case.severity, Case.stage, Case.tags, Case.created_at, Case.outside_at)
MOMENTS = (Case.new_at, Case.in_progress_at, Case.closed_at)
# Each order ends with the number, so that every case has a place of its own.
ORDERS: dict[str, Any] = {"updated": Case.outside_at, "opened": Case.created_at, "severity": Case.severity, "number": Case.number}
_mark = and_(ReadMark.case_id == Case.id, ReadMark.user_id == bindparam("reader"))
_newest = (
    select(Comment.author_external)
    .where(Comment.case_id == Case.id, Comment.external)
    .order_by(Comment.created_at.desc(), Comment.id.desc())
    .limit(1)
    .correlate(Case)
    .scalar_subquery()
)
CONDITIONS: dict[str, Any] = {
    "open": Case.stage != Stage.CLOSED,
    "stage": Case.stage == bindparam("stage", type_=Case.stage.type),
    "severity": Case.severity == bindparam("severity"),
    "tag": Case.id.in_(select(CaseTag.case_id).where(CaseTag.tag == bindparam("tag"))),
    "mine": Case.created_by_id == bindparam("reader"),
    "unread": or_(ReadMark.seen_at.is_(None), ReadMark.seen_at < Case.outside_at),
    "waiting": and_(Case.stage != Stage.CLOSED, _newest == false()),
    "opened_from": Case.created_at >= bindparam("opened_from", type_=UTCDateTime()),
    "opened_to": Case.created_at < bindparam("opened_to", type_=UTCDateTime()),
    "updated_from": Case.outside_at >= bindparam("updated_from", type_=UTCDateTime()),
    "updated_to": Case.outside_at < bindparam("updated_to", type_=UTCDateTime()),
}
FLAGS = ("mine", "unread", "waiting")
VALUES = ("severity", "tag", "opened_from", "opened_to", "updated_from", "updated_to")
_marks = cast("Table", ReadMark.__table__)
_entry, _status = cast("Table", AuditEntry.__table__), cast("Table", Status.__table__)
# The stages of the statuses a case was given; those that are gone say nothing.
_MOVES = (
    select(_entry.c.at, _status.c.stage)
    .join(_status, _status.c.value == _entry.c.changes[("status", 1)].as_string())
    .where(_entry.c.case_id == bindparam("case_id"), _entry.c.kind.in_((Kind.CASE_UPDATED, Kind.CASE_CLOSED, Kind.CASE_REOPENED)))
    .order_by(_entry.c.id)
)


def cases(viewer: Viewer, wishes: CaseWishes, after: str = "") -> Page[SharedCaseRow]:
    """The cases this person sees, as they wish them, 25 a page; one query."""
    question = terms.read(wishes.words) if wishes.words else None
    if question and question.problem:
        return Page([], None)
    name, down = (wishes.sort.removeprefix("-"), wishes.sort.startswith("-")) if wishes.sort else ("updated", True)
    place = _read_place(after, name)
    conditions, values = _narrowing(wishes, question)
    wanted = _listed(scope.visible(viewer, Case, *BASICS, *MOMENTS), conditions, name, down, place is not None)
    rows = db.session.execute(wanted, {"reader": viewer.user_id, **values, **(place or {})}).all()
    shown = [row_of(row) for row in rows[:SIZE]]
    return Page(shown, _place_of(rows[SIZE - 1], name) if len(rows) > SIZE else None)


def _narrowing(wishes: CaseWishes, question: terms.Question | None) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of the conditions, and the values they are asked with."""
    values = {name: value for name in VALUES if (value := getattr(wishes, name)) not in (None, "")}
    names = [*values, *(name for name in FLAGS if getattr(wishes, name))]
    if wishes.stage:
        names.append("open" if wishes.stage == "open" else "stage")
        values |= {} if wishes.stage == "open" else {"stage": Stage(wishes.stage)}
    for i, term in enumerate(question.terms if question else ()):
        names.append(f"word_{i}")
        values[f"word_{i}"] = pattern(term)
    return tuple(names), values


def _condition(name: str) -> Any:
    if not name.startswith("word_"):
        return CONDITIONS[name]
    # Asked of one case after the other: a semi-join would read what is written on cases they do not see.
    said = select(SharedText.id).where(SharedText.case_id == Case.id, SharedText.body.like(bindparam(name)))
    return said.correlate(Case).limit(1).scalar_subquery().is_not(None)


@lru_cache(maxsize=2048)
def _listed(visible: Select[Any], conditions: tuple[str, ...], name: str, down: bool, further: bool) -> Select[Any]:
    wanted = visible.add_columns(ReadMark.seen_at).outerjoin(ReadMark, _mark).where(*map(_condition, conditions))
    columns = (ORDERS[name], Case.number)
    if further:
        places = tuple_(bindparam("place", type_=columns[0].type), bindparam("place_number", type_=BigInteger()))
        wanted = wanted.where(tuple_(*columns) < places if down else tuple_(*columns) > places)
    return kept(wanted.order_by(*(column.desc() if down else column.asc() for column in columns)).limit(SIZE + 1))


def _place_of(row: Any, name: str) -> str:
    value = getattr(row, ORDERS[name].key)
    return f"{(value - EPOCH) // _MICROSECOND if isinstance(value, datetime) else value}-{row.number}"


def _read_place(text: str, name: str) -> dict[str, Any] | None:
    """The place behind which the page begins; None (the first page) for anything that is not one."""
    first, _, second = text.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 18 for part in (first, second)):
        return None
    try:
        value = EPOCH + int(first) * _MICROSECOND if isinstance(ORDERS[name].type, UTCDateTime) else int(first)
    except OverflowError:
        return None
    return {"place": value, "place_number": int(second)}


def basics_of(row: Any) -> dict[str, Any]:
    """What the list and the page of a case both tell."""
    moments = {Stage.NEW: row.new_at, Stage.IN_PROGRESS: row.in_progress_at, Stage.CLOSED: row.closed_at}
    return {
        "number": row.number,
        "title": row.title,
        "severity": row.severity,
        "stage": row.stage.value,
        "stage_at": moments[row.stage] or row.created_at,
        "tags": tuple(row.tags),
        "created_at": row.created_at,
        "updated_at": row.outside_at,
    }


def row_of(row: Any) -> SharedCaseRow:
    """A line of the list."""
    return SharedCaseRow(**basics_of(row), unread=row.seen_at is None or row.seen_at < row.outside_at)


def number_to_open(viewer: Viewer, text: str) -> int | None:
    """The case whose number was typed, if they see it."""
    number = terms.number_in(text)
    if number is None:
        return None
    found: int | None = db.session.scalar(_numbered(scope.visible(viewer, Case, Case.number)), {"number": number})
    return found


@lru_cache(maxsize=512)
def _numbered(visible: Select[Any]) -> Select[Any]:
    return kept(visible.where(Case.number == bindparam("number", type_=BigInteger())))


def tags(viewer: Viewer) -> list[str]:
    """The tags of the cases they see, of those with the latest news where they are many."""
    return list(db.session.scalars(_tagged(scope.visible(viewer, Case, Case.id), scope.visible(viewer, CaseTag, CaseTag.tag))))


@lru_cache(maxsize=512)
def _tagged(seen: Select[Any], tagged: Select[Any]) -> Select[Any]:
    newest = seen.order_by(Case.outside_at.desc(), Case.number.desc()).limit(TAGS_OF)
    return kept(tagged.where(CaseTag.case_id.in_(newest)).distinct().order_by(CaseTag.tag).limit(MOST_TAGS))


def question_problem(text: str) -> str:
    """Why nothing can be searched for with this text; empty where something can."""
    return terms.read(text).problem if text else ""


def stages(case: Any) -> list[StageReached]:
    """When a case went from one stage to another, oldest first: never which status it was, nor who moved it."""
    told = [StageReached(Stage.NEW.value, case.new_at or case.created_at)]
    for at, stage in db.session.connection().execute(_MOVES, {"case_id": case.id}):
        if stage.value != told[-1].stage:
            told.append(StageReached(stage.value, at))
    return told


def note_read(viewer: Viewer, case: Any) -> None:
    """Keep how far they have read, where there was something new; who looks through their eyes leaves no mark."""
    if viewer.viewed_by_id is not None or (case.seen_at is not None and case.seen_at >= case.outside_at):
        return
    try:
        with apart(patience=PATIENCE) as connection:
            _write(connection, viewer.user_id, case.id, case.outside_at)
    except (OperationalError, IntegrityError):  # or the case is gone
        log.warning("What person %s has read is not kept: the database was busy", viewer.user_id)


def note_own(case: Case, *, by: Viewer, before: datetime | None) -> None:
    """What somebody outside did themselves is no news to them; for verbs, in their transaction, after they wrote.

    `before`: when the latest news was before that, None for a case of their own making. Who had not read that has not read it now.
    """
    db.session.flush()
    connection = db.session.connection()
    if before is None:
        _write(connection, by.user_id, case.id, case.outside_at)
        return
    there = (_marks.c.user_id == by.user_id, _marks.c.case_id == case.id, _marks.c.seen_at >= before)
    connection.execute(update(_marks).where(*there).values(seen_at=case.outside_at))


def _write(connection: Any, user_id: int, case_id: int, seen_at: datetime) -> None:
    make: Any = insert_postgres if connection.dialect.name == "postgresql" else insert_sqlite
    added = make(_marks).values(user_id=user_id, case_id=case_id, seen_at=seen_at)
    later = added.on_conflict_do_update(
        index_elements=[_marks.c.user_id, _marks.c.case_id],
        set_={"seen_at": added.excluded.seen_at},
        where=_marks.c.seen_at < added.excluded.seen_at,
    )
    connection.execute(later)
