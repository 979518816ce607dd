"""The console's list of cases: what it is narrowed to, ordered by and counted, each statement built once and kept."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BigInteger, Boolean, Select, String, bindparam, false, func, literal, or_, select, true, tuple_, union_all
from sqlalchemy.orm import aliased

from ..accounts.models import AccountType, Membership, User
from ..accounts.viewer import Viewer
from ..clock import UTCDateTime
from ..database import kept, straight
from ..extensions import db
from ..paging import EPOCH, Page
from ..search import terms
from ..search.find import CASE_PLACE, hits, hits_here, order_of_hits, search_words
from ..sharing import scope
from ..sharing.models import SHARED, Access, in_force
from .models import Case, CaseTag, CustomField, CustomValue
from .queries import CaseRow, audiences_of, row_fields

MANY = 1000  # counting stops right after
SOME = 250  # or here, where each case must be opened to be counted
SIZES = (25, 50, 100)
MOST_EXPORTED = 10_000
MICROSECOND, LARGEST = timedelta(microseconds=1), 2**62
SHARED_STATES = ("all", "selected", "not", "restricted")
ORDERS: dict[str, tuple[Any, ...]] = {
    "severity": (Case.severity,),
    "number": (Case.number,),
    "title": (Case.title,),
    "status": (Case.status,),
    "began": (Case.start_date,),
    "opened": (Case.created_at,),
    "updated": (Case.updated_at,),
    "closed": (Case.closed_at,),
}
USUAL = (Case.flagged, Case.updated_at)  # latest change first, what is flagged before the rest
DATES = {"opened": Case.created_at, "updated": Case.updated_at, "began": Case.start_date, "closed": Case.closed_at}


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; None and empty mean any. `sort`: a key of ORDERS, with a minus for the last first.

    `assignee`: a person's id, or 0 for nobody. Dates: from the first moment on, before the second.
    """

    q: str = ""
    stage: str = ""
    status: str = ""
    severity: int | None = None
    assignee: int | None = None
    tag: str = ""
    tlp: int | None = None
    shared: str = ""
    flagged: bool = False
    outside: bool = False
    field: int | None = None
    value: str = ""
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    began_from: datetime | None = None
    began_to: datetime | None = None
    closed_from: datetime | None = None
    closed_to: datetime | None = None
    sort: str = ""
    size: int = SIZES[0]


_assignee = aliased(User)
_COLUMNS = (
    Case.id,
    Case.number,
    Case.title,
    Case.severity,
    Case.status,
    Case.stage,
    Case.tags,
    Case.updated_at,
    Case.access,
    Case.shared_until,
    Case.flagged,
    Case.created_at,
    Case.start_date,
    Case.new_at,
    Case.in_progress_at,
    Case.closed_at,
    _assignee.name.label("assignee"),
)
EXPORTED = (*_COLUMNS, Case.tlp, Case.pap, Case.created_by_name, Case.reported_outside)
_tag, _value = (cast("Any", model).__table__ for model in (CaseTag, CustomValue))
_of_tag = (_tag.c.organisation_id == bindparam("organisation"), _tag.c.tag == bindparam("tag"))
_of_value = (_value.c.field_id == bindparam("field"), _value.c.value == bindparam("value"))
_tagged, _valued = select(_tag.c.case_id).where(*_of_tag), select(_value.c.case_id).where(*_of_value)
_person, _member, _field = (cast("Any", model).__table__ for model in (User, Membership, CustomField))
_colleagues = (
    select(true().label("person"), _person.c.id, _person.c.name, _person.c.search_text.label("place"))
    .join(_member, _member.c.user_id == _person.c.id)
    .where(_member.c.organisation_id == bindparam("organisation"), _person.c.type == AccountType.NORMAL, _person.c.active)
    .order_by(_person.c.search_text)
    .limit(200)
    .subquery()
)
_TO_CHOOSE = union_all(
    select(_colleagues.c.person, _colleagues.c.id, _colleagues.c.name, _colleagues.c.place, literal(0).label("position")),
    select(false(), _field.c.id, _field.c.label, _field.c.label, _field.c.position),
).order_by("person", "position", "place")
# Name of a condition -> the condition. Of tags and values there are three: "few:" drives from their own rows, "more:" walks the list beside
# a table of them all, "many:" walks the list and asks for each case.
CONDITIONS: dict[str, Any] = {
    "stage": Case.stage == bindparam("stage", type_=Case.stage.type),
    "status": Case.status == bindparam("status"),
    "severity": Case.severity == bindparam("severity"),
    "tlp": Case.tlp == bindparam("tlp"),
    "assignee": Case.assignee_id == bindparam("assignee"),
    "nobody": Case.assignee_id.is_(None),
    "flagged": Case.flagged.is_(True),
    "outside": Case.reported_outside,
    "all": (Case.access == Access.ALL_EXTERNAL) & scope.not_ended(Case),
    "selected": (Case.access == Access.EXTERNAL) & scope.not_ended(Case),
    "not": or_(Case.access.not_in(SHARED), ~scope.not_ended(Case)),
    "restricted": Case.access == Access.RESTRICTED,
    "few:tag": Case.id.in_(_tagged),
    "more:tag": Case.id.in_(_tagged).is_(True),
    "many:tag": select(_tag.c.id).where(_tag.c.case_id == Case.id, *_of_tag).correlate(Case).scalar_subquery().is_not(None),
    "few:value": Case.id.in_(_valued),
    "more:value": Case.id.in_(_valued).is_(True),
    "many:value": select(_value.c.case_id).where(_value.c.case_id == Case.id, *_of_value).limit(1).scalar_subquery().is_not(None),
    **{f"{name}_from": column >= bindparam(f"{name}_from", type_=UTCDateTime()) for name, column in DATES.items()},
    **{f"{name}_to": column < bindparam(f"{name}_to", type_=UTCDateTime()) for name, column in DATES.items()},
}
FORKED = {"tag": _tagged, "value": _valued}  # what has roads -> the cases it is on
WALKED, MORE = ("more:", "many:"), 3000
_SPREAD = {name: kept(select(func.count()).select_from(cases.limit(MORE + 1).subquery())) for name, cases in FORKED.items()}
SEARCHED = frozenset({"words", "words here"})


