"""Notices: telling colleagues that something on a case waits for them, reading what was told, and having read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Select, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import OperationalError

from ..accounts.models import AccountType, Membership, Profile, User, membership_profile
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..cases.models import Case
from ..clock import now
from ..database import apart, kept, straight
from ..extensions import db
from ..refusals import NotAllowed, NotVisible
from ..sharing import scope
from .models import Notice, Reason

MOST = 9
AT_ONCE = 10_000
PATIENCE = 0.25  # seconds a page waits for this
# Tables, not models: it may be an outsider whose deed tells somebody, and outsiders' sessions know no notices.
_notice = cast("Table", Notice.__table__)


def tell(user_id: int | None, case: Any, reason: Reason, *, by: Any) -> None:
    """Tell a colleague, never oneself. What they have not read yet about the same is replaced: it is news once."""
    if user_id is not None:
        _tell([user_id], case, reason, by)


def tell_team(case: Any, *, by: Any) -> None:
    """Tell everybody who takes on cases in the organisation that this one was reported in the portal."""
    _tell(takers(case.organisation_id), case, Reason.REPORTED, by)


def tell_of_reply(case: Any, *, by: Any) -> None:
    """Tell whose case it is that somebody outside wrote; while a reported one is nobody's, everybody who takes on cases."""
    if case.assignee_id is not None:
        _tell([case.assignee_id], case, Reason.EXTERNAL_REPLY, by)
    elif case.reported_outside:
        _tell(takers(case.organisation_id), case, Reason.EXTERNAL_REPLY, by)


def _tell(user_ids: Iterable[int], case: Any, reason: Reason, by: Any) -> None:
    if by.viewed_by_id is not None:
        raise NotAllowed("Who looks through somebody's eyes tells nobody anything.")
    told = [user_id for user_id in user_ids if user_id != by.user_id]
    if not told:
        return
    connection, moment = db.session.connection(), now()
    of_them = (_notice.c.user_id.in_(told), _notice.c.case_id == case.id, _notice.c.reason == reason, _notice.c.read_at.is_(None))
    connection.execute(delete(_notice).where(*of_them))
    same = {"case_id": case.id, "reason": reason, "actor_name": by.name, "actor_external": by.external, "created_at": moment}
    connection.execute(insert(_notice), [{"user_id": user_id, **same} for user_id in told])


def takers(organisation_id: int) -> list[int]:
    """Active colleagues whose profile lets them create cases."""
    return holders(organisation_id, Permission.CREATE_CASE)


def holders(organisation_id: int, permission: Permission) -> list[int]:
    """Active colleagues whose profile lets them do this."""
    tables = [cast("Table", model.__table__) for model in (Membership, User, Profile)]
    member, user, profile = tables
    wanted = (
        select(member.c.user_id, profile.c.permissions)
        .join(user, user.c.id == member.c.user_id)
        .join(membership_profile, membership_profile.c.membership_id == member.c.id)
        .join(profile, profile.c.id == membership_profile.c.profile_id)
        .where(member.c.organisation_id == organisation_id, user.c.type == AccountType.NORMAL, user.c.active)
    )
    rows = db.session.connection().execute(wanted)
    return sorted({row.user_id for row in rows if permission in row.permissions})


@dataclass(frozen=True)
class NoticeRow:
    """A line of the list; title and number are the case's as they are now."""

    id: int
    reason: str
    actor: str
    external: bool
    at: datetime
    unread: bool
    case_number: int
    case_title: str


_COLUMNS = (Notice.id, Notice.reason, Notice.actor_name, Notice.actor_external, Notice.created_at, Notice.read_at)


def newest(viewer: Viewer, *, unread: bool = False, before: int | None = None, size: int = 25) -> list[NoticeRow]:
    """At most size + 1 notices older than the notice `before`, newest first, of cases the viewer can see now."""
    wanted = scope.visible(viewer, Notice, *_COLUMNS).join(Case, Case.id == Notice.case_id).add_columns(Case.number, Case.title)
    if unread:
        wanted = wanted.where(Notice.read_at.is_(None))
    if before:
        wanted = wanted.where(Notice.id < before)
    rows = db.session.execute(wanted.order_by(Notice.id.desc()).limit(size + 1))
    return [_row(row) for row in rows]


def _row(row: Any) -> NoticeRow:
    told = row.reason.value, row.actor_name, row.actor_external, row.created_at, row.read_at is None
    return NoticeRow(row.id, *told, row.number, row.title)


def unread(viewer: Viewer) -> int:
    """How many the viewer has not read; MOST + 1 stands for more. One query that reads no more rows than that."""
    return straight(_counting(scope.visible(viewer, Notice, Notice.id))).scalar() or 0


@lru_cache(maxsize=512)
def _counting(visible: Select[Any]) -> Select[Any]:
    return kept(select(func.count()).select_from(visible.where(Notice.read_at.is_(None)).limit(MOST + 1).subquery()))


def read_one(viewer: Viewer, notice_id: int) -> None:
    """Mark a notice as read; one that the viewer cannot see is not there."""
    found = db.session.scalar(scope.visible(viewer, Notice, Notice.id).where(Notice.id == notice_id))
    if found is None:
        raise NotVisible("notice")
    _mark([notice_id])


def read_all(viewer: Viewer, *, until: int | None = None) -> None:
    """Mark all as read up to the notice `until`: what came after the viewer looked stays new, and so does what they cannot see."""
    seen = scope.visible(viewer, Notice, Notice.id).where(Notice.read_at.is_(None))
    _mark(list(db.session.scalars((seen.where(Notice.id <= until) if until is not None else seen).limit(AT_ONCE))))


def _mark(ids: list[int]) -> None:
    db.session.connection().execute(_read(ids))


def _read(ids: list[int]) -> Any:
    return update(_notice).where(_notice.c.id.in_(ids), _notice.c.read_at.is_(None)).values(read_at=now())


@lru_cache(maxsize=512)
def _of_case(visible: Select[Any]) -> Select[Any]:
    unread = visible.join(Case, Case.id == Notice.case_id).where(Notice.read_at.is_(None))
    return kept(unread.where(Case.number == bindparam("number")))


def note_opened(viewer: Viewer, number: int) -> int:
    """Whoever opens the case has read what they were told of it; gives how many they have not read then.

    In a transaction of its own, for the page itself only reads; call it first, so that the page counts right.
    Who looks through somebody's eyes has not read it for them.
    """
    waiting = unread(viewer)
    if viewer.viewed_by_id is not None or not waiting:
        return waiting
    ids = list(db.session.scalars(_of_case(scope.visible(viewer, Notice, Notice.id)), {"number": number}))
    if not ids:
        return waiting
    db.session.rollback()
    try:
        with apart(patience=PATIENCE) as connection:
            connection.execute(_read(ids))
    except OperationalError:
        pass  # the database is busy: they stay unread until the case is opened again
    return unread(viewer)
