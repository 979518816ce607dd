"""What the console reads: lists and pages of cases as records, in a fixed number of queries."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from markupsafe import Markup
from sqlalchemy import Table, bindparam, exists, func, literal, select, union_all

from ..accounts.directory import WORKS_THERE, together
from ..accounts.models import AccountType, Membership, User
from ..accounts.viewer import Viewer
from ..database import kept
from ..extensions import db
from ..organisations.models import Party
from ..sharing.models import Access, Grant, PartyGrant
from .comments import can_delete
from .models import Attachment, Case, Comment, Observable, Task

NAMES_SHOWN = 3


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
    tags: tuple[str, ...]
    assignee: str | None
    updated_at: datetime
    access: str
    shared_with: int
    badge_title: str
    flagged: bool
    shared_until: datetime | None

    @property
    def badge(self) -> str:
        """The access, or that sharing ended by itself."""
        return "ended" if self.access == Access.INTERNAL and self.shared_until is not None else self.access


@dataclass(frozen=True)
class Audience:
    """Who outside can see a case, in words. `names`: external organisations first, then the people named who are of none of them."""

    access: str
    names: list[str]
    total: int
    ids: tuple[int, ...] = ()  # of people; those of organisations are negative

    @property
    def mark(self) -> str:
        """What tells this audience from another one: whoever sends something outside sends back the mark of the one they were shown."""
        ids = ",".join(map(str, self.ids)) + (f":{self.total}" if any(key < 0 for key in self.ids) else "")
        return hashlib.sha256(f"{self.access}:{ids}".encode()).hexdigest()[:16]

    @property
    def nobody(self) -> bool:
        """Whether it stays inside."""
        return self.access not in (Access.EXTERNAL, Access.ALL_EXTERNAL)

    @property
    def to_many(self) -> bool:
        """Whether everybody outside or whole organisations see it, rather than people by name alone."""
        return self.access == Access.ALL_EXTERNAL or any(key < 0 for key in self.ids)

    @property
    def sentence(self) -> str:
        """For badges and banners."""
        if self.access == Access.RESTRICTED:
            return "Restricted to named colleagues"
        if self.nobody:
            return "Internal: nobody outside can see this case"
        if self.access == Access.ALL_EXTERNAL:
            return "Shared with all external users"
        if len(self.names) <= NAMES_SHOWN:
            return f"Shared with {together(self.names)}" if self.names else "Shared, but nobody chosen can sign in"
        return f"Shared with {together(self.names, NAMES_SHOWN - 1)}"

    @property
    def send_label(self) -> str:
        """What sending outside means now."""
        if self.access == Access.ALL_EXTERNAL:
            return f"Send to all external users ({self.total})"
        return "Send to 1 external user" if self.total == 1 else f"Send to {self.total} external users"


_cases: Any = bindparam("cases", expanding=True)
_through = exists().where(
    PartyGrant.case_id == Grant.case_id, PartyGrant.party_id == Membership.party_id, Membership.user_id == Grant.user_id
)
# Who is named on a case: people who are not counted with one of the organisations, and organisations with how many they are.
_NAMED = kept(
    union_all(
        select(Grant.case_id.label("case_id"), User.name.label("name"), User.id.label("key"), literal(-1).label("people"))
        .join(User, User.id == Grant.user_id)
        .where(Grant.case_id.in_(_cases), User.active, ~_through),
        select(PartyGrant.case_id, Party.name, Party.id, WORKS_THERE)
        .join(Party, Party.id == PartyGrant.party_id)
        .where(PartyGrant.case_id.in_(_cases)),
    ).order_by("name", "key")
)


def _named(case_ids: list[int]) -> dict[int, tuple[list[str], int, tuple[int, ...]]]:
    """Case -> who is named on it, organisations first; how many people that is; what tells it from another choice."""
    people: dict[int, list[Any]] = defaultdict(list)
    parties: dict[int, list[Any]] = defaultdict(list)
    for row in db.session.execute(_NAMED, {"cases": case_ids}) if case_ids else ():
        (people if row.people < 0 else parties)[row.case_id].append(row)
    return {
        case_id: (
            [f"everybody at {party.name}" for party in parties[case_id]] + [person.name for person in people[case_id]],
            len(people[case_id]) + sum(party.people for party in parties[case_id]),
            tuple(sorted([*(person.key for person in people[case_id]), *(-party.key for party in parties[case_id])])),
        )
        for case_id in case_ids
    }


def audiences_of(cases: list[tuple[int, Access]], organisation_id: int | None = None) -> dict[int, Audience]:
    """Who outside can see each case, for many cases at once. Without an organisation, "all" is not counted (0)."""
    named = _named([case_id for case_id, access in cases if access is Access.EXTERNAL])
    shared_with_all = any(access is Access.ALL_EXTERNAL for _, access in cases)
    everybody = _count_outsiders(organisation_id) if organisation_id and shared_with_all else 0
    told = {}
    for case_id, access in cases:
        names, total, ids = named.get(case_id, ([], 0, ()))
        told[case_id] = Audience(access.value, names, everybody if access is Access.ALL_EXTERNAL else total, ids)
    return told


def _count_outsiders(organisation_id: int) -> int:
    return (
        db.session.scalar(
            select(func.count(User.id))
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.organisation_id == organisation_id, User.type == AccountType.EXTERNAL, User.active)
        )
        or 0
    )


def row_fields(row: Any, audience: Audience) -> dict[str, Any]:
    """What a line of the list and the head of a case page both show."""
    moments = {"New": row.new_at, "InProgress": row.in_progress_at, "Closed": row.closed_at}
    return {
        "id": row.id,
        "number": row.number,
        "title": row.title,
        "severity": row.severity,
        "status": row.status,
        "stage": row.stage.value,
        "stage_at": moments[row.stage.value] or row.created_at,
        "tags": tuple(row.tags),
        "assignee": row.assignee,
        "updated_at": row.updated_at,
        "access": audience.access,
        "shared_with": audience.total,
        "badge_title": audience.sentence,
        "flagged": row.flagged,
        "shared_until": row.shared_until,
    }


@dataclass(frozen=True)
class Counts:
    """How many of each thing hang on a case; files of task logs are counted with their task."""

    attachments: int
    observables: int
    tasks: int


_attachment, _observable, _task = (cast("Table", model.__table__) for model in (Attachment, Observable, Task))
_COUNTED = select(
    *(
        select(func.count()).select_from(table).where(table.c.case_id == bindparam("case_id"), *more).scalar_subquery()
        for table, more in ((_attachment, [_attachment.c.log_id.is_(None)]), (_observable, []), (_task, []))
    )
)


def counts_of(case_id: int) -> Counts:
    """For the tabs of a case the viewer may see."""
    return Counts(*db.session.connection().execute(_COUNTED, {"case_id": case_id}).one())


@dataclass(frozen=True)
class CaseView(CaseRow):
    """A whole case for colleagues."""

    counts: Counts

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
    to_many: bool
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
    can_delete: bool
    removed_at: datetime | None
    removed_by: str | None


_NAME = kept(select(User.name).where(User.id == bindparam("id")))


def case_view(case: Case) -> tuple[CaseView, Audience]:
    """The loaded case as a record, and who outside can see it."""
    audience = audiences_of([(case.id, case.access_now)], case.organisation_id)[case.id]
    assignee = db.session.scalar(_NAME, {"id": case.assignee_id}) if case.assignee_id else None
    row = row_fields(_With(case, assignee), audience)
    view = CaseView(
        **row,
        counts=counts_of(case.id),
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
        to_many=audience.to_many,
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
        can_delete=can_delete(comment, viewer),
        removed_at=comment.removed_at,
        removed_by=comment.removed_by_name,
    )
