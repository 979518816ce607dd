"""What outsiders can find: the words of a case they could read, kept apart from all others and in step with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, literal, null, select, true, union_all, update
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ..cases.models import Attachment, Case, Comment, CustomValue, Observable
from ..plain import plain_text
from .models import SharedText
from .terms import Term
from .words import split

_stored = cast("Table", SharedText.__table__)
VALUE: dict[str, Any] = {"index_elements": ["case_id", "field_id"]}
Key = tuple[int, int | None]  # case, and the custom field where it is the value of one


def _texts(model: Any, column: str, *where: Any, field: Any = None, html: bool = False) -> Any:
    table = cast("Table", model.__table__)
    wanted = select(
        table.c.case_id,
        (cast_to(null(), SharedText.field_id.type) if field is None else field).label("field_id"),
        table.c[column].label("body"),
        literal(html).label("html"),
    )
    return wanted.where(table.c.case_id.in_(bindparam("cases", expanding=True)), *where)


_case = cast("Table", Case.__table__)
_HEADS = select(_case.c.id, _case.c.number, _case.c.title, _case.c.tags, _case.c.description_html).where(
    _case.c.id.in_(bindparam("cases", expanding=True))
)
# What a case says outside once it is shared, as its readers see it: the source of a text may hold more. Whether it is shared is asked
# when somebody searches.
_HANGING = union_all(
    _texts(Comment, "message_html", Comment.__table__.c.external == true(), html=True),
    _texts(Attachment, "name", Attachment.__table__.c.external == true(), Attachment.__table__.c.log_id.is_(None)),
    _texts(Observable, "value", Observable.__table__.c.author_external == true()),
    _texts(CustomValue, "value", field=CustomValue.__table__.c.field_id),
)


def take_up(case_ids: list[int], connection: Any) -> None:
    """Write anew what can be found of these cases from outside, as far as it changed."""
    wanted = {key: "\n".join(lines) for key, lines in _bodies(case_ids, connection).items()}
    rows = connection.execute(select(_stored).where(_stored.c.case_id.in_(case_ids)))
    there: dict[Key, Any] = {(row.case_id, row.field_id): row for row in rows}
    new = [{"case_id": key[0], "field_id": key[1], "body": body} for key, body in wanted.items() if key not in there]
    _insert(new, connection)
    for key, row in there.items():
        if key in wanted and wanted[key] != row.body:
            connection.execute(update(_stored).where(_stored.c.id == row.id).values(body=wanted[key]))
    gone = [row.id for key, row in there.items() if key not in wanted]
    if gone:
        connection.execute(delete(_stored).where(_stored.c.id.in_(gone)))


def _insert(rows: list[dict[str, Any]], connection: Any) -> None:
    """New rows; one that somebody else wrote at the same moment is written over."""
    make: Any = insert_postgres if connection.dialect.name == "postgresql" else insert_sqlite
    heads, values = ([row for row in rows if (row["field_id"] is None) is head] for head in (True, False))
    for some, target in ((heads, {"index_elements": ["case_id"], "index_where": _stored.c.field_id.is_(None)}), (values, VALUE)):
        if some:
            added = make(_stored)
            connection.execute(added.on_conflict_do_update(**target, set_={"body": added.excluded.body}), some)


def _bodies(case_ids: list[int], connection: Any) -> dict[Key, list[str]]:
    lines: dict[Key, list[str]] = defaultdict(list)
    for row in connection.execute(_HEADS, {"cases": case_ids}):
        texts = (row.title, str(row.number), *(row.tags or ()), plain_text(row.description_html))
        lines[row.id, None] = [line for text in texts for line in _lines(text)]
    for case_id, field_id, text, html in connection.execute(_HANGING, {"cases": case_ids}):
        lines[case_id, field_id].extend(_lines(plain_text(text) if html else text))
    return lines


def _lines(text: str) -> Iterator[str]:
    if words := split(text):
        yield f" {' '.join(words)} "


def pattern(term: Term) -> str:
    """What LIKE looks for in a body; words hold letters and digits only, so nothing in them is a sign of its own."""
    return f"% {' '.join(term.words)}{'' if term.open else ' '}%"
