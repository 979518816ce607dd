"""The shapes a read can take, for trying each of them as somebody who may see little. Every shape gives texts it got hold of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import CTE, column, delete, exists, func, insert, literal_column, select, table, text, union, union_all, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlalchemy.orm import join as orm_join

from portal.audit.models import AuditEntry
from portal.cases.models import Case, Comment
from portal.extensions import db
from portal.sharing.guard import UnscopedRead

CASES, COMMENTS, AUDIT = Case.__table__, Comment.__table__, AuditEntry.__table__
Shape = Callable[[], Iterable[Any]]


def _flat(rows: Iterable[Any]) -> list[Any]:
    return [value for row in rows for value in row]


def _run(statement: Any) -> list[Any]:
    return _flat(db.session.execute(statement).all())


def _cte() -> CTE:
    return select(Case.number.label("number"), Case.title.label("title")).cte("found")


def _aliased() -> list[Any]:
    other = aliased(Case)
    return _run(select(other.title))


def _self_join() -> list[Any]:
    one, two = aliased(Case), aliased(Case)
    return _run(select(two.title).select_from(one).join(two, two.organisation_id == one.organisation_id))


def _alias_joined() -> list[Any]:
    other = aliased(Case)
    return _run(select(other.title).select_from(Case).join(other, other.organisation_id == Case.organisation_id))


def _alias_outer_joined() -> list[Any]:
    other = aliased(Comment)
    rows = select(Case.title, other.message).outerjoin(other, other.case_id == Case.id)
    return [text for text in _run(rows) if text]


def _comment_alias_joined() -> list[Any]:
    other = aliased(Comment)
    return _run(select(other.message).select_from(Comment).join(other, other.case_id == Comment.case_id))


def _explicit_join() -> list[Any]:
    other = aliased(Comment)
    return _run(select(other.message).select_from(orm_join(Comment, other, other.case_id == Comment.case_id)))


def _recursive() -> list[Any]:
    first = select(Case.id.label("id"), Case.title.label("title")).cte("walk", recursive=True)
    return _run(select(first.union(select(Case.id, Case.title).join(first, Case.id == first.c.id + 1)).c.title))


def _by_key() -> list[Any]:
    found = [db.session.get(Case, key) for key in range(1, 12)]
    return [row.title for row in found if row is not None]


def _probe_by_exists() -> list[Any]:
    hidden = exists().where(Comment.case_id == Case.id, Comment.message.like("Internal%"))
    return [f"Internal word on {title}" for title in _run(select(Case.title).where(hidden))]


def _probe_by_count() -> list[Any]:
    counted = select(func.count(Comment.id)).where(Comment.case_id == Case.id).correlate(Case).scalar_subquery()
    return [f"Internal word: {n} comments on {title}" for title, n in db.session.execute(select(Case.title, counted)) if n > 2]


def _order_by_hidden() -> list[Any]:
    newest = select(func.max(Comment.message)).where(Comment.case_id == Case.id).correlate(Case).scalar_subquery()
    return [text for text in _run(select(newest.label("newest")).order_by(newest)) if text]


# What must come back filtered.
FILTERED: dict[str, Shape] = {
    "entities": lambda: [case.title for case in db.session.scalars(select(Case))],
    "columns": lambda: _run(select(Case.title, Case.number)),
    "only_columns": lambda: _run(select(Case).with_only_columns(Case.title)),
    "legacy_query": lambda: [case.title for case in db.session.query(Case)],
    "legacy_columns": lambda: _flat(db.session.query(Case.title, Case.number)),
    "get": _by_key,
    "where_id": lambda: _run(select(Case.title).where(Case.id.in_(range(1, 12)))),
    "alias": _aliased,
    "self_join": _self_join,
    "join": lambda: _run(select(Case.title, Comment.message).join(Comment, Comment.case_id == Case.id)),
    "outer_join": lambda: [t for t in _run(select(Case.title, Comment.message).outerjoin(Comment, Comment.case_id == Case.id)) if t],
    "alias_joined": _alias_joined,
    "alias_outer_joined": _alias_outer_joined,
    "comment_alias_joined": _comment_alias_joined,
    "explicit_join": _explicit_join,
    "join_from_child": lambda: _run(select(Comment.message, Case.title).join(Case, Case.id == Comment.case_id)),
    "comments": lambda: [comment.message for comment in db.session.scalars(select(Comment))],
    "aliased_comment": lambda: _run(select(aliased(Comment).message)),
    "in_subquery": lambda: _run(select(Case.title).where(Case.id.in_(select(Comment.case_id)))),
    "scalar_subquery": lambda: [t for t in _run(select(select(Case.title).order_by(Case.id.desc()).limit(1).scalar_subquery())) if t],
    "union": lambda: _run(union(select(Case.title), select(Comment.message))),
    "exists": _probe_by_exists,
    "count_of_children": _probe_by_count,
    "order_by_subquery": _order_by_hidden,
    "distinct": lambda: _run(select(Case.title).distinct()),
    "group_by": lambda: _run(select(Case.title).group_by(Case.title).having(func.count(Case.id) > 0)),
    "aggregate": lambda: [t for t in _run(select(func.max(Case.title))) if t],
    "window_function": lambda: _run(select(Case.title, func.row_number().over(order_by=Case.id))),
    "lock": lambda: _run(select(Case.title).with_for_update()),
}
# What may come back filtered or be refused: the guard lays its rules inside, but the outermost source is no model.
EITHER: dict[str, Shape] = {
    "subquery": lambda: _run(select(select(Case.title.label("title")).subquery().c.title)),
    "entity_from_subquery": lambda: [row.title for row in db.session.scalars(select(aliased(Case, select(Case).subquery())))],
    "union_all_as_source": lambda: _run(select(union_all(select(Case.title), select(Comment.message)).subquery().c.title)),
    "cte": lambda: _run(select(_cte().c.title)),
    "recursive_cte": _recursive,
}
# What must be refused: its sources are not models, so no rule can be laid on them.
REFUSED: dict[str, Shape] = {
    "text": lambda: _run(text("SELECT title FROM incident_case")),
    "text_in_where": lambda: _run(select(Case.title).where(text("1 = 1"))),
    "text_in_columns": lambda: _run(select(text("title")).select_from(Case)),
    "text_in_order": lambda: _run(select(Case.title).order_by(text("(SELECT max(message) FROM comment)"))),
    "text_in_having": lambda: _run(select(Case.title).group_by(Case.title).having(text("1 = 1"))),
    "text_as_prefix": lambda: _run(select(Case.title).prefix_with(text("DISTINCT"))),
    "text_as_entities": lambda: [c.title for c in db.session.scalars(select(Case).from_statement(text("SELECT * FROM incident_case")))],
    "text_as_source": lambda: _run(select(text("SELECT title FROM incident_case").columns(column("title")).subquery().c.title)),
    "text_in_subquery": lambda: _run(select(Case.title).where(Case.id.in_(select(Case.id).where(text("1 = 1"))))),
    "literal_column": lambda: _run(select(Case.title, literal_column("(SELECT max(message) FROM comment)"))),
    "literal_in_where": lambda: _run(select(Case.title).where(literal_column("(SELECT count(*) FROM comment)") > 0)),
    "table": lambda: _run(select(CASES)),
    "table_columns": lambda: _run(select(CASES.c.title)),
    "table_alias": lambda: _run(select(CASES.alias("other").c.title)),
    "light_table": lambda: _run(select(table("incident_case", column("title")))),
    "table_beside_a_model": lambda: _run(select(Case.title, AUDIT.c.actor_name).where(AUDIT.c.case_id == Case.id)),
    "table_joined": lambda: _run(select(Case.title, COMMENTS.c.message).join(COMMENTS, COMMENTS.c.case_id == Case.id)),
    "table_in_where": lambda: _run(select(Case.title).where(Case.id.in_(select(COMMENTS.c.case_id)))),
    "table_in_exists": lambda: _run(select(Case.title).where(exists(select(COMMENTS).where(COMMENTS.c.id > 0)))),
    "table_in_union": lambda: _run(union(select(Case.title), select(COMMENTS.c.message))),
    "table_in_cte": lambda: _run(select(Case.title).where(Case.title.in_(select(select(CASES).cte().c.title)))),
    "table_as_scalar": lambda: _run(select(Case.title, select(func.max(COMMENTS.c.message)).scalar_subquery())),
    "association_table": lambda: _run(select(db.metadata.tables["membership_profile"])),
    "update": lambda: _run(update(Case).values(title="changed").returning(Case.title)),
    "update_tables": lambda: _run(update(CASES).values(title="changed").returning(CASES.c.title)),
    "delete": lambda: _run(delete(Comment).returning(Comment.message)),
    "insert": lambda: _run(insert(Comment).from_select(["case_id"], select(Case.id)).returning(Comment.message)),
    "legacy_update": lambda: [db.session.query(Case).update({"title": "changed"})],
    "legacy_delete": lambda: [db.session.query(Comment).delete()],
}


def outcomes(shapes: dict[str, Shape]) -> dict[str, list[Any] | None]:
    """What each shape got in this session: values, or None when it was refused."""
    got: dict[str, list[Any] | None] = {}
    for name, shape in shapes.items():
        try:
            got[name] = list(shape())
        except UnscopedRead:
            got[name] = None
        except IntegrityError:
            got[name] = ["the database, not the guard, said no"]
        finally:
            db.session.rollback()
            db.session.expunge_all()
    return got


def secrets_of(values: Iterable[Any], may_see: Iterable[str]) -> list[str]:
    """Texts among the values that speak of a case this person does not see, or are internal."""
    names = ("shared", "internal", "restricted", "all", "revoked", "foreign")
    hidden = [name for name in names if name not in set(may_see)]
    words = [f"The {name} case" for name in hidden] + [f" on {name}." for name in hidden] + ["Internal word"]
    return [value for value in values if isinstance(value, str) and any(word in value for word in words)]


def leaks(may_see: Iterable[str]) -> list[str]:
    """Names of shapes that got hold of something they should not, or were not refused; empty while the guard holds."""
    seen = list(may_see)
    leaking = [name for name, got in outcomes({**FILTERED, **EITHER}).items() if got and secrets_of(got, seen)]
    return leaking + [name for name, got in outcomes(REFUSED).items() if got is not None]
