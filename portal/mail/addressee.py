"""Who gets a letter, and all that its parts ask of the database about them: each question once, however many parts there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import func, select

from ..accounts.models import User
from ..accounts.sessions import viewer_of
from ..cases.models import Attachment, Case, Comment, Observable
from ..dates import Reading
from ..extensions import db
from ..organisations.models import Organisation
from ..sharing import scope
from . import digest, news, wishes
from .models import OutboxMessage

# Where the letter does not say since when: files of one upload come one after the other, and it is posted after the last.
ONE_UPLOAD = timedelta(minutes=1)
_COMMENT = (Comment.id, Comment.case_id, Comment.outside_at, Comment.created_at)
_FILE, _ADDED = func.max(Attachment.outside_at), func.max(Attachment.created_at)
_EVIDENCE = func.max(Observable.created_at)


class Addressee:
    """The person behind the letter's address as the parts of the letter see them: asked for them, not for whoever caused the letter."""

    def __init__(self, user: User, row: OutboxMessage, reading: Reading) -> None:
        self.user, self.reading = user, reading
        self.place = row.organisation_id
        self.parts = digest.parts(row) if row.letter in news.LETTERS else [row]

    def _named(self, wanted: Callable[[OutboxMessage], bool] = lambda _: True) -> set[int]:
        """The cases of those parts."""
        keys = (key for part in self.parts if wanted(part) for key in (part.case_id, *part.extra.get("cases", ())))
        return {key for key in keys if key is not None}

    @cached_property
    def viewer(self) -> Any:
        """The person in the letter's organisation now; None when they are nobody there."""
        return viewer_of(self.user.id, self.place) if self.place else None

    @cached_property
    def titles(self) -> bool:
        """Whether the organisation lets letters carry titles of cases."""
        return bool(db.session.scalar(select(Organisation.titles_in_mail).where(Organisation.id == self.place)))

    @cached_property
    def cases(self) -> dict[int, Case]:
        """Those of the cases this person may see now."""
        ids = self._named()
        if self.viewer is None or not ids:
            return {}
        wanted = scope.visible(self.viewer, Case).where(Case.id.in_(ids)).execution_options(populate_existing=True)
        return {case.id: case for case in db.session.scalars(wanted)}

    @cached_property
    def comments(self) -> dict[int, Any]:
        """Those of the comments this person may see now: their case and since when."""
        ids = {part.comment_id for part in self.parts if part.comment_id is not None}
        if self.viewer is None or not ids:
            return {}
        return {row.id: row for row in db.session.execute(scope.visible(self.viewer, Comment, *_COMMENT).where(Comment.id.in_(ids)))}

    @cached_property
    def ended(self) -> dict[int, Case]:
        """The cases whose sharing has ended, seen or not."""
        ids = self._named(lambda part: part.letter == "access_ended")
        wanted = select(Case).where(Case.id.in_(ids)).execution_options(populate_existing=True)
        return {case.id: case for case in db.session.scalars(wanted)}

    @cached_property
    def _muted(self) -> set[int]:
        return wishes.muted_among(self.user, self._named())

    @cached_property
    def _marks(self) -> dict[int, wishes.Mark]:
        return wishes.marks_among(self.user, self._named())

    @cached_property
    def _notices(self) -> dict[tuple[int, news.News], datetime]:
        return wishes.notices_among(self.user, self._named())

    def mutes(self, case_id: int | None) -> bool:
        """Whether they want no letters about the case."""
        return case_id is not None and case_id in self._muted

    def wants(self, part: OutboxMessage) -> bool:
        """Whether they want letters about this kind of news, and about this case."""
        return news.kind_of(part).value not in self.user.unwanted.split() and not self.mutes(part.case_id)

    def seen_at(self, case_id: int | None) -> datetime | None:
        """Up to when they have read the case, if they are of those outside."""
        mark = self._marks.get(case_id) if case_id else None
        return mark.seen_at if mark else None

    def read(self, case_id: int | None, at: datetime) -> bool:
        """Whether they have read what went outside at that moment."""
        seen = self.seen_at(case_id)
        return seen is not None and seen >= at

    def opened(self, case_id: int | None, part: OutboxMessage) -> bool:
        """Whether they have opened the case since it was shared: the mark is younger, or reaches further, than the sharing."""
        mark, newest = self._marks.get(case_id) if case_id else None, part.extra.get("marks")
        return mark is not None and ((newest is not None and mark.id > newest) or mark.seen_at >= digest.posted_at(part))

    def read_notice(self, part: OutboxMessage) -> bool:
        """Whether a colleague has read the notice that says the same: the latest of its kind, so that what came later is still news."""
        read = self._notices.get((part.case_id, news.kind_of(part))) if part.case_id else None
        return read is not None and read >= digest.posted_at(part)

    @cached_property
    def _files(self) -> dict[int, datetime]:
        """When the newest file of each case went outside that they may see."""
        return self._newest(Attachment, _FILE, Attachment.outside_at.is_not(None))

    @cached_property
    def _brought(self) -> tuple[dict[int, datetime], ...]:
        """When somebody outside added the newest file, and the newest evidence, that is still there."""
        file = self._newest(Attachment, _ADDED, Attachment.author_external)
        return file, self._newest(Observable, _EVIDENCE, Observable.author_external)

    def _newest(self, model: Any, moment: Any, which: Any) -> dict[int, datetime]:
        if self.viewer is None:
            return {}
        wanted = scope.visible(self.viewer, model, model.case_id, moment).where(model.case_id.in_(self._named()), which)
        return dict(db.session.execute(wanted.group_by(model.case_id)).all())

    def has_file(self, part: OutboxMessage) -> bool:
        """Whether they see a file that went outside since the note was posted, or with it, and since they last looked."""
        newest, seen = self._files.get(part.case_id or 0), self.seen_at(part.case_id)
        return newest is not None and newest >= datetime.fromisoformat(part.extra["files"]) and (seen is None or newest > seen)

    def has_more(self, part: OutboxMessage) -> bool:
        """Whether something that somebody outside added then, or since, has not been taken back."""
        told: str | None = part.extra.get("since")
        since = datetime.fromisoformat(told) if told else digest.posted_at(part) - ONE_UPLOAD
        return any(found.get(part.case_id or 0, since) > since for found in self._brought)
