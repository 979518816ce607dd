"""What people outside find on a case that is shared with them, and what they would see again."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, literal, select, text, union_all

from ..cases.models import Attachment, Case, Comment, Observable
from ..cases.text import snippet
from ..extensions import db

RETURNING_SHOWN = 20

_file, _comment, _item = (cast("Table", model.__table__) for model in (Attachment, Comment, Observable))


def _number_of(table: Table, *which: Any) -> Any:
    return select(func.count()).select_from(table).where(table.c.case_id == bindparam("case_id"), *which).scalar_subquery()


_COUNTED = select(
    _number_of(_file, _file.c.external.is_(True), _file.c.log_id.is_(None)),
    _number_of(_comment, _comment.c.external.is_(True)),
    _number_of(_item, _item.c.author_external.is_(True)),
)


def shown(case: Case) -> tuple[int, int, int]:
    """External files and comments on the case, which whoever asks has loaded and so may see, and evidence from outside."""
    files, said, items = db.session.connection().execute(_COUNTED, {"case_id": case.id}).one()
    return files, said, items


def _external_files(case: Case) -> tuple[ColumnElement[bool], ...]:
    return Attachment.case_id == case.id, Attachment.external.is_(True), Attachment.log_id.is_(None)


def _things(of: Any, what: Any) -> Select[Any]:
    return select(of.author_name.label("who"), what.label("what"), of.created_at.label("moment"))


def returning(case: Case) -> tuple[list[str], int]:
    """What outsiders would see again, the oldest first and only the first of many; and how many things that are."""
    kinds: list[tuple[str, Select[Any]]] = [
        ("{}: {}", _things(Comment, Comment.message).where(Comment.case_id == case.id, Comment.external)),
        ("File by {}: {}", _things(Attachment, Attachment.name).where(*_external_files(case))),
        ("Observable by {}: {}", _things(Observable, Observable.value).where(Observable.case_id == case.id, Observable.author_external)),
    ]
    firsts = [wanted.add_columns(literal(place).label("place")) for place, (_, wanted) in enumerate(kinds)]
    together = union_all(*(select(first.order_by(text("moment")).limit(RETURNING_SHOWN).subquery()) for first in firsts)).subquery()
    rows = db.session.execute(select(together).order_by(together.c.place, together.c.moment))
    told = [kinds[row.place][0].format(row.who, row.what if row.place == 1 else snippet(row.what)) for row in rows]
    if len(told) < RETURNING_SHOWN:
        return told, len(told)
    counts = union_all(*(wanted.with_only_columns(func.count()) for _, wanted in kinds))
    return told, sum(db.session.scalars(counts))
