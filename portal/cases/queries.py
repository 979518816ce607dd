"""What the console reads: lists and pages of cases as records, in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from markupsafe import Markup
from sqlalchemy import Select, bindparam, func, select, tuple_
from sqlalchemy.orm import aliased

from ..accounts.models import AccountType, Membership, User
from ..accounts.viewer import Viewer
from ..extensions import db
from ..paging import SIZE, Page, cursor, read_cursor
from ..sharing import scope
from ..sharing.models import SHARED, Access, Grant
from .models import Case, Comment

NAMES_SHOWN = 3


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; empty text means any."""

    stage: str = ""
    severity: str = ""
    shared: str = ""
    mine: str = ""


@dataclass(frozen=True)
class CaseRow:
    """A line of the console's list, and the head of a case page."""

    id: int
    number: int
    title: str
    severity: int
    status: str
    stage: str
    stage_at: datetime
    tags: list[str]
    assignee: str | None
    updated_at: datetime
    access: str
    shared_with: int
    badge_title: str


@dataclass(frozen=True)
class Audience:
    """Who outside can see a case, in words."""

    access: str
    names: list[str]
    total: int

    @property
    def nobody(self) -> bool:
        """Whether it stays inside."""
        return self.access not in (Access.EXTERNAL, Access.ALL_EXTERNAL)

    @property
    def sentence(self) -> str:
        """For badges and banners."""
        if self.access == Access.RESTRICTED:
            return "Restricted to named colleagues"
        if self.nobody:
            return "Internal: nobody outside can see this case"
        if self.access == Access.ALL_EXTERNAL:
            return "Shared with all external users"
        if self.total <= NAMES_SHOWN:
            return f"Shared with {_and(self.names)}" if self.names else "Shared, but nobody chosen can sign in"
        return f"Shared with {', '.join(self.names[: NAMES_SHOWN - 1])} and {self.total - NAMES_SHOWN + 1} more"

    @property
    def send_label(self) -> str:
        """What sending outside means now."""
        if self.access == Access.ALL_EXTERNAL:
            return f"Send to all external users ({self.total})"
        return "Send to 1 external user" if self.total == 1 else f"Send to {self.total} external users"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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
    Case.created_at,
    Case.new_at,
    Case.in_progress_at,
    Case.closed_at,
    _assignee.name.label("assignee"),
)


def case_list(viewer: Viewer, filters: Filters, after: str = "") -> Page[CaseRow]:
    """The viewer's cases, latest change first, 25 a page; two queries."""
    wanted = _listed(scope.visible(viewer, Case, *_COLUMNS))
    for condition in _conditions(viewer, filters):
        wanted = wanted.where(condition)
    if place := read_cursor(after):
        wanted = wanted.where(tuple_(Case.updated_at, Case.id) < place)
    rows = db.session.execute(wanted).all()
    audiences = audiences_of([(row.id, row.access) for row in rows[:SIZE]])
    shown = [CaseRow(**_fields(row, audiences[row.id])) for row in rows[:SIZE]]
    return Page(shown, cursor(shown[-1].updated_at, shown[-1].id) if len(rows) > SIZE else None)


@lru_cache(maxsize=512)
def _listed(visible: Select[Any]) -> Select[Any]:
    joined = visible.outerjoin(_assignee, _assignee.id == Case.assignee_id)
    return joined.order_by(Case.updated_at.desc(), Case.id.desc()).limit(SIZE + 1)


def _conditions(viewer: Viewer, filters: Filters) -> list[Any]:
    wanted: list[Any] = []
    if filters.stage:
        wanted.append(Case.stage == filters.stage)
    if filters.severity:
        wanted.append(Case.severity == int(filters.severity))
    if filters.mine:
        wanted.append(Case.assignee_id == viewer.user_id)
    if filters.shared == "all":
        wanted.append(Case.access == Access.ALL_EXTERNAL)
    if filters.shared == "selected":
        wanted.append(Case.access == Access.EXTERNAL)
    if filters.shared == "not":
        wanted.append(Case.access.not_in(SHARED))
    return wanted


_NAMED = (
    select(Grant.case_id, User.name)
    .join(User, User.id == Grant.user_id)
    .where(Grant.case_id.in_(bindparam("cases", expanding=True)), User.active)
    .order_by(User.name)
)


