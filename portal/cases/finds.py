"""What the console reads of observables: the list of a case, all of it for a file, and where else the same thing was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import Select, func, or_, select, tuple_

from ..accounts.viewer import Viewer
from ..extensions import db
from ..paging import Page, cursor, read_cursor
from ..sharing import scope
from . import indicators
from .models import Case, Observable

SIZE = 50
AT_ONCE = 500  # rows an export reads in one go
MANY = 1_000  # counting stops right after


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; empty text means any. `source`: outside or inside."""

    q: str = ""
    type: str = ""
    ioc: str = ""
    sighted: str = ""
    source: str = ""


@dataclass(frozen=True)
class ObservableRow:
    """A line of the list, for colleagues. `elsewhere`: in how many other cases the viewer sees the same thing was found."""

    uid: str
    type: str
    value: str
    is_file: bool
    size: int | None
    sha256: str | None
    message: str
    message_html: Markup
    tags: list[str]
    tlp: int
    pap: int
    ioc: bool
    sighted: bool
    sighted_at: datetime | None
    ignore_similarity: bool
    author: str
    external: bool
    created_at: datetime
    elsewhere: int = 0

    @property
    def shown(self) -> str:
        """The value, harmless."""
        return indicators.defang(self.type, self.value)


@dataclass(frozen=True)
class Sighting:
    """The same thing on another case."""

    number: int
    title: str
    status: str
    stage: str
    uid: str
    ioc: bool
    sighted: bool
    external: bool
    created_at: datetime


_COLUMNS = (
    Observable.id,
    Observable.uid,
    Observable.type,
    Observable.value,
    Observable.value_key,
    Observable.blob_id,
    Observable.size,
    Observable.sha256,
    Observable.message,
    Observable.message_html,
    Observable.tags,
    Observable.tlp,
    Observable.pap,
    Observable.ioc,
    Observable.sighted,
    Observable.sighted_at,
    Observable.ignore_similarity,
    Observable.author_name,
    Observable.author_external,
    Observable.created_at,
)


def listed(viewer: Viewer, case_id: int, filters: Filters, after: str = "") -> tuple[Page[ObservableRow], int]:
    """A page of the case's observables, newest first, and how many there are in all (see `count`); three queries."""
    rows = db.session.execute(_ordered(viewer, case_id, filters, after).limit(SIZE + 1)).all()
    shown = rows[:SIZE]
    seen = elsewhere(viewer, case_id, [row.value_key for row in shown if not row.ignore_similarity])
    told = [_told(row, seen.get(row.value_key, 0) if not row.ignore_similarity else 0) for row in shown]
    page = Page(told, cursor(shown[-1].created_at, shown[-1].id) if len(rows) > SIZE else None)
    return page, len(told) if not after and page.next is None else count(viewer, case_id, filters)


def everything(viewer: Viewer, case_id: int, filters: Filters) -> Iterator[ObservableRow]:
    """All of them, not only a page, for an export."""
    after = ""
    while True:
        rows = db.session.execute(_ordered(viewer, case_id, filters, after).limit(AT_ONCE)).all()
        yield from (_told(row, 0) for row in rows)
        if len(rows) < AT_ONCE:
            return
        after = cursor(rows[-1].created_at, rows[-1].id)


def chosen(viewer: Viewer, case_id: int, uids: list[str]) -> list[ObservableRow]:
    """Those of these that are on the case, newest first."""
    wanted = _ordered(viewer, case_id, Filters(), "").where(Observable.uid.in_(uids))
    return [_told(row, 0) for row in db.session.execute(wanted)]


def _ordered(viewer: Viewer, case_id: int, filters: Filters, after: str) -> Select[Any]:
    wanted = scope.visible(viewer, Observable, *_COLUMNS).where(Observable.case_id == case_id)
    for condition in _conditions(filters):
        wanted = wanted.where(condition)
    if place := read_cursor(after):
        wanted = wanted.where(tuple_(Observable.created_at, Observable.id) < place)
    return wanted.order_by(Observable.created_at.desc(), Observable.id.desc())