@dataclass(frozen=True)
class Order:
    """How the list is ordered; `text` when it is by the hits of a search, newest case first."""

    name: str
    columns: tuple[Any, ...]
    down: bool
    text: bool = False


def order_of(filters: Filters, *, text: bool) -> Order:
    """The order asked for; without one the hits' own, that of the dates filtered by, or the usual one."""
    name = filters.sort.removeprefix("-")
    if name in ORDERS and (name != "closed" or filters.closed_from or filters.closed_to):
        return Order(name, ORDERS[name], filters.sort.startswith("-"))
    if text:
        return Order("", (), down=True, text=True)
    for name in DATES:
        if getattr(filters, f"{name}_from") or getattr(filters, f"{name}_to"):
            return Order(name, ORDERS[name], down=True)
    return Order("", USUAL, down=True)


@dataclass(frozen=True)
class Found:
    """A page of the list. `total`: how many there are, at most one more than `most`; `question`: how the search was understood.

    A search counts no further than its page: every further hit must be opened to know whether it is one.
    """

    page: Page[CaseRow]
    total: int
    question: terms.Question | None
    order: Order
    words: tuple[terms.Term, ...] = ()
    most: int = MANY


def case_list(viewer: Viewer, filters: Filters, after: str = "") -> Found:
    """The viewer's cases as the filters want them: two queries, three for a tag, a field or several conditions at once."""
    question = terms.read(filters.q) if filters.q else None
    order = order_of(filters, text=bool(question))
    if question and question.problem:
        return Found(Page([], None), 0, question, order)
    wanted, values = _narrowing(viewer, filters, question)
    rows, total, most = _page(viewer, wanted, values, order, filters.size, after)
    shown = rows[: filters.size]
    following = _cursor(shown[-1], order) if len(rows) > filters.size else None
    return Found(Page(_records(shown), following), total, question, order, question.terms if question else (), most)


def exported(viewer: Viewer, filters: Filters) -> list[Any]:
    """The rows of the list as the filters want them, at most one more than MOST_EXPORTED."""
    question = terms.read(filters.q) if filters.q else None
    if question and question.problem:
        return []
    wanted, values = _narrowing(viewer, filters, question)
    return _page(viewer, wanted, values, order_of(filters, text=bool(question)), MOST_EXPORTED, "", EXPORTED)[0]