def audiences_of(cases: list[tuple[int, Access]], organisation_id: int | None = None) -> dict[int, Audience]:
    """Who outside can see each case, for many cases at once. Without an organisation, "all" is not counted (0)."""
    selected = [case_id for case_id, access in cases if access is Access.EXTERNAL]
    names: dict[int, list[str]] = defaultdict(list)
    if selected:
        for case_id, name in db.session.execute(_NAMED, {"cases": selected}):
            names[case_id].append(name)
    shared_with_all = any(access is Access.ALL_EXTERNAL for _, access in cases)
    everybody = _count_outsiders(organisation_id) if organisation_id and shared_with_all else 0
    return {
        case_id: Audience(access.value, names[case_id], everybody if access is Access.ALL_EXTERNAL else len(names[case_id]))
        for case_id, access in cases
    }


def _count_outsiders(organisation_id: int) -> int:
    return (
        db.session.scalar(
            select(func.count(User.id))
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.organisation_id == organisation_id, User.type == AccountType.EXTERNAL, User.active)
        )
        or 0
    )


def _fields(row: Any, audience: Audience) -> dict[str, Any]:
    moments = {"New": row.new_at, "InProgress": row.in_progress_at, "Closed": row.closed_at}
    return {
        "id": row.id,
        "number": row.number,
        "title": row.title,
        "severity": row.severity,
        "status": row.status,
        "stage": row.stage.value,
        "stage_at": moments[row.stage.value] or row.created_at,
        "tags": list(row.tags),
        "assignee": row.assignee,
        "updated_at": row.updated_at,
        "access": row.access.value,
        "shared_with": audience.total,
        "badge_title": audience.sentence,
    }


@dataclass(frozen=True)
class CaseView(CaseRow):
    """A whole case for colleagues."""

    description: str
    description_html: Markup
    tlp: int
    pap: int
    start_date: datetime
    end_date: datetime | None
    created_at: datetime
    created_by: str
    new_at: datetime | None
    in_progress_at: datetime | None
    closed_at: datetime | None
    version: int
    shared: bool
    shared_since: datetime | None
    assignee_id: int | None
    summary_html: Markup
    impact: str | None


@dataclass(frozen=True)
class CommentView:
    """A comment for colleagues. `mark_refusal`: why it cannot be made external now."""

    uid: str
    author: str
    author_external: bool
    message: str
    message_html: Markup
    external: bool
    created_at: datetime
    edited_at: datetime | None
    mine: bool
    can_mark: bool
    mark_refusal: str | None


def case_view(case: Case) -> tuple[CaseView, Audience]:
    """The loaded case as a record, and who outside can see it."""
    audience = audiences_of([(case.id, case.access)], case.organisation_id)[case.id]
    assignee = db.session.scalar(select(User.name).where(User.id == case.assignee_id)) if case.assignee_id else None
    row = _fields(_With(case, assignee), audience)
    view = CaseView(
        **row,
        description=case.description,
        description_html=Markup(case.description_html),
        tlp=case.tlp,
        pap=case.pap,
        start_date=case.start_date,
        end_date=case.end_date,
        created_at=case.created_at,
        created_by=case.created_by_name,
        new_at=case.new_at,
        in_progress_at=case.in_progress_at,
        closed_at=case.closed_at,
        version=case.version,
        shared=case.shared,
        shared_since=case.shared_since,
        assignee_id=case.assignee_id,
        summary_html=Markup(case.summary_html),
        impact=case.impact,
    )
    return view, audience


class _With:
    """A case with its assignee's name, read like a row of the list."""

    def __init__(self, case: Case, assignee: str | None) -> None:
        self.case, self.assignee = case, assignee

    def __getattr__(self, name: str) -> Any:
        return getattr(self.case, name)


def comment_view(comment: Comment, viewer: Viewer, *, can_mark: bool, refusal: str | None) -> CommentView:
    """A comment as a record for this colleague."""
    return CommentView(
        uid=comment.uid,
        author=comment.author_name,
        author_external=comment.author_external,
        message=comment.message,
        message_html=Markup(comment.message_html),
        external=comment.external,
        created_at=comment.created_at,
        edited_at=comment.edited_at,
        mine=comment.author_id == viewer.user_id,
        can_mark=can_mark,
        mark_refusal=None if comment.external else refusal,
    )