def _conditions(filters: Filters) -> list[Any]:
    wanted: list[Any] = []
    if filters.q:
        # People paste what they were sent: both the harmless and the real writing find it.
        texts = {filters.q, indicators.refang(filters.q) or filters.q}
        columns = (Observable.value, Observable.message)
        wanted.append(or_(*(column.icontains(text, autoescape=True) for text in texts for column in columns)))
    if filters.type:
        wanted.append(Observable.type == filters.type)
    if filters.ioc:
        wanted.append(Observable.ioc.is_(filters.ioc == "yes"))
    if filters.sighted:
        wanted.append(Observable.sighted.is_(filters.sighted == "yes"))
    if filters.source:
        wanted.append(Observable.author_external.is_(filters.source == "outside"))
    return wanted


def _told(row: Any, count: int) -> ObservableRow:
    return ObservableRow(
        uid=row.uid,
        type=row.type,
        value=row.value,
        is_file=row.blob_id is not None,
        size=row.size,
        sha256=row.sha256,
        message=row.message,
        message_html=Markup(row.message_html),
        tags=list(row.tags),
        tlp=row.tlp,
        pap=row.pap,
        ioc=row.ioc,
        sighted=row.sighted,
        sighted_at=row.sighted_at,
        ignore_similarity=row.ignore_similarity,
        author=row.author_name,
        external=row.author_external,
        created_at=row.created_at,
        elsewhere=count,
    )


def row_of(found: Observable) -> ObservableRow:
    """One stored observable as a record."""
    return _told(found, 0)


# A case may have the same thing twice: from a colleague and from outside.
_CASES = func.count(Observable.case_id.distinct()).label("cases")


def elsewhere(viewer: Viewer, case_id: int, keys: list[str]) -> dict[str, int]:
    """For each key, on how many other cases the viewer may see it stands; those told to be left out of this are. One query."""
    if not keys:
        return {}
    wanted = _same(scope.visible(viewer, Observable, Observable.value_key, _CASES), viewer, case_id)
    rows = db.session.execute(wanted.where(Observable.value_key.in_(keys)).group_by(Observable.value_key))
    return {row.value_key: row.cases for row in rows}


def _same(wanted: Select[Any], viewer: Viewer, case_id: int) -> Select[Any]:
    return wanted.where(
        Observable.organisation_id == viewer.organisation_id,
        Observable.case_id != case_id,
        Observable.ignore_similarity.is_(False),
    )


def sightings(viewer: Viewer, found: Observable, after: str = "") -> Page[Sighting]:
    """The other cases this is on, latest find first."""
    columns = (Observable.id, Observable.uid, Observable.ioc, Observable.sighted, Observable.author_external, Observable.created_at)
    told = (*columns, Case.number, Case.title, Case.status, Case.stage)
    wanted = _same(scope.visible(viewer, Observable, *told), viewer, found.case_id).join(Case, Case.id == Observable.case_id)
    wanted = wanted.where(Observable.value_key == found.value_key)
    if place := read_cursor(after):
        wanted = wanted.where(tuple_(Observable.created_at, Observable.id) < place)
    rows = db.session.execute(wanted.order_by(Observable.created_at.desc(), Observable.id.desc()).limit(SIZE + 1)).all()
    shown = [
        Sighting(r.number, r.title, r.status, r.stage.value, r.uid, r.ioc, r.sighted, r.author_external, r.created_at) for r in rows[:SIZE]
    ]
    return Page(shown, cursor(rows[SIZE - 1].created_at, rows[SIZE - 1].id) if len(rows) > SIZE else None)


def count(viewer: Viewer, case_id: int, filters: Filters) -> int:
    """How many the filters leave; MANY + 1 stands for more."""
    wanted = scope.visible(viewer, Observable, Observable.id).where(Observable.case_id == case_id, *_conditions(filters))
    return db.session.scalar(select(func.count()).select_from(wanted.limit(MANY + 1).subquery())) or 0