def to_choose(viewer: Viewer) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Key and name of the colleagues cases are assigned to, and of the custom fields; one query."""
    rows = db.session.connection().execute(_TO_CHOOSE, {"organisation": viewer.organisation_id}).all()
    return [(row.id, row.name) for row in rows if row.person], [(row.id, row.name) for row in rows if not row.person]


def number_to_open(viewer: Viewer, text: str) -> int | None:
    """The case whose number was typed, if the viewer can see it."""
    number = terms.number_in(text)
    return db.session.scalar(scope.visible(viewer, Case, Case.number).where(Case.number == number)) if number else None


def _records(rows: Iterable[Any]) -> list[CaseRow]:
    rows = list(rows)
    audiences = audiences_of([(row.id, in_force(row.access, row.shared_until)) for row in rows])
    return [CaseRow(**row_fields(row, audiences[row.id])) for row in rows]


PLAIN = ("stage", "status", "severity", "tlp", *(f"{name}_{end}" for name in DATES for end in ("from", "to")))


def _narrowing(viewer: Viewer, filters: Filters, question: terms.Question | None) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of the conditions, and the values they are asked with."""
    values = {name: value for name in PLAIN if (value := getattr(filters, name)) not in (None, "")}
    wanted = [*values, *(name for name in ("flagged", "outside") if getattr(filters, name))]
    if filters.shared:
        wanted.append(filters.shared)
    if filters.assignee is not None:
        wanted.append("assignee" if filters.assignee else "nobody")
        values |= {"assignee": filters.assignee} if filters.assignee else {}
    if filters.tag:
        wanted.append("tag")
        values |= {"tag": filters.tag, "organisation": viewer.organisation_id}
    if filters.field and filters.value:
        wanted.append("value")
        values |= {"field": filters.field, "value": filters.value}
    if question:
        wanted.append("words")
        values["words"] = search_words(question.terms)
    return tuple(wanted), values


def _visible(viewer: Viewer, columns: tuple[Any, ...]) -> Select[Any]:
    return scope.visible(viewer, Case, *columns)


def _count(viewer: Viewer, wanted: tuple[str, ...], values: dict[str, Any]) -> int:
    return straight(_counting(_visible(viewer, (Case.id,)), wanted), values).scalar() or 0


@lru_cache(maxsize=1024)
def _counting(visible: Select[Any], wanted: tuple[str, ...], most: int = MANY) -> Select[Any]:
    own = {name: f"{road}:{name}" for name in FORKED for road in ("few", "more", "many") if f"{road}:{name}" in wanted}
    for name, table, where in (("tag", _tag, _of_tag), ("value", _value, _of_value)):
        if name in own:  # from the tag's or the value's own rows, no further than it must
            visible = visible.join(table, table.c.case_id == Case.id).where(*where)
            visible = visible.distinct() if name == "value" else visible  # a case has a tag once, and a value at several places
    narrowed = visible.where(*_conditions(tuple(name for name in wanted if name not in own.values()))).limit(most + 1)
    return kept(select(func.count()).select_from(narrowed.subquery()))


def _conditions(wanted: tuple[str, ...]) -> list[Any]:
    kind = db.engine.dialect.name
    asked = {"words": hits, "words here": hits_here}
    return [asked[name](kind) if name in asked else CONDITIONS[name] for name in wanted]


def _page(
    viewer: Viewer,
    wanted: tuple[str, ...],
    values: dict[str, Any],
    order: Order,
    size: int,
    after: str,
    columns: tuple[Any, ...] = _COLUMNS,
) -> tuple[list[Any], int, int]:
    """Rows, one more than `size` if there are more; how many there are in all, and how far that was counted.

    Where few cases fit, those are gathered and put in order; else the list is walked in its order until there are enough.
    """
    place = _read_cursor(after, order)
    wanted = _shorter_road(viewer, _on_roads(wanted, values), values)
    values = {**values, **(place or {}), "size": size + 1}
    visible, further = _visible(viewer, columns), place is not None
    if SEARCHED & set(wanted):
        rows = list(straight(_listing(visible, wanted, order, further, None), values))
        return rows, size + 1 if place else len(rows), size
    counted = _count(viewer, wanted, values) if _could_be_few(wanted, order) else None
    if counted == 0:
        return [], 0, MANY
    most = SOME if any(name.startswith(WALKED) for name in wanted) else MANY
    if any(name.startswith("few:") for name in wanted) or (counted is not None and counted <= MANY):
        statement = _gathering(_visible(viewer, (Case.id, *order.columns)), wanted, order, further, columns)
    else:
        counting = None if counted else _counting(_visible(viewer, (Case.id,)), wanted, most)
        statement = _listing(visible, wanted, order, further, counting)
    rows = list(straight(statement, values))
    total = counted or (rows[0].total if rows else _count(viewer, wanted, values) if place else 0)
    return rows, total, MANY if counted else most


