"""What somebody outside takes with them of a case: its files and evidence items with their hashes, and the trace of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, func, select

from ..accounts import sessions
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..audit.record import record_apart
from ..cases import indicators, reports
from ..cases.models import Attachment, Case, Observable
from ..clock import now
from ..extensions import db
from ..refusals import NotVisible, TooMany
from ..storage import store
from . import scope
from .records import TakenFile, TakenItem

MOST_AN_HOUR = 30  # by one person, of all cases
_FILE = (
    Attachment.uid,
    Attachment.name,
    Attachment.size,
    Attachment.sha256,
    Attachment.author_name,
    Attachment.author_external,
    Attachment.created_at,
)
_ITEM = (
    Observable.type,
    Observable.value,
    Observable.blob_id,
    Observable.size,
    Observable.sha256,
    Observable.author_name,
    Observable.created_at,
)
_entry = cast("Table", AuditEntry.__table__)


class Takeout:
    """A case as one outsider may take it; what they may not see is not there."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    def files(self, number: int) -> list[TakenFile]:
        """The files with their hashes, oldest first."""
        wanted = _on(self.viewer, Attachment, number, *_FILE)
        rows = db.session.execute(wanted.order_by(Attachment.created_at, Attachment.id))
        return [self._file(row) for row in rows]

    def _file(self, row: Any) -> TakenFile:
        named = row.author_external or self.viewer.names_analysts
        author = row.author_name if named else "Security team"
        return TakenFile(row.uid, row.name, row.size, row.sha256, author, not row.author_external, row.created_at)

    def items(self, number: int) -> list[TakenItem]:
        """The evidence items, oldest first; of a file its name, size and hash."""
        wanted = _on(self.viewer, Observable, number, *_ITEM)
        rows = db.session.execute(wanted.order_by(Observable.created_at, Observable.id))
        return [_item(row) for row in rows]

    def reader(self, number: int) -> Callable[[str], Iterator[bytes]]:
        """Reads a file by its uid when its turn comes, long after this request: NotVisible for what may not be seen by then."""
        app, viewer = cast("Any", current_app)._get_current_object(), self.viewer

        def read(uid: str) -> Iterator[bytes]:
            with app.app_context():  # a session of its own, which the scope alone narrows
                return _content(viewer, number, uid)

        return read

    @staticmethod
    def now() -> datetime:
        """The moment it is taken at."""
        return now()

    def check_pace(self) -> None:
        """TooMany for somebody who takes one case after the other."""
        since = now() - timedelta(hours=1)
        mine = (_entry.c.actor_id == self.viewer.user_id, _entry.c.kind == Kind.CASE_DOWNLOADED.value, _entry.c.at > since)
        count, first = db.session.connection().execute(select(func.count(), func.min(_entry.c.at)).where(*mine)).one()
        if count >= MOST_AN_HOUR:
            minutes = max(1, -(-int((first - since).total_seconds()) // 60))
            told = f"You have downloaded cases {count} times within an hour. Wait {minutes} minutes, then go on."
            raise TooMany(told, minutes * 60)

    def note(self, number: int, name: str) -> None:
        """Keep on record that this person took the case, as the file called so."""
        row = db.session.execute(scope.visible(self.viewer, Case, Case.id, Case.organisation_id).where(Case.number == number)).one_or_none()
        if row is None:
            raise NotVisible(f"case {number}")
        record_apart(Kind.CASE_DOWNLOADED, actor=self.viewer, case=row, object_id=name)


def _on(viewer: Viewer, model: Any, number: int, *columns: Any) -> Any:
    case_id = scope.visible(viewer, Case, Case.id).where(Case.number == number).scalar_subquery()
    return scope.visible(viewer, model, *columns).where(model.case_id == case_id)


def _item(row: Any) -> TakenItem:
    shown = row.value if row.blob_id else indicators.defang(row.type, row.value)
    is_file = row.blob_id is not None
    return TakenItem(reports.word_for(row.type), row.value, shown, is_file, row.size, row.sha256, row.author_name, row.created_at)


def _content(viewer: Viewer, number: int, uid: str) -> Iterator[bytes]:
    if sessions.viewer_of(viewer.user_id, viewer.organisation_id) is None:
        raise NotVisible("person")
    row = db.session.execute(_on(viewer, Attachment, number, Attachment.sha256, Attachment.size).where(Attachment.uid == uid)).one_or_none()
    if row is None:
        raise NotVisible("file")
    return store.content(row.sha256, row.size)
