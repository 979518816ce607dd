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

from sqlalchemy import BigInteger, Boolean, Select, String, bindparam, func, literal, null, select, tuple_, union_all
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import aliased

from ..accounts.models import AccountType, Membership, User
from ..accounts.viewer import Viewer
from ..clock import UTCDateTime
from ..database import kept, straight
from ..extensions import db
from ..paging import EPOCH, Page
from ..search import terms
from ..search.find import CASE_PLACE, order_of_hits, search_words
from ..sharing import scope
from ..sharing.models import in_force
from . import statuses
from .models import Case, CustomField, Status
from .narrowing import DATES, FORKED, MANY, OF_TAG, OF_VALUE, TAG, VALUE, WALKED, conditions, on_roads
from .queries import CaseRow, audiences_of, row_fields

SOME = 100  # or here, where each case must be opened to be counted
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
_person, _member, _field, _status = (cast("Any", model).__table__ for model in (User, Membership, CustomField, Status))
_colleagues = (
    select(_person.c.id, _person.c.name, _person.c.search_text.label("place"))
    .join(_member, _member.c.user_id == _person.c.id)
    .where(_member.c.organisation_id == bindparam("organisation"), _person.c.type == AccountType.NORMAL, _person.c.active)
    .order_by(_person.c.search_text)
    .limit(200)
    .subquery()
)
PERSON, FIELD, STATUS = range(3)
_NONE = [cast_to(null(), column.type).label(column.name) for column in statuses.COLUMNS]
_TO_CHOOSE = union_all(
    select(literal(PERSON).label("kind"), literal(0).label("position"), _colleagues.c.place, _colleagues.c.id, _colleagues.c.name, *_NONE),
    select(literal(FIELD), _field.c.position, _field.c.label, _field.c.id, _field.c.label, *_NONE),
    select(literal(STATUS), _status.c.position, literal(""), _status.c.id, _status.c.label, *statuses.COLUMNS),
).order_by("kind", "position", "place", "id")
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
    """Key and name of the colleagues cases are assigned to, and of the custom fields; one query, which brings the statuses along."""
    rows = straight(_TO_CHOOSE, {"organisation": viewer.organisation_id}).all()
    statuses.remember(row for row in rows if row.kind == STATUS)
    people, fields = ([(row.id, row.name) for row in rows if row.kind == kind] for kind in (PERSON, FIELD))
    return people, fields


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
    for name, table, where in (("tag", TAG, OF_TAG), ("value", VALUE, OF_VALUE)):
        if name in own:  # from the tag's or the value's own rows, no further than it must
            visible = visible.join(table, table.c.case_id == Case.id).where(*where)
            visible = visible.distinct() if name == "value" else visible  # a case has a tag once, and a value at several places
    narrowed = visible.where(*conditions(tuple(name for name in wanted if name not in own.values()))).limit(most + 1)
    return kept(select(func.count()).select_from(narrowed.subquery()))


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
    wanted = _shorter_road(viewer, on_roads(wanted, values), values)
    values = {**values, **(place or {}), "size": size + 1}
    visible, further = _visible(viewer, columns), place is not None
    if SEARCHED & set(wanted):
        rows = list(straight(_listing(visible, wanted, order, further, None), values))
        return rows, size + 1 if place else len(rows), size
    counted = _count(viewer, wanted, values) if _could_be_few(wanted, order) else None
    if counted == 0:
        return [], 0, MANY
    roads = {name.partition(":")[0] for name in wanted}
    most = SOME if roads & WALKED else MANY
    counting = None if counted else _counting(_visible(viewer, (Case.id,)), wanted, most)
    places = _visible(viewer, (Case.id, *order.columns))
    if "few" in roads or (counted is not None and counted <= MANY):
        statement = _gathering(places, wanted, order, further, columns)
    elif "more" in roads:
        statement = _passing(places, wanted, order, further, columns, counting)
    else:
        statement = _listing(visible, wanted, order, further, counting)
    rows = list(straight(statement, values))
    total = counted or (rows[0].total if rows else _count(viewer, wanted, values) if place else 0)
    return rows, total, MANY if counted else most


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
        return kept(joined.where(*conditions(tuple(name for name in wanted if name != "words"))).limit(most))
    joined = joined.where(*conditions(wanted))
    if order.text:
        joined = joined.where(Case.id < bindparam(CASE_PLACE)) if further else joined
        return kept(joined.order_by(Case.id.desc()).limit(most))
    return kept(_ordered(joined, (*order.columns, Case.id), order, further).limit(most))


@lru_cache(maxsize=1024)
def _gathering(visible: Select[Any], wanted: tuple[str, ...], order: Order, further: bool, columns: tuple[Any, ...]) -> Select[Any]:
    fit = visible.where(*conditions(wanted)).cte("fit").prefix_with("MATERIALIZED")
    places = tuple(fit.c[column.key] for column in order.columns)
    return _of_page(_ordered(select(fit), (*places, fit.c.id), order, further), order, columns, select(func.count()).select_from(fit))


@lru_cache(maxsize=1024)
def _passing(
    visible: Select[Any], wanted: tuple[str, ...], order: Order, further: bool, columns: tuple[Any, ...], counting: Any
) -> Select[Any]:
    """Where most of the cases that are walked past are left out: their places alone are read, and the rest of those that stay."""
    return _of_page(_ordered(visible.where(*conditions(wanted)), (*order.columns, Case.id), order, further), order, columns, counting)


def _of_page(places: Select[Any], order: Order, columns: tuple[Any, ...], counting: Any) -> Select[Any]:
    page = places.limit(bindparam("size", type_=BigInteger())).subquery()
    total = () if counting is None else (counting.scalar_subquery().label("total"),)
    rows = select(*columns, *total).join(page, page.c.id == Case.id).outerjoin(_assignee, _assignee.id == Case.assignee_id)
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
