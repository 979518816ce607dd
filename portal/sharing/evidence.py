"""What one outsider adds to the cases they see, and takes back while they may: files, and evidence items (observables)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, func, literal, tuple_

from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..cases import attachments, guests, indicators, observables, reports
from ..cases.models import Attachment, Case, Observable
from ..clock import now
from ..database import kept
from ..extensions import db
from ..mail import news
from ..notices import notices
from ..paging import SIZE, Page
from ..refusals import NotAllowed, NotVisible, Refusal
from ..storage import intake
from ..storage.intake import Upload
from ..words import _
from . import reading, scope
from .marks import tell_of_files
from .records import ItemLine, SharedItem

FUTURE, LAST = datetime(9000, 1, 1, tzinfo=UTC), 2**62  # behind everything there is
_ITEM = (
    Observable.id,
    Observable.uid,
    Observable.type,
    Observable.value,
    Observable.size,
    Observable.sha256,
    Observable.author_id,
    Observable.author_name,
    Observable.created_at,
)


@dataclass(frozen=True)
class Limits:
    """What may be sent at once. `largest`: bytes of one file, and of all together in one form; `minutes`: how long one can withdraw."""

    largest: int
    forbidden: tuple[str, ...]
    minutes: int


def told(outcomes: list[observables.Outcome]) -> list[ItemLine]:
    """What became of each line, in plain words."""
    return [ItemLine(one.place, reports.word_for(one.type), one.shown, one.problem) for one in outcomes]


def limits() -> Limits:
    """What may be sent at once."""
    return Limits(intake.largest(), tuple(sorted(intake.forbidden())), guests.MINUTES)


class Evidence:
    """`find`: the case by its number, as this person sees it; `hold`: the same, locked for writing, or a refusal for who only looks."""

    def __init__(self, viewer: Viewer, find: Callable[[int], Any], hold: Callable[[int], Case]) -> None:
        self.viewer, self._find, self._hold = viewer, find, hold

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What an item can be said to be, and the words for it."""
        return list(reports.OFFERED.items())

    @property
    def can_upload(self) -> bool:
        """Whether their profiles let them upload files."""
        return self.viewer.can(Permission.UPDATE_CASE)

    @property
    def can_add(self) -> bool:
        """Whether their profiles let them add evidence items."""
        return self.viewer.can(Permission.OBSERVABLE)

    @property
    def limits(self) -> Limits:
        """What may be sent at once."""
        return limits()

    def upload(self, number: int, uploads: list[Upload]) -> tuple[list[str], list[str]]:
        """Put files on the case, each by itself; the names of what was added, and a sentence for each that was not."""
        case = self._hold(number)
        before, begun = case.outside_at, now()
        uploads, problems = intake.once(uploads)
        added, problems = [], problems if uploads else [_("Choose at least one file.")]
        for upload in uploads:
            try:
                guests.check_pace(guests.FILES, self.viewer)
                guests.check_pace(guests.FILES_OF_CASE, self.viewer, case)
                added.append(attachments.add_file(case, upload, by=self.viewer).name)
            except NotAllowed:
                raise
            except Refusal as refusal:
                problems.append(refusal.sentence)
        if added:
            tell_of_files(case, but=self.viewer.user_id, since=begun)
            self._tell(case, before)
        return added, list(dict.fromkeys(problems))  # what is said of all is said once

    def _tell(self, case: Case, before: datetime) -> None:
        notices.tell_of_reply(case, by=self.viewer)
        news.tell_assignee_of_more(case, since=before)
        reading.note_own(case, by=self.viewer, before=before)

    def file(self, number: int, uid: str) -> str:
        """The name of an own file that can still be taken back."""
        return str(self._own(Attachment, self._find(number), uid).name)

    def withdraw_file(self, number: int, uid: str) -> None:
        """Take an own file back, for everybody."""
        case = self._hold(number)
        attachments.remove_file(case, self._own(Attachment, case, uid), by=self.viewer)

    def _own(self, model: Any, case: Any, uid: str) -> Any:
        found = db.session.scalar(scope.visible(self.viewer, model).where(model.uid == uid, model.case_id == case.id))
        if found is None or found.author_id != self.viewer.user_id:
            raise NotVisible("evidence")
        guests.check_withdrawal(found, self.viewer)
        return found

    def items(self, number: int, after: str = "") -> Page[SharedItem]:
        """The evidence people outside added to the case, newest first, 25 a page. `after`: the uid of the last of the page before."""
        items, places = (scope.visible(self.viewer, Observable, *columns) for columns in (_ITEM, (Observable.created_at, Observable.id)))
        values = {"case_id": self._find(number).id} | ({"uid": after.replace("\0", "")} if after else {})
        rows = db.session.execute(_listed(items, places if after else None), values).all()
        more = rows[SIZE - 1].uid if len(rows) > SIZE else None
        return Page([self._item(row) for row in rows[:SIZE]], more)

    def _item(self, row: Any) -> SharedItem:
        return SharedItem(
            uid=row.uid,
            kind=reports.word_for(row.type),
            shown=indicators.defang(row.type, row.value),
            size=row.size,
            sha256=row.sha256 or "",
            author=row.author_name,
            mine=row.author_id == self.viewer.user_id,
            created_at=row.created_at,
            withdraw_until=guests.withdraw_until(row, self.viewer) if self.can_add else None,
        )

    def add(self, number: int, kind: str, text: str) -> list[ItemLine]:
        """Add evidence, one item a line; what became of each. Duplicates are only those of what this person can see."""
        case = self._hold(number)
        before = case.outside_at
        lines = told(reports.add_items(case, kind, text, by=self.viewer))
        if any(line.problem is None for line in lines):
            self._tell(case, before)
        return lines

    def item(self, number: int, uid: str) -> str:
        """The harmless form of an own item that can still be taken back."""
        found = self._own(Observable, self._find(number), uid)
        return indicators.defang(found.type, found.value)

    def withdraw_item(self, number: int, uid: str) -> None:
        """Take an own item back, for everybody."""
        case = self._hold(number)
        observables.take_back(case, self._own(Observable, case, uid), by=self.viewer)


@lru_cache(maxsize=512)
def _listed(items: Select[Any], places: Select[Any] | None) -> Select[Any]:
    """The items of a case, or those behind the one of `places` that has a uid: its number would tell how many others were added. Where
    it is not among them the first page comes."""
    wanted = items.where(Observable.case_id == bindparam("case_id"))
    if places is not None:
        last = places.where(Observable.uid == bindparam("uid"), Observable.case_id == bindparam("case_id")).correlate(None)
        at, key = (last.with_only_columns(column).scalar_subquery() for column in (Observable.created_at, Observable.id))
        place = tuple_(func.coalesce(at, literal(FUTURE, Observable.created_at.type)), func.coalesce(key, literal(LAST, BigInteger())))
        wanted = wanted.where(tuple_(Observable.created_at, Observable.id) < place)
    return kept(wanted.order_by(Observable.created_at.desc(), Observable.id.desc()).limit(SIZE + 1))
