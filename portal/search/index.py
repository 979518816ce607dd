"""Keeping the text index in step: whatever a transaction writes on a case is taken up when it commits, so no verb can forget it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, event, func, insert, select, update
from sqlalchemy.orm import ORMExecuteState, Session

from ..cases.models import Attachment, Case, Comment, CustomValue, Observable, Task
from ..extensions import db
from . import shared
from .models import PARTS, SearchText, SharedText
from .words import places

# Sign before a text -> where it is from. No text that is stored holds one of them.
SOURCES = {
    "\x01": "title",
    "\x02": "tag",
    "\x03": "description",
    "\x04": "summary",
    "\x05": "comment",
    "\x06": "observable",
    "\x07": "task",
    "\x0e": "field",
    "\x0f": "file",
}
SIGNS = {source: sign for sign, source in SOURCES.items()}
PART = 48_000  # characters; PostgreSQL tells no more than 16,383 places of a text apart
AT_ONCE = 100
LAST = 2**62  # no case has a key like that
_NO_SIGN = dict.fromkeys((*map(ord, SOURCES), 0), " ")
_case, _stored = cast("Table", Case.__table__), cast("Table", SearchText.__table__)


def _hanging(model: Any, source: str, *columns: str) -> tuple[str, Any]:
    table = cast("Table", model.__table__)
    wanted = select(table.c.case_id, *(table.c[name] for name in columns))
    if "removed_at" in table.c:  # of what was taken away only the trace is left
        wanted = wanted.where(table.c.removed_at.is_(None))
    return source, wanted.where(table.c.case_id.in_(bindparam("cases", expanding=True))).order_by(table.c.id)


_HANGING = (
    _hanging(Comment, "comment", "message"),
    _hanging(Observable, "observable", "value", "message"),
    _hanging(Task, "task", "title"),
    _hanging(CustomValue, "field", "value"),
    _hanging(Attachment, "file", "name"),
)
_HEADS = select(_case.c.id, _case.c.number, _case.c.title, _case.c.tags, _case.c.description, _case.c.summary).where(
    _case.c.id.in_(bindparam("cases", expanding=True))
)
INDEXED: dict[type[Any], str] = {Case: "id", **dict.fromkeys((Comment, Observable, Task, CustomValue, Attachment), "case_id")}
_DUE = "search_due"


def touch(*case_ids: int) -> None:
    """Take these cases up again with the commit; for writes that pass the session by."""
    db.session.info.setdefault(_DUE, set()).update(case_ids)


@event.listens_for(db.session, "after_flush")
def _note_written(session: Session, _flush: Any) -> None:
    written = {
        getattr(row, INDEXED[type(row)]) for rows in (session.new, session.dirty, session.deleted) for row in rows if type(row) in INDEXED
    }
    if written:
        session.info.setdefault(_DUE, set()).update(written)


@event.listens_for(db.session, "do_orm_execute")
def _note_statement(run: ORMExecuteState) -> None:
    """Inserts, updates and deletes of many rows by one statement."""
    if run.is_select or run.bind_mapper is None or run.bind_mapper.class_ not in INDEXED:
        return
    model = run.bind_mapper.class_
    key = INDEXED[model]
    if run.is_insert:
        given: Any = run.parameters
        rows = given if isinstance(given, list) else [given or {}]
        touch(*(row[key] for row in rows if row.get(key)))
    else:
        table = model.__table__
        wanted = select(table.c[key]).distinct()
        condition = getattr(run.statement, "whereclause", None)
        found = run.session.connection().execute(wanted if condition is None else wanted.where(condition), run.parameters or {})
        touch(*found.scalars())


@event.listens_for(db.session, "before_commit")
def _take_up(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint: all of the cases are taken up together, once
    session.flush()
    due = session.info.pop(_DUE, None)
    if due:
        take_up(sorted(due), session.connection())


@event.listens_for(db.session, "after_soft_rollback")
def _forget(session: Session, _transaction: Any) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_DUE, None)


def take_up(case_ids: list[int], connection: Any) -> None:
    """Write anew what can be found of these cases, as far as it changed."""
    for start in range(0, len(case_ids), AT_ONCE):
        some = case_ids[start : start + AT_ONCE]
        wanted = dict(_parts(some, connection))
        there = dict(connection.execute(select(_stored.c.id, _stored.c.body).where(_stored.c.case_id.in_(some))).all())
        _write(wanted, there, connection)
        shared.take_up(some, connection)


def _write(wanted: dict[int, str], there: dict[int, str], connection: Any) -> None:
    postgres = connection.dialect.name == "postgresql"
    rows = [
        {"id": key, "case_id": key // PARTS, "body": body, "words": places(body) if postgres else ""}
        for key, body in wanted.items()
        if there.get(key) != body
    ]
    new = [row for row in rows if row["id"] not in there]
    if new:
        connection.execute(insert(_stored), new)
    for row in rows:
        if row["id"] in there:
            connection.execute(update(_stored).where(_stored.c.id == row["id"]).values(body=row["body"], words=row["words"]))
    gone = [key for key in there if key not in wanted]
    if gone:
        connection.execute(delete(_stored).where(_stored.c.id.in_(gone)))


def _parts(case_ids: list[int], connection: Any) -> Iterator[tuple[int, str]]:
    texts: dict[int, list[str]] = defaultdict(list)
    heads: dict[int, str] = {}
    for row in connection.execute(_HEADS, {"cases": case_ids}):
        heads[row.id] = _signed("title", f"{row.title} {row.number}") + "".join(_signed("tag", tag) for tag in row.tags or [])
        texts[row.id] += _pieces("description", row.description) + _pieces("summary", row.summary)
    for source, wanted in _HANGING:
        for case_id, *values in connection.execute(wanted, {"cases": case_ids}):
            texts[case_id] += _pieces(source, " ".join(value for value in values if value))
    for case_id, head in heads.items():
        for place, body in enumerate(_bodies(head, texts[case_id])):
            yield case_id * PARTS + place, body


def _signed(source: str, text: str) -> str:
    return SIGNS[source] + text.translate(_NO_SIGN)


def _pieces(source: str, text: str) -> list[str]:
    """A text in pieces no larger than a part, cut between words where there are any."""
    pieces = []
    while len(text) > PART:
        cut = text.rfind(" ", 0, PART)
        cut = cut if cut > 0 else PART
        pieces.append(_signed(source, text[:cut]))
        text = text[cut:]
    return [*pieces, _signed(source, text)] if text.strip() else pieces


def _bodies(head: str, texts: Iterable[str]) -> list[str]:
    """Title, number and tags stand in each part, so that a word of them and one of any text find the case together."""
    bodies, body = [], head
    for text in texts:
        if len(body) + len(text) > PART + len(head) and body != head:
            bodies.append(body)
            body = head
        body += text
    return [*bodies, body][:PARTS]


def rebuild() -> int:
    """Write both indexes anew, in steps of their own, the newest cases first; how many cases there are."""
    done, before = 0, LAST
    while True:
        with db.engine.connect().execution_options(write=True) as connection, connection.begin():
            step = select(_case.c.id).where(_case.c.id < before).order_by(_case.c.id.desc()).limit(AT_ONCE * 10)
            ids = list(connection.scalars(step.with_for_update()))  # who writes on one of them meanwhile waits, and is read by nobody else
            if not ids:
                return done
            connection.execute(delete(_stored).where(_stored.c.case_id.in_(ids)))
            take_up(ids, connection)
        before, done = ids[-1], done + len(ids)


def is_missing() -> bool:
    """Whether the oldest case, which comes last, cannot be found: the index is new, or writing it was broken off."""
    with db.engine.connect() as connection:
        oldest = connection.scalar(select(func.min(_case.c.id)))
        if oldest is None:
            return False
        kept = (_stored, cast("Table", SharedText.__table__))
        return any(connection.scalar(select(t.c.id).where(t.c.case_id == oldest).limit(1)) is None for t in kept)
