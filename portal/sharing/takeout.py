"""What somebody outside takes with them of a case: its files and evidence items with their hashes, and the trace of that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, func, select

from ..accounts import sessions, throttle
from ..accounts.models import LoginSession, User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..audit.kinds import Kind
from ..audit.models import AuditEntry
from ..audit.record import record_apart
from ..cases import indicators, reports
from ..cases.models import Attachment, Case, Observable
from ..clock import now
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import NotVisible, TooMany
from ..storage import store
from ..words import _
from . import guard, scope
from .records import TakenFile, TakenItem

MOST_AN_HOUR = 30  # by one person, of all cases
MOST_TRIES = ((MOST_AN_HOUR, 3600),)  # at a PDF, also those that come to nothing
AN_HOUR = timedelta(hours=1)
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


class Looks:
    """How often each colleague took cases while they looked as others. Nothing of a look is on record, so this process remembers it."""

    def __init__(self) -> None:
        self._lock, self._taken = threading.Lock(), dict[int, list[datetime]]()

    def take(self, person: int) -> None:
        """One more, or TooMany."""
        moment = now()
        with self._lock:
            for who, moments in list(self._taken.items()):
                self._taken[who] = [taken for taken in moments if taken > moment - AN_HOUR]
                if not self._taken[who]:
                    del self._taken[who]
            mine = self._taken.setdefault(person, [])
            if len(mine) >= MOST_AN_HOUR:
                raise _too_many(len(mine), mine[0] + AN_HOUR - moment)
            mine.append(moment)


looks = Looks()


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
        author = row.author_name if named else _("Security team")
        return TakenFile(row.uid, row.name, row.size, row.sha256, author, not row.author_external, row.created_at)

    def items(self, number: int) -> list[TakenItem]:
        """The evidence items, oldest first; of a file its name, size and hash."""
        wanted = _on(self.viewer, Observable, number, *_ITEM)
        rows = db.session.execute(wanted.order_by(Observable.created_at, Observable.id))
        return [_item(row) for row in rows]

    def reader(self, number: int) -> Callable[[str], Iterator[bytes]]:
        """Reads a file by its uid when its turn comes, long after this request. Asked anew before each piece: NotVisible for what may not
        be seen by then, or by whom."""
        app, viewer = cast("Any", current_app)._get_current_object(), self.viewer

        def found(uid: str) -> Any:
            with app.app_context():  # a session of its own, which the scope alone narrows
                return _found(viewer, number, uid)

        def pieces(uid: str, content: Iterator[bytes]) -> Iterator[bytes]:
            for piece in content:
                found(uid)
                yield piece

        def read(uid: str) -> Iterator[bytes]:
            file = found(uid)
            with app.app_context():
                return pieces(uid, store.content(file.sha256, file.size))

        return read

    def check_person(self) -> None:
        """NotVisible unless this person, as they are by now, may go on; whatever the running transaction has read before."""
        with cast("Any", current_app).app_context():
            _check_person(self.viewer)

    @staticmethod
    def now() -> datetime:
        """The moment it is taken at."""
        return now()

    def check_pace(self) -> None:
        """TooMany for somebody who takes one case after the other. A colleague who looks has a measure of their own."""
        if self.viewer.viewed_by_id is not None:
            looks.take(self.viewer.viewed_by_id)
            return
        since = now() - AN_HOUR
        mine = (_entry.c.actor_id == self.viewer.user_id, _entry.c.kind == Kind.CASE_DOWNLOADED.value, _entry.c.at > since)
        count, first = db.session.connection().execute(select(func.count(), func.min(_entry.c.at)).where(*mine)).one()
        if count >= MOST_AN_HOUR:
            raise _too_many(count, first - since)

    def count_try(self) -> None:
        """Count what is begun now, whatever becomes of it; TooMany when that was often. Ends the running transaction."""
        if self.viewer.viewed_by_id is None:
            with guard.aside():
                throttle.spend(("takeout", str(self.viewer.user_id), MOST_TRIES))

    def note(self, number: int, name: str) -> None:
        """Keep on record that this person took the case, as the file called so."""
        row = db.session.execute(scope.visible(self.viewer, Case, Case.id, Case.organisation_id).where(Case.number == number)).one_or_none()
        if row is None:
            raise NotVisible(f"case {number}")
        record_apart(Kind.CASE_DOWNLOADED, actor=self.viewer, case=row, object_id=name)


def _too_many(count: int, wait: timedelta) -> TooMany:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    values = {"count": count, "minutes": minutes}
    sentence = _("You have downloaded cases %(count)s times within an hour. Wait %(minutes)s minutes, then go on.", **values)
    return TooMany(sentence, minutes * 60)


def _on(viewer: Viewer, model: Any, number: int, *columns: Any) -> Any:
    case_id = scope.visible(viewer, Case, Case.id).where(Case.number == number).scalar_subquery()
    return scope.visible(viewer, model, *columns).where(model.case_id == case_id)


def _item(row: Any) -> TakenItem:
    shown = row.value if row.blob_id else indicators.defang(row.type, row.value)
    return TakenItem(reports.word_for(row.type), shown, row.size, row.sha256, row.author_name, row.created_at)


def _check_person(viewer: Viewer) -> None:
    person = sessions.viewer_of(viewer.user_id, viewer.organisation_id)
    user = db.session.get(User, viewer.user_id)
    if person is None or user is None or person.external != viewer.external or not sessions.still_open(viewer, user):
        raise NotVisible("person")
    named = db.session.scalar(select(Organisation.names_analysts).where(Organisation.id == viewer.organisation_id))
    if named is not viewer.names_analysts:  # what is being written may name people who are not named any more
        raise NotVisible("names")
    if viewer.viewed_by_id is not None:
        _check_colleague(viewer.viewed_by_id, viewer.organisation_id)


def _check_colleague(user_id: int, organisation_id: int) -> None:
    """Who looks may do so still, and is signed in."""
    colleague = sessions.viewer_of(user_id, organisation_id)
    alive = select(LoginSession.id).join(User, User.id == LoginSession.user_id)
    alive = alive.where(User.id == user_id, LoginSession.face == "console", LoginSession.epoch == User.epoch).limit(1)
    if colleague is None or not colleague.can_inside(Permission.SHARE_OUTSIDE) or db.session.scalar(alive) is None:
        raise NotVisible("colleague")


def _found(viewer: Viewer, number: int, uid: str) -> Any:
    _check_person(viewer)
    row = db.session.execute(_on(viewer, Attachment, number, Attachment.sha256, Attachment.size).where(Attachment.uid == uid)).one_or_none()
    if row is None:
        raise NotVisible("file")
    return row
