"""Who outside has seen what of a case, as the audit trail knows it, and who was given access and never looked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, func, select

from ..accounts.directory import Outsider, outsiders
from ..accounts.models import Membership
from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..cases.models import Case
from ..extensions import db
from ..paging import SIZE, Page
from .models import Access
from .reached import REACHED, reach

TAKES = (Kind.FILE_DOWNLOADED.value, Kind.CASE_DOWNLOADED.value)
LOOKS = (Kind.CASE_VIEWED.value, *TAKES)  # file observables are for colleagues only
NEVER_SHOWN = 50


@dataclass(frozen=True)
class Seer:
    """An external person and what they opened. `views` counts hours in which they opened the case: one an hour is kept."""

    user_id: int
    name: str
    views: int
    downloads: int
    first_at: datetime
    last_at: datetime
    has_access: bool


def _looked(case_id: int) -> Any:
    return and_(AuditEntry.case_id == case_id, AuditEntry.actor_external.is_(True), AuditEntry.kind.in_(LOOKS))


def _grouped(case_id: int) -> Any:
    def count(*kinds: str) -> Any:
        return func.sum(case((AuditEntry.kind.in_(kinds), 1), else_=0))

    return (
        select(
            AuditEntry.actor_id,
            func.max(AuditEntry.actor_name).label("name"),
            count(Kind.CASE_VIEWED.value).label("views"),
            count(*TAKES).label("downloads"),
            func.min(AuditEntry.at).label("first_at"),
            func.max(AuditEntry.at).label("last_at"),
            func.max(AuditEntry.id).label("newest"),
        )
        .where(_looked(case_id), AuditEntry.actor_id.is_not(None))
        .group_by(AuditEntry.actor_id)
        .order_by(func.max(AuditEntry.id).desc())
    )


def seers(of: Case, after: int | None = None) -> Page[Seer]:
    """Those who opened the case or something on it, whoever did last first; 25 a page."""
    wanted = _grouped(of.id)
    if after:
        wanted = wanted.having(func.max(AuditEntry.id) < after)
    rows = db.session.execute(wanted.limit(SIZE + 1)).all()
    return Page(list(_told(of, rows[:SIZE], [row.actor_id for row in rows])), str(rows[SIZE - 1].newest) if len(rows) > SIZE else None)


def everybody(of: Case) -> Iterator[Seer]:
    """All of them, for an export."""
    return _told(of, db.session.execute(_grouped(of.id)).all(), select(AuditEntry.actor_id).where(_looked(of.id)))


def _told(of: Case, rows: Any, ids: Any) -> Iterator[Seer]:
    """`ids`: whose they are. A case may be open to all, and one of them be locked or gone by now."""
    reached = reach(of) if rows else frozenset()
    if reached is None:
        reached = frozenset(person.id for person in outsiders(of.organisation_id, ids=ids))
    for row in rows:
        yield Seer(row.actor_id, row.name, int(row.views), int(row.downloads), row.first_at, row.last_at, row.actor_id in reached)


# Written once, as directory.outsiders asks of what it is given.
_opened = select(AuditEntry.actor_id).where(
    AuditEntry.case_id == bindparam("case_id"),
    AuditEntry.actor_external.is_(True),
    AuditEntry.kind.in_(LOOKS),
    AuditEntry.actor_id.is_not(None),
)
_people = REACHED.subquery()
_NAMED_NEVER = select(_people.c.user_id).where(_people.c.user_id.not_in(_opened))
_member = Membership.__table__.alias("member")
_ALL_NEVER = select(_member.c.user_id).where(_member.c.organisation_id == bindparam("place"), _member.c.user_id.not_in(_opened))


def never(of: Case, limit: int | None = NEVER_SHOWN + 1) -> list[Outsider]:
    """Those who could open the case now and never did, by name."""
    if of.access_now is Access.EXTERNAL:
        return outsiders(of.organisation_id, ids=_NAMED_NEVER, limit=limit, case_id=of.id)
    if of.access_now is Access.ALL_EXTERNAL:
        return outsiders(of.organisation_id, ids=_ALL_NEVER, limit=limit, case_id=of.id, place=of.organisation_id)
    return []