def _on_roads(wanted: tuple[str, ...], values: dict[str, Any]) -> tuple[str, ...]:
    """The conditions with the road of each that has several, by how many cases have the tag or the value, whoever may see them."""

    def road(name: str) -> str:
        found = straight(_SPREAD[name], values).scalar() or 0
        return "few" if found <= MANY else "more" if found <= MORE else "many"

    return tuple(f"{road(name)}:{name}" if name in FORKED else name for name in wanted)


def _could_be_few(wanted: tuple[str, ...], order: Order) -> bool:
    """Whether several conditions narrow the list: how many cases fit them all is nothing a database can guess from each of them."""
    return sum(1 for name in wanted if not (order.name and name.startswith(f"{order.name}_"))) > 1


def _shorter_road(viewer: Viewer, wanted: tuple[str, ...], values: dict[str, Any]) -> tuple[str, ...]:
    """A word that is everywhere would have to be walked through: where the filters leave few cases, those are asked for it."""
    others = tuple(name for name in wanted if name != "words")
    return (*others, "words here") if others and others != wanted and _count(viewer, others, values) <= MANY else wanted


@lru_cache(maxsize=2048)
def _listing(visible: Select[Any], wanted: tuple[str, ...], order: Order, further: bool, counting: Any) -> Select[Any]:
    joined = visible.outerjoin(_assignee, _assignee.id == Case.assignee_id)
    if counting is not None:
        joined = joined.add_columns(counting.scalar_subquery().label("total"))
    most = bindparam("size", type_=BigInteger())
    if order.text and "words" in wanted:
        joined = order_of_hits(joined, db.engine.dialect.name, further=further)
        return kept(joined.where(*_conditions(tuple(name for name in wanted if name != "words"))).limit(most))
    joined = joined.where(*_conditions(wanted))
    if order.text:
        joined = joined.where(Case.id < bindparam(CASE_PLACE)) if further else joined
        return kept(joined.order_by(Case.id.desc()).limit(most))
    return kept(_ordered(joined, (*order.columns, Case.id), order, further).limit(most))


@lru_cache(maxsize=1024)
def _gathering(visible: Select[Any], wanted: tuple[str, ...], order: Order, further: bool, columns: tuple[Any, ...]) -> Select[Any]:
    fit = visible.where(*_conditions(wanted)).cte("fit").prefix_with("MATERIALIZED")
    places = tuple(fit.c[column.key] for column in order.columns)
    page = _ordered(select(fit), (*places, fit.c.id), order, further).limit(bindparam("size", type_=BigInteger())).subquery()
    total = select(func.count()).select_from(fit).scalar_subquery().label("total")
    rows = select(*columns, total).join(page, page.c.id == Case.id).outerjoin(_assignee, _assignee.id == Case.assignee_id)
    return kept(_ordered(rows, tuple(page.c[column.key] for column in (*order.columns, Case.id)), order, further=False))


def _ordered(rows: Select[Any], columns: tuple[Any, ...], order: Order, further: bool) -> Select[Any]:
    """In this order, from the place on where the page before it ended."""
    if further:
        places = tuple_(*(bindparam(f"place_{i}", type_=column.type) for i, column in enumerate(columns)))
        rows = rows.where(tuple_(*columns) < places if order.down else tuple_(*columns) > places)
    return rows.order_by(*(column.desc() if order.down else column.asc() for column in columns))


def _cursor(row: Any, order: Order) -> str:
    """The place right after a row, for an address."""
    values = [getattr(row, column.key) for column in order.columns]
    told = [(value - EPOCH) // MICROSECOND if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([order.name, *told, row.id]).encode()).decode().rstrip("=")


def _read_cursor(text: str, order: Order) -> dict[str, Any] | None:
    """The place a cursor names; None (the first page) for anything that is not one of this order."""
    if not text or len(text) > 4096 or not text.isascii():
        return None
    try:
        name, *told = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if name != order.name or len(told) != len(order.columns) + 1:
            return None
        read = [_place(value, column.type) for value, column in zip(told, (*order.columns, Case.id), strict=True)]
    except (binascii.Error, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return {CASE_PLACE: read[0]} if order.text else {f"place_{i}": value for i, value in enumerate(read)}


def _place(value: Any, kind: Any) -> Any:
    """A value as its column wants it; ValueError for anything else."""
    if isinstance(kind, UTCDateTime):
        return EPOCH + timedelta(microseconds=_place(value, Case.id.type))
    wanted = str if isinstance(kind, String) else bool if isinstance(kind, Boolean) else int
    if type(value) is not wanted or (isinstance(value, int) and abs(value) > LARGEST) or (isinstance(value, str) and "\0" in value):
        raise ValueError(value)
    return value
