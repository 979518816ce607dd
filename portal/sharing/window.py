"""The only thing the portal holds: rows go in, records come out, and each question is asked for one person."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from markupsafe import Markup
from sqlalchemy import Select, Table, bindparam, exists, select, tuple_

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..audit.record import record_apart
from ..cases import comments
from ..cases.models import Case, Comment, Stage
from ..clock import now
from ..extensions import db
from ..paging import SIZE, Page, cursor, read_cursor
from ..refusals import NotVisible
from . import scope
from .marks import tell_assignee, tell_outside
from .records import SharedCase, SharedCaseRow, SharedComment

_ROW = (Case.number, Case.title, Case.severity, Case.stage, Case.tags, Case.created_at, Case.outside_at)
_STAGES = (Case.new_at, Case.in_progress_at, Case.closed_at)
_PAGE = (Case.id, Case.organisation_id, Case.description_html, Case.start_date, Case.access)
_MESSAGE = (
    Comment.uid,
    Comment.author_id,
    Comment.author_name,
    Comment.author_external,
    Comment.message,
    Comment.message_html,
    Comment.created_at,
    Comment.edited_at,
    Comment.outside_at,
)
VIEW_NOTED_EVERY = timedelta(hours=1)
_entry = cast("Table", AuditEntry.__table__)
_VIEWED = select(
    exists().where(
        _entry.c.case_id == bindparam("case_id"),
        _entry.c.actor_id == bindparam("actor_id"),
        _entry.c.kind == Kind.CASE_VIEWED,
        _entry.c.at > bindparam("since"),
    )
)


class Window:
    """One outsider's view of the cases. What they may not see raises NotVisible, exactly like what does not exist."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self._found: Any = None  # the case this request asked for; a window lives no longer than that

    @property
    def can_write(self) -> bool:
        """Whether their profiles let them write messages."""
        return self.viewer.can(Permission.COMMENT)

    def _visible(self, model: Any, *columns: Any) -> Select[Any]:
        return scope.visible(self.viewer, model, *columns)

    def cases(self, after: str = "") -> Page[SharedCaseRow]:
        """Shared cases, latest visible change first, 25 a page."""
        wanted = _listed(self._visible(Case, *_ROW, *_STAGES))
        if place := read_cursor(after):
            wanted = wanted.where(tuple_(Case.outside_at, Case.number) < place)
        rows = db.session.execute(wanted).all()
        shown = [_row(row) for row in rows[:SIZE]]
        return Page(shown, cursor(rows[SIZE - 1].outside_at, shown[-1].number) if len(rows) > SIZE else None)

    def case(self, number: int) -> SharedCase:
        """One case."""
        row = self._find(number)
        return SharedCase(
            **_basics(row),
            description_html=Markup(row.description_html),
            start_date=row.start_date,
            new_at=row.new_at,
            in_progress_at=row.in_progress_at,
            closed_at=row.closed_at,
        )

    def _find(self, number: int) -> Any:
        if self._found is not None and self._found.number == number:
            return self._found
        row = db.session.execute(self._visible(Case, *_ROW, *_STAGES, *_PAGE).where(Case.number == number)).one_or_none()
        if row is None:
            raise NotVisible(f"case {number}")
        self._found = row
        return row

    def note_view(self, number: int) -> None:
        """Keep on record that this person opened the case; once an hour is enough to know."""
        row = self._find(number)
        known = {"case_id": row.id, "actor_id": self.viewer.user_id, "since": now() - VIEW_NOTED_EVERY}
        if not db.session.connection().scalar(_VIEWED, known):
            record_apart(Kind.CASE_VIEWED, actor=self.viewer, case=row, object_id=number)

    def messages(self, number: int) -> list[SharedComment]:
        """The conversation of a case, oldest first."""
        case_id = self._visible(Case, Case.id).where(Case.number == number).scalar_subquery()
        rows = db.session.execute(
            self._visible(Comment, *_MESSAGE).where(Comment.case_id == case_id).order_by(Comment.created_at, Comment.id)
        )
        return [self._message(row) for row in rows]

    def message(self, number: int, uid: str) -> SharedComment:
        """One message of a case, only if the person wrote it: for editing or deleting."""
        return self._message(self._own(number, uid, change=False)[1])

    def _message(self, row: Any) -> SharedComment:
        named = row.author_external or self.viewer.names_analysts
        return SharedComment(
            uid=row.uid,
            author=row.author_name if named else "Security team",
            from_team=not row.author_external,
            mine=row.author_id == self.viewer.user_id,
            message=row.message if row.author_id == self.viewer.user_id else "",
            message_html=Markup(row.message_html),
            created_at=row.created_at,
            edited_at=_edited_in_view(row),
        )

    def _own(self, number: int, uid: str, *, change: bool = True) -> tuple[Case, Comment]:
        case = self._case_row(number, change=change)
        comment = comments.load_comment(case, uid)
        if comment.author_id != self.viewer.user_id:
            raise NotVisible("comment")
        return case, comment

    def _case_row(self, number: int, *, change: bool = True) -> Case:
        """The case; held until the end of the request where something is to be written on it."""
        wanted = scope.visible(self.viewer, Case).where(Case.number == number)
        if change:
            # Whoever waited here may have lost access meanwhile: the answer that counts is that of the statement after the wait.
            db.session.scalar(scope.visible(self.viewer, Case, Case.id).where(Case.number == number).with_for_update())
        case: Case | None = db.session.scalar(wanted.execution_options(populate_existing=True))
        if case is None:
            raise NotVisible(f"case {number}")
        return case

    def add_message(self, number: int, text: str) -> None:
        """Write a message; everyone with access reads it, the assignee and the others are told by mail."""
        case = self._case_row(number)
        comment = comments.add_comment(case, text, external=True, by=self.viewer)
        tell_assignee(case, comment)
        tell_outside(case, comment, but=self.viewer.user_id)

    def edit_message(self, number: int, uid: str, text: str) -> None:
        """Change one's own message; readers see that it was edited."""
        case, comment = self._own(number, uid)
        comments.edit_comment(case, comment, text, by=self.viewer)

    def delete_message(self, number: int, uid: str) -> None:
        """Take one's own message back."""
        case, comment = self._own(number, uid)
        comments.delete_comment(case, comment, by=self.viewer)


@lru_cache(maxsize=512)
def _listed(visible: Select[Any]) -> Select[Any]:
    return visible.order_by(Case.outside_at.desc(), Case.number.desc()).limit(SIZE + 1)


def _edited_in_view(row: Any) -> datetime | None:
    """When it was edited, if that was after outsiders could read it: what came before is the team's own business."""
    seen_since = row.outside_at or row.created_at
    return row.edited_at if row.edited_at and row.edited_at >= seen_since else None


def _basics(row: Any) -> dict[str, Any]:
    moments = {Stage.NEW: row.new_at, Stage.IN_PROGRESS: row.in_progress_at, Stage.CLOSED: row.closed_at}
    return {
        "number": row.number,
        "title": row.title,
        "severity": row.severity,
        "stage": row.stage.value,
        "stage_at": moments[row.stage] or row.created_at,
        "tags": list(row.tags),
        "created_at": row.created_at,
        "updated_at": row.outside_at,
    }


def _row(row: Any) -> SharedCaseRow:
    return SharedCaseRow(**_basics(row))
